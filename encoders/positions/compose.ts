/** Joins the position methods of a model's configuration into the functions that a network calls. */
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { checkRange, finite } from './check-placement.ts';
import { type Chosen, chooseMethods, type PositionConfig } from './choose.ts';
import type {
  EmbedMethod,
  Extension,
  Frequencies,
  Inside,
  Method,
  Rotated,
  Seen,
  Where,
} from './contract.ts';
import { seenLogits, windowBias } from './extend/seen.ts';
import { cellsOf, type Grid, type Spans, spansInTokens } from './grid.ts';
import { POSITION_METHODS, type Registry } from './registry.ts';

export type { Choice, PositionConfig } from './choose.ts';

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
  /** [T, 2], or [B, T, 2] where each picture has its own. */
  readonly coordinates: Tensor;
  /** [2, F] */
  readonly frequencies?: Tensor;
  /** A number, or [1] where it depends on t. */
  readonly logitScale?: Tensor | number;
  /** State that a score method carries from the block before. */
  readonly carried?: Tensors;
};

export type Positions = ReturnType<typeof composePositions>;
export type PositionShape = {
  readonly width: number;
  readonly heads: number;
  readonly trained: Grid;
  /** Blocks of the network; only methods with weights of each block's own ask for it. Default 1. */
  readonly depth?: number;
};
/** What queries, keys and values were projected from, [B, T, C]. */
type From = { readonly x: Tensor };
type QueriesKeys = { readonly q: Tensor; readonly k: Tensor } & From;

