/** The methods that a model's configuration names, with complete options, or a sentence why not. */
import type {
  CoordinatesMethod,
  ExtendMethod,
  Method,
  Options,
  RotateMethod,
  ScoreMethod,
} from './contract.ts';
import { completeOptions } from './options.ts';
import { findMethod, type Registry } from './registry.ts';

/** A method's name, or its name with options. */
export type Choice = string | ({ readonly method: string } & Options);
/**
 * Several methods may share the hooks `embed` and `bias`, and several extensions follow one another if
 * each changes something else; the other hooks have one.
 */
export type PositionConfig = {
  readonly coordinates?: Choice;
  readonly embed?: Choice | readonly Choice[];
  readonly rotate?: Choice;
  readonly bias?: Choice | readonly Choice[];
  readonly score?: Choice;
  readonly extend?: Choice | readonly Choice[];
};

/** What a picture changes of a model's positions. */
export type PositionChange = {
  /** In place of the model's own extension: another, several, or none of an empty list. */
  readonly extend?: PositionConfig['extend'] | undefined;
  /** Options in place of those of the model's own coordinates, such as `{ inference: 'contiguous' }` of RPE-2D. */
  readonly coordinates?: Options | undefined;
};

export function changePositions(
  config: PositionConfig,
  { extend, coordinates }: PositionChange,
): PositionConfig {
  const { coordinates: own = 'raw' } = config;
  const named = typeof own === 'string' ? { method: own } : own;
  return {
    ...config,
    ...(coordinates === undefined ? {} : { coordinates: { ...named, ...coordinates } }),
    ...(extend === undefined ? {} : { extend }),
  };
}

export type Chosen<Kind extends Method> = { readonly method: Kind; readonly options: Options };
export type Methods = ReturnType<typeof chooseMethods>;

export function chooseMethods(config: PositionConfig, registry: Registry) {
  const find = <Hook extends keyof Registry>(hook: Hook, choice: Choice) => {
    const { method: name, ...given } = typeof choice === 'string' ? { method: choice } : choice;
    const method: Registry[Hook][number] = findMethod(registry, hook, name);
    return { method, options: completeOptions(method, given as Options) };
  };
  const one = <Hook extends keyof Registry>(hook: Hook, choice?: Choice) =>
    choice === undefined ? undefined : find(hook, choice);
  const many = <Hook extends keyof Registry>(hook: Hook, choice?: Choice | readonly Choice[]) =>
    (choice === undefined ? [] : [choice].flat()).map((item) => find(hook, item as Choice));

  const methods = {
    coordinates: find('coordinates', config.coordinates ?? 'raw'),
    embeds: many('embed', config.embed),
    rotate: one('rotate', config.rotate),
    biases: many('bias', config.bias),
    score: one('score', config.score),
    extensions: many('extend', config.extend),
  };
  for (const extension of methods.extensions) checkExtension(extension.method, methods);
  checkTogether(methods.extensions);
  for (const { method, options } of methods.embeds) method.check?.(options, methods.coordinates);
  checkNames([...methods.embeds, ...methods.biases, methods.rotate, methods.score]);
  return methods;
}

type Beside = {
  readonly coordinates: Chosen<CoordinatesMethod>;
  readonly rotate: Chosen<RotateMethod> | undefined;
  readonly score: Chosen<ScoreMethod> | undefined;
};

/** Throws where an extension finds nothing to extend, or something that it would undo. */
function checkExtension({ name, of }: ExtendMethod, { coordinates, rotate, score }: Beside): void {
  if (of === 'logits' || of === 'times') return;
  const where = `positions.extend: '${name}'`;
  if (of !== 'coordinates' && !rotate?.method.frequencies) {
    throw new RangeError(
      `${where} changes the ${of} of a rotation, but ${rotate ? `'${rotate.method.name}' has no frequencies` : 'there is no rotation'}; take a rotation with frequencies or leave the extension out`,
    );
  }
  if (coordinates.method.bounded) {
    throw new RangeError(
      `${where} is for coordinates beyond those trained, but '${coordinates.method.name}' spans the same range on every grid; take other coordinates or leave the extension out`,
    );
  }
  if (of === 'offsets' && coordinates.method.scaled) {
    throw new RangeError(
      `${where} counts tokens by coordinates 1 apart, but neighbours of '${coordinates.method.name}' lie otherwise; take other coordinates or leave the extension out`,
    );
  }
  const other = score?.method.name ?? (rotate?.method.restore && rotate.method.name);
  if (of === 'offsets' && other !== undefined) {
    throw new RangeError(
      `${where} makes the logits from turned queries and keys alone, but '${other}' makes them otherwise; leave one of the two out`,
    );
  }
}

function checkTogether(extensions: readonly Chosen<ExtendMethod>[]): void {
  for (const [i, { method }] of extensions.entries()) {
    const other = extensions.slice(0, i).find((before) => before.method.of === method.of);
    if (!other) continue;
    throw new RangeError(
      `positions.extend: expected extensions that change different things, got '${other.method.name}' and '${method.name}', which both change the ${method.of}; leave one out`,
    );
  }
}

/** Learned weights are named by their method, so no method can stand twice. */
function checkNames(chosen: readonly (Chosen<Method> | undefined)[]): void {
  const seen = new Set<string>();
  for (const item of chosen) {
    if (!item) continue;
    const { hook, name } = item.method;
    if (seen.has(name)) {
      throw new RangeError(`positions.${hook}: expected each method once, got '${name}' twice`);
    }
    seen.add(name);
  }
}
