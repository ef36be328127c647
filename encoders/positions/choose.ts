/** The methods that a model's configuration names, with complete options, or a sentence why not. */
import type { Method, Options } from './contract.ts';
import { completeOptions } from './options.ts';
import { findMethod, type Registry } from './registry.ts';

/** A method's name, or its name with options. */
export type Choice = string | ({ readonly method: string } & Options);
/** Several methods may share the hooks `embed` and `bias`; the others have one. */
export type PositionConfig = {
  readonly coordinates?: Choice;
  readonly embed?: Choice | readonly Choice[];
  readonly rotate?: Choice;
  readonly bias?: Choice | readonly Choice[];
  readonly score?: Choice;
  readonly extend?: Choice;
};
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
    extend: one('extend', config.extend),
  };
  checkExtension(methods);
  checkNames([...methods.embeds, ...methods.biases, methods.rotate, methods.score]);
  return methods;
}

function checkExtension({
  extend,
  rotate,
  coordinates,
}: Record<'extend' | 'rotate' | 'coordinates', Chosen<Method> | undefined>): void {
  if (extend?.method.hook !== 'extend') return;
  const where = `positions.extend: '${extend.method.name}'`;
  const turns = rotate?.method.hook === 'rotate' && rotate.method.frequencies !== undefined;
  if (extend.method.of === 'frequencies' && !turns) {
    throw new RangeError(
      `${where} changes the frequencies of a rotation, but ${rotate ? `'${rotate.method.name}' has none` : 'there is no rotation'}; take a rotation with frequencies or leave the extension out`,
    );
  }
  if (coordinates?.method.hook === 'coordinates' && coordinates.method.bounded) {
    throw new RangeError(
      `${where} is for coordinates beyond those trained, but '${coordinates.method.name}' spans the same range on every grid; take other coordinates or leave the extension out`,
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