export function composePositions(
  config: PositionConfig,
  { width, heads, trained, depth = 1 }: PositionShape,
  registry: Registry = POSITION_METHODS,
) {
  if (width % heads !== 0) {
    throw new RangeError(
      `positions: expected a width that is a multiple of the heads, got width ${width} and ${heads} heads`,
    );
  }
  const headSize = width / heads;
  const methods = chooseMethods(config, registry);
  const { coordinates, embeds, rotate, biases, score, extensions } = methods;
  // Called here too, so that a head size that cannot be turned is named before anything is built.
  const trainedFrequencies = rotate?.method.frequencies?.(headSize, rotate.options);
  const spansOf = (grid: Grid): Spans =>
    coordinates.method.spans?.({ grid, trained, options: coordinates.options }) ??
    spansInTokens({ grid, trained });
  const seenOn = (grid: Grid): Seen | undefined =>
    extensions
      .map(({ method, options }) => method.seen?.({ grid, trained, spans: spansOf(grid) }, options))
      .find((seen) => seen !== undefined);

  return {
    headSize,
    /** Heads of queries, keys and values as the network projects them. */
    projectedHeads: rotate?.method.projectedHeads?.(heads, rotate.options) ?? heads,
    trained,
    /** True when a placement depends on t and so must be given at every step. */
    timed: extensions.some(({ method }) => method.timed),
    /** True when every picture has coordinates of its own in training. */
    random: coordinates.method.random ?? false,
    /** Learned weights of all methods, named positions.<method>.<weight>. */
    init(rng: Rng): HostTensors {
      const shape = { width, heads, headSize, depth, trained };
      return Object.fromEntries(
        [...embeds, ...biases, rotate, score]
          .filter((item) => item !== undefined)
          .flatMap(({ method, options }) =>
            Object.entries(method.init?.(shape, options, rng.stream(method.name)) ?? {}).map(
              ([name, tensor]) => [`positions.${method.name}.${name}`, tensor],
            ),
          ),
      );
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
      const tokens = { layer: 0, heads, headSize, prefix: 0 };
      const where = { grid, trained, ...tokens, ...(t === undefined ? {} : { t }) };
      const base = Number(rotate?.options.base ?? 10000);
      const frequencies = trainedFrequencies ?? { y: [], x: [] };
      const spans = spansOf(grid);
      let extended: Extension = { frequencies, coordinates: points, logitScale: 1 };
      for (const { method, options } of extensions)
        extended = finite(method.name, method.extend({ ...extended, where, spans, options, base }));
      for (const embed of embeds) checkRange(embed, extended.coordinates, trained);
      return {
        coordinates: pairs(extended.coordinates, grid),
        ...(trainedFrequencies ? { frequencies: table(extended.frequencies) } : {}),
        logitScale: extended.logitScale,
      };
    },
    /** How far a grid's axes reach beside those trained. */
    spans: spansOf,
    /** What attention sees of a grid's offsets, where an extension changes it. */
    seen: seenOn,
    /** The factor of the sampling's time shift on a grid, 1 where no extension has one. */
    timeShift: (grid: Grid): number =>
      extensions.reduce(
        (shift, { method, options }) =>
          shift * (method.timeShift?.({ grid, trained }, options) ?? 1),
        1,
      ),
    /**
     * x [B, T, C], condition tokens first, plus the embeddings that belong after block `after` (0: the
     * input) or to the queries and keys of block `where.layer`. They concern the grid's tokens only.
     */
    embed(
      weights: Tensors,
      x: Tensor,
      placed: Placed,
      where: Where,
      after: EmbedMethod['after'],
    ): Tensor {
      const here = embeds.filter(({ method }) => method.after === after);
      if (here.length === 0) return x;
      const add = (tokens: Tensor) =>
        here.reduce(
          (sum, item) =>
            sum.add(item.method.embed({ ...inside(weights, item, placed, where), x: sum })),
          tokens,
        );
      const [B, T, C] = x.shape as [number, number, number];
      const { prefix } = where;
      if (prefix === 0) return add(x);
      const picture = add(tf.slice(x, [0, prefix, 0], [B, T - prefix, C]));
      return tf.concat([tf.slice(x, [0, 0, 0], [B, prefix, C]), picture], 1);
    },
    rotate(weights: Tensors, { x, ...qkv }: Rotated & From, placed: Placed, where: Where): Rotated {
      if (!rotate) return qkv;
      return rotate.method.rotate({
        ...inside(weights, rotate, placed, where),
        ...qkv,
        x,
        ...turning(placed),
      });
    },
    /** The attention's output with values turned back, where the rotation turns values. */
    restore(
      weights: Tensors,
      { x, out }: { readonly out: Tensor } & From,
      placed: Placed,
      where: Where,
    ): Tensor {
      if (!rotate?.method.restore) return out;
      return rotate.method.restore({
        ...inside(weights, rotate, placed, where),
        out,
        x,
        ...turning(placed),
      });
    },
    /**
     * What is added to the logits, and their factor besides 1 / sqrt(d): a number, or a tensor that
     * broadcasts to [B, h, 1, 1]. q and k are those before the rotation, `heads` as many as there are
     * after it: where it made copies of the heads, each has the bias of its original.
     */
    bias(
      weights: Tensors,
      { heads: turned, ...qk }: QueriesKeys & { readonly heads: number },
      placed: Placed,
      where: Where,
    ): { bias?: Tensor; scale: Tensor | number } {
      const own = { x: qk.x, q: copied(qk.q, 2, heads), k: copied(qk.k, 2, heads) };
      let bias: Tensor | undefined;
      let scale = placed.logitScale ?? 1;
      for (const item of biases) {
        const given = inside(weights, item, placed, where);
        const added = item.method.bias?.({ ...given, ...own });
        if (added) bias = bias ? bias.add(added) : added;
        const factor = item.method.logitScale?.(given);
        if (factor !== undefined) scale = multiply(scale, factor);
      }
      const window = seenOn(where.grid)?.window;
      if (window) {
        const hidden = windowBias(placed.coordinates, window, where);
        bias = bias ? bias.add(hidden) : hidden;
      }
      const copiedScale = typeof scale === 'number' ? scale : copied(scale, -3, turned);
      return { scale: copiedScale, ...(bias ? { bias: copied(bias, -3, turned) } : {}) };
    },
    /** Logits [B, h, T, T] that replace q k^T / sqrt(d), where a method or far offsets make them. */
    score(weights: Tensors, qk: QueriesKeys, placed: Placed, where: Where): Tensor | undefined {
      if (!score) {
        const axes = seenOn(where.grid)?.axes;
        if (!axes || !rotate) return undefined;
        const turn = (tokens: Tensor, by: Tensor) =>
          rotate.method.rotate({
            ...inside(weights, rotate, { coordinates: by }, where),
            ...{ q: tokens, k: tokens, v: tokens, x: qk.x },
            ...turning(placed),
          }).q;
        return seenLogits(qk, placed.coordinates, { axes, where, turn });
      }
      const { carried } = placed;
      return score.method.score({
        ...inside(weights, score, placed, where),
        ...qk,
        ...(carried ? { carried } : {}),
      });
    },
    /** The placement of the next block, from this one's output and its attention [B, h, T, T]. */
    carry(
      weights: Tensors,
      after: { readonly attention?: Tensor } & From,
      placed: Placed,
      where: Where,
    ): Placed {
      const { x, attention } = after;
      if (!score?.method.carry || !attention) return placed;
      const { carried } = placed;
      const next = score.method.carry({
        ...inside(weights, score, placed, where),
        x,
        attention,
        ...(carried ? { carried } : {}),
      });
      return { ...placed, carried: next };
    },
  };
}

/** What every hook inside the network is given; a method sees its own weights, by their short names. */
function inside(
  weights: Tensors,
  { method, options }: Chosen<Method>,
  { coordinates }: Placed,
  where: Where,
): Inside {
  const prefix = `positions.${method.name}.`;
  const own = Object.entries(weights)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, tensor]) => [name.slice(prefix.length), tensor]);
  return { weights: Object.fromEntries(own), coordinates, where, options };
}

const turning = ({ frequencies }: Placed) => (frequencies ? { frequencies } : {});

function multiply(a: Tensor | number, b: Tensor | number): Tensor | number {
  if (typeof a !== 'number') return a.mul(b);
  return typeof b === 'number' ? a * b : b.mul(a);
}

/** A tensor that differs between heads along `axis`, once for every copy of the heads. */
function copied(x: Tensor, axis: number, heads: number): Tensor {
  const along = axis < 0 ? axis + x.rank : axis;
  const given = x.shape[along] ?? 1;
  return given === 1 || given === heads ? x : tf.concat(Array(heads / given).fill(x), along);
}

const pairs = (points: Float64Array, grid: Grid): HostTensor => ({
  data: Float32Array.from(points),
  shape: [cellsOf(grid).length, 2],
});

const table = ({ y, x }: Frequencies): HostTensor => ({
  data: Float32Array.from([...y, ...x]),
  shape: [2, y.length],
});
