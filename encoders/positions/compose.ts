/** Joins the position methods of a model's configuration into the functions that a network calls. */
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import type { Frequencies, Options, Rotated, Where } from './contract.ts';
import { cellsOf, type Grid } from './grid.ts';
import { findMethod, POSITION_METHODS, type Registry } from './registry.ts';

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

/** Where the tokens of one grid are: what the network is given besides the picture. */
export type Placement = {
  /** [T, 2] */
  readonly coordinates: HostTensor;
  /** [2, F], when the rotation has frequencies. */
  readonly frequencies?: HostTensor;
  readonly logitScale: number;
};
/** A placement inside the traced function. */
export type Placed = {
  readonly coordinates: Tensor;
  readonly frequencies?: Tensor;
  readonly logitScale?: Tensor | number;
};

export type Positions = ReturnType<typeof composePositions>;
type Shape = { readonly width: number; readonly heads: number; readonly trained: Grid };

export function composePositions(
  config: PositionConfig,
  { width, heads, trained }: Shape,
  registry: Registry = POSITION_METHODS,
) {
  const headSize = width / heads;
  const find = <Hook extends keyof Registry>(hook: Hook, choice: Choice) => {
    const { method: name, ...options } = typeof choice === 'string' ? { method: choice } : choice;
    return { method: findMethod(registry, hook, name), options: options as Options };
  };
  const one = <Hook extends keyof Registry>(hook: Hook, choice?: Choice) =>
    choice === undefined ? undefined : find(hook, choice);
  const many = <Hook extends keyof Registry>(hook: Hook, choice?: Choice | readonly Choice[]) =>
    (choice === undefined ? [] : [choice].flat()).map((item) => find(hook, item as Choice));

  const coordinates = find('coordinates', config.coordinates ?? 'raw');
  const embeds = many('embed', config.embed);
  const rotate = one('rotate', config.rotate);
  const biases = many('bias', config.bias);
  const score = one('score', config.score);
  const extend = one('extend', config.extend);
  const learned = [...embeds, ...biases, ...[rotate, score].filter((item) => item !== undefined)];
  if (extend && !rotate?.method.frequencies) {
    throw new RangeError(
      `positions.extend: '${extend.method.name}' changes the frequencies of a rotation, but ${rotate ? `'${rotate.method.name}' has none` : 'there is no rotation'}; take a rotation with frequencies or leave the extension out`,
    );
  }
  const own = (weights: Tensors, name: string): Tensors => strip(weights, `positions.${name}.`);
  const inside = (
    weights: Tensors,
    item: (typeof learned)[number],
    { coordinates }: Placed,
    where: Where,
  ) => ({
    weights: own(weights, item.method.name),
    coordinates,
    where,
    options: item.options,
  });

  return {
    headSize,
    trained,
    /** True when frequencies depend on t and so must be given at every step. */
    timed: extend?.method.timed ?? false,
    score,
    /** Learned weights of all methods, named positions.<method>.<weight>. */
    init(rng: Rng): HostTensors {
      const all: Record<string, HostTensor> = {};
      for (const { method, options } of learned) {
        const shape = { width, heads, headSize, trained };
        const made = method.init?.(shape, options, rng.stream(method.name)) ?? {};
        for (const [name, tensor] of Object.entries(made))
          all[`positions.${method.name}.${name}`] = tensor;
      }
      return all;
    },
    /** Coordinates and frequencies of a grid; `rng` draws random positions in training. */
    place(
      grid: Grid,
      mode: 'train' | 'sample',
      { rng, t }: { rng?: Rng; t?: number } = {},
    ): Placement {
      const points = coordinates.method.coordinates({
        grid,
        trained,
        mode,
        options: coordinates.options,
        ...(rng ? { rng } : {}),
      });
      const frequencies = rotate?.method.frequencies?.(headSize, rotate.options);
      if (!frequencies) return { coordinates: pairs(points, grid), logitScale: 1 };
      const where = {
        grid,
        trained,
        layer: 0,
        heads,
        headSize,
        prefix: 0,
        ...(t === undefined ? {} : { t }),
      };
      const extended = extend?.method.extend({
        where,
        options: extend.options,
        base: Number(rotate?.options.base ?? 10000),
        frequencies,
        coordinates: points,
        logitScale: 1,
      }) ?? { frequencies, coordinates: points, logitScale: 1 };
      return {
        coordinates: pairs(extended.coordinates, grid),
        frequencies: table(extended.frequencies),
        logitScale: extended.logitScale,
      };
    },
    /** True when a method adds an embedding after block `layer` (0: the input). */
    embedsAfter: (layer: number): boolean => embeds.some(({ method }) => method.after === layer),
    /** x [B, T, C] plus the embeddings that belong after block `where.layer` (0: the input). */
    embed(weights: Tensors, x: Tensor, placed: Placed, where: Where): Tensor {
      return embeds
        .filter(({ method }) => method.after === where.layer)
        .reduce(
          (sum, item) =>
            sum.add(item.method.embed({ ...inside(weights, item, placed, where), x: sum })),
          x,
        );
    },
    rotate(weights: Tensors, qkv: Rotated, placed: Placed, where: Where): Rotated {
      if (!rotate) return qkv;
      const { frequencies } = placed;
      return rotate.method.rotate({
        ...inside(weights, rotate, placed, where),
        ...qkv,
        ...(frequencies ? { frequencies } : {}),
      });
    },
    /** The attention's output with values turned back, where the rotation turns values. */
    restore(weights: Tensors, out: Tensor, placed: Placed, where: Where): Tensor {
      if (!rotate?.method.restore) return out;
      const { frequencies } = placed;
      return rotate.method.restore({
        ...inside(weights, rotate, placed, where),
        out,
        ...(frequencies ? { frequencies } : {}),
      });
    },
    /** What is added to the logits, and their factor besides 1 / sqrt(d). */
    bias(
      weights: Tensors,
      x: Tensor,
      placed: Placed,
      where: Where,
    ): { bias?: Tensor; scale: Tensor | number } {
      let bias: Tensor | undefined;
      let scale: Tensor | number = placed.logitScale ?? 1;
      for (const item of biases) {
        const given = inside(weights, item, placed, where);
        const added = item.method.bias?.({ ...given, x });
        if (added) bias = bias ? bias.add(added) : added;
        const factor = item.method.logitScale?.(given);
        if (factor !== undefined) scale = multiply(scale, factor);
      }
      return bias ? { bias, scale } : { scale };
    },
  };
}

function multiply(a: Tensor | number, b: Tensor | number): Tensor | number {
  if (typeof a !== 'number') return a.mul(b);
  return typeof b === 'number' ? a * b : b.mul(a);
}

function strip(weights: Tensors, prefix: string): Tensors {
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

const pairs = (points: Float64Array, grid: Grid): HostTensor => ({
  data: Float32Array.from(points),
  shape: [cellsOf(grid).length, 2],
});

const table = ({ y, x }: Frequencies): HostTensor => ({
  data: Float32Array.from([...y, ...x]),
  shape: [2, y.length],
});
