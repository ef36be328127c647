/**
 * The hooks through which a network learns where its tokens are. A method is one file under the
 * folder of its hook; a model's configuration composes methods (see compose.ts).
 *
 * Coordinates and frequencies are made outside of the network in float64, per token (y, x); the rest
 * is tfjs code inside the traced function.
 */
import type { HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import type { Grid, Raster, Spans } from './grid.ts';

/** Original size and crop of a training picture in pixels (micro-conditioning). */
export type MicroSize = {
  readonly original: readonly [number, number];
  readonly crop: readonly [number, number];
  readonly target: readonly [number, number];
};

export type Where = {
  readonly grid: Grid;
  /** The grid that the network was trained on. */
  readonly trained: Grid;
  /** Time in [0, 1], 1 is pure noise; known outside of the network only (extensions). */
  readonly t?: number;
  /** Block of the network, 0 for its input. */
  readonly layer: number;
  readonly heads: number;
  readonly headSize: number;
  /** Condition tokens before those of the grid: they have no place in the picture. */
  readonly prefix: number;
  readonly size?: MicroSize;
};

/** Angular frequencies [F] of each axis, in radians a unit of coordinate. */
export type Frequencies = { readonly y: readonly number[]; readonly x: readonly number[] };

/** Options of a method as they stand in a model's configuration. */
export type Options = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** An option's default; of an array of words one may be chosen, the first is the default. */
export type OptionDefault = number | boolean | readonly number[] | readonly string[];

type Declared = {
  readonly name: string;
  /** The exact special case that a test checks. */
  readonly reducesTo: string;
  /** Breaks the symmetry between earlier and later tokens. */
  readonly causal?: boolean;
  /** Every option there is; hooks are given all of them, with defaults filled in. */
  readonly options?: Readonly<Record<string, OptionDefault>>;
};
type Shape = {
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
  /** Blocks of the network, for weights of each block's own. */
  readonly depth: number;
  readonly trained: Grid;
};
type Learned = {
  /** Learned weights, named within the method. */
  readonly init?: (shape: Shape, options: Options, rng: Rng) => HostTensors;
};
/** What every hook inside the network is given. coordinates: [T, 2] or, in training, [B, T, 2]. */
export type Inside = {
  readonly weights: Tensors;
  readonly coordinates: Tensor;
  readonly where: Where;
  readonly options: Options;
};

export type CoordinatesMethod = Declared & {
  readonly hook: 'coordinates';
  /** Draws new coordinates for every picture in training, from `rng`. */
  readonly random?: boolean;
  /** Spans the same range on any grid, so there is nothing for an extension to extend. */
  readonly bounded?: boolean;
  /** Neighbours need not lie 1 apart in sampling, so what counts tokens by coordinates is refused. */
  readonly scaled?: boolean;
  /** Where these are not the sides in tokens. */
  readonly spans?: (args: Sides & { readonly options: Options }) => Spans;
  /** (y, x) of every token, interleaved: [T, 2]. */
  readonly coordinates: (args: {
    readonly grid: Grid;
    readonly trained: Grid;
    readonly mode: 'train' | 'sample';
    readonly options: Options;
    readonly rng?: Rng;
  }) => Float64Array;
};
/** The coordinates that a model has, with their options. */
type Placing = { readonly method: CoordinatesMethod; readonly options: Options };
export type EmbedMethod = Declared &
  Learned & {
    readonly hook: 'embed';
    /**
     * The block after which it is added; 0 is the network's input. 'attention': in every block, to what
     * queries and keys are projected from, but not values (position-infused attention, Shortformer).
     */
    readonly after: number | 'attention';
    /** Where it can be read: from 0 to below this on either axis; anywhere if not said. */
    readonly range?: (trained: Grid, options: Options) => Raster;
    /** Throws where it does not belong to the model's coordinates. */
    readonly check?: (options: Options, coordinates: Placing) => void;
    /** x [B, T, C] without condition tokens -> what is added to it: [T, C] or [B, T, C]. */
    readonly embed: (args: Inside & { readonly x: Tensor }) => Tensor;
  };
export type Rotated = { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor };
type Turning = { readonly x: Tensor; readonly frequencies?: Tensor };
export type RotateMethod = Declared &
  Learned & {
    readonly hook: 'rotate';
    /** Frequencies before any extension. Methods without them cannot be extended. */
    readonly frequencies?: (headSize: number, options: Options) => Frequencies;
    /** Heads that q, k and v are projected to; all of them unless the rotation makes more (RoPE++). */
    readonly projectedHeads?: (heads: number, options: Options) => number;
    /**
     * Turns q, k (and v where the method says so) [B, T, h, d], condition tokens first; `x` [B, T, C]
     * is what they were projected from. May return several copies of the heads one after the other (a
     * bias serves each copy), which `restore` brings back to h (RoPE++, 2D-TPE). frequencies: [2, F].
     */
    readonly rotate: (args: Inside & Rotated & Turning) => Rotated;
    /** Undoes what was done to values and heads, on the attention's output [B, T, h, d] (GTA). */
    readonly restore?: (args: Inside & Turning & { readonly out: Tensor }) => Tensor;
  };
export type BiasMethod = Declared &
  Learned & {
    readonly hook: 'bias';
    /**
     * Added to the logits: [h, T, T] or [B, h, T, T], 1 for h where heads are alike; hidden entries are
     * -1e9. None in blocks that it leaves alone. q, k [B, T, h, d] are those before the rotation, so
     * what they say does not depend on the place.
     */
    readonly bias?: (
      args: Inside & { readonly x: Tensor; readonly q: Tensor; readonly k: Tensor },
    ) => Tensor | undefined;
    /** Factor of the logits: a number, [h, 1, 1] or [B, h, 1, 1]. */
    readonly logitScale?: (args: Inside) => Tensor | number;
  };
type Carried = { readonly carried?: Tensors };
export type ScoreMethod = Declared &
  Learned & {
    readonly hook: 'score';
    /** The logits [B, h, T, T] in place of q k^T / sqrt(d); q, k [B, T, h, d] after the rotation. */
    readonly score: (
      args: Inside & Carried & { readonly x: Tensor; readonly q: Tensor; readonly k: Tensor },
    ) => Tensor;
    /**
     * The position state of the next block (TAPE) from the block's output x [B, T, C] and its
     * attention [B, h, T, T]. The first block is given none.
     */
    readonly carry?: (
      args: Inside & Carried & { readonly x: Tensor; readonly attention: Tensor },
    ) => Tensors;
  };
export type Extension = {
  /** Empty where no rotation has any. */
  readonly frequencies: Frequencies;
  readonly coordinates: Float64Array;
  /** Factor of the logits. */
  readonly logitScale: number;
};
/**
 * What attention sees of the offset D between two tokens along an axis: D itself where |D| < `from`, and
 * beyond, |D| less `closer` or `fixed` whatever D is, with D's sign. In units of coordinates.
 */
export type SeenAxis = { readonly from: number } & (
  | { readonly closer: number }
  | { readonly fixed: number }
);
export type Seen = {
  readonly axes?: { readonly y: SeenAxis; readonly x: SeenAxis };
  /** Tokens further away than this on either axis are hidden. */
  readonly window?: { readonly y: number; readonly x: number };
};
export type ExtendMethod = Declared & {
  readonly hook: 'extend';
  /**
   * What it changes: `frequencies` and `offsets` are those of a rotation, so one that has frequencies
   * must be there; `logits` (their factor) and `times` (those of sampling) are there in any model.
   */
  readonly of: 'frequencies' | 'coordinates' | 'offsets' | 'logits' | 'times';
  /** Depends on t: coordinates, frequencies and factor are then inputs at every step, not constants. */
  readonly timed: boolean;
  readonly extend: (
    args: {
      readonly where: Where;
      readonly spans: Spans;
      readonly options: Options;
      readonly base: number;
    } & Extension,
  ) => Extension;
  /** Of `offsets`: none where all offsets of the grid are seen as they are. */
  readonly seen?: (where: Sides & { readonly spans: Spans }, options: Options) => Seen | undefined;
  /** Of `times`: the factor of the sampling's shift (t' = a t / (1 + (a - 1) t)). */
  readonly timeShift?: (where: Sides, options: Options) => number;
};
type Sides = Pick<Where, 'grid' | 'trained'>;
export type Method =
  | CoordinatesMethod
  | EmbedMethod
  | RotateMethod
  | BiasMethod
  | ScoreMethod
  | ExtendMethod;
export type Hook = Method['hook'];
