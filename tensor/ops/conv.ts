/**
 * Convolutions of pictures [B, H, W, C] with PyTorch's layouts of weights, in tfjs ops whose tracing
 * keeps pictures [B, C, H, W] from one convolution to the next.
 */
import { type Tensor, tf } from '../tf.ts';

/** Rows and columns added on each side: one number, or [[top, bottom], [left, right]]. */
export type Padding = number | readonly [readonly [number, number], readonly [number, number]];
export type ConvOptions = {
  readonly stride?: number | readonly [number, number];
  readonly padding?: Padding;
  /** Channels are split into this many parts, each with its own filters. Default 1. */
  readonly groups?: number;
  readonly bias?: Tensor;
};

type Pair = [number, number];
type Explicit = [Pair, Pair, Pair, Pair];
const pair = (value: number | readonly [number, number]): Pair =>
  typeof value === 'number' ? [value, value] : [value[0], value[1]];
const explicit = (padding: Padding): Explicit => {
  const [rows, columns] =
    typeof padding === 'number' ? [pair(padding), pair(padding)] : [padding[0], padding[1]];
  return [[0, 0], [...rows], [...columns], [0, 0]];
};

/** x [B, H, W, C], weight [O, C / groups, kh, kw], bias [O] -> [B, H', W', O]. */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  { stride = 1, padding = 0, groups = 1, bias }: ConvOptions = {},
): Tensor {
  const C = x.shape[3]!;
  const [outputs, perGroup] = weight.shape as [number, number, number, number];
  if (perGroup * groups !== C || outputs % groups !== 0)
    throw new RangeError(
      `conv2d: expected weight [O, C / groups, kh, kw] for C ${C} and ${groups} groups, got [${weight.shape.join(', ')}]`,
    );
  const convolve = (part: Tensor, filter: tf.Tensor4D) =>
    tf.conv2d(part as tf.Tensor4D, filter, pair(stride), explicit(padding));
  const inGroups = () => {
    const filters = tf.split(weight, groups, 0);
    return tf.concat(
      tf.split(x, groups, 3).map((part, i) => convolve(part, filtersOf(filters[i]!))),
      3,
    );
  };
  const depthwise = () =>
    tf.depthwiseConv2d(
      x as tf.Tensor4D,
      depthwiseFiltersOf(weight, groups),
      pair(stride),
      explicit(padding),
    );
  const y =
    groups === 1 ? convolve(x, filtersOf(weight)) : perGroup === 1 ? depthwise() : inGroups();
  return bias ? y.add(bias) : y;
}

/** [O, C, kh, kw] -> [kh, kw, C, O]. */
const filtersOf = (weight: Tensor): tf.Tensor4D => weight.transpose([2, 3, 1, 0]) as tf.Tensor4D;

/** [C m, 1, kh, kw] -> [kh, kw, C, m]. */
function depthwiseFiltersOf(weight: Tensor, channels: number): tf.Tensor4D {
  const [outputs, , height, width] = weight.shape as [number, number, number, number];
  const grouped = weight.reshape([channels, outputs / channels, height, width]);
  return grouped.transpose([2, 3, 0, 1]) as tf.Tensor4D;
}

export type ConvTransposeOptions = Omit<ConvOptions, 'groups'> & {
  /** Rows and columns added to one side of the result, where a stride leaves its size open. */
  readonly outputPadding?: number | readonly [number, number];
};

/**
 * The transpose of a convolution (PyTorch's ConvTranspose2d): x [B, H, W, C],
 * weight [C, O, kh, kw] -> [B, H', W', O] with H' = (H - 1) stride - padding + kh + outputPadding.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  { stride = 1, padding = 0, outputPadding = 0, bias }: ConvTransposeOptions = {},
): Tensor {
  const [B, H, W] = x.shape as [number, number, number, number];
  const [, outputs, kh, kw] = weight.shape as [number, number, number, number];
  const [down, across] = pair(stride);
  const pad = explicit(padding);
  const [moreRows, moreColumns] = pair(outputPadding);
  const height = (H - 1) * down + kh - pad[1][0] - pad[1][1] + moreRows;
  const width = (W - 1) * across + kw - pad[2][0] - pad[2][1] + moreColumns;
  const shape: [number, number, number, number] = [B, height, width, outputs];
  const filter = filtersOf(weight); // [kh, kw, O, C]
  const y = tf.conv2dTranspose(x as tf.Tensor4D, filter, shape, [down, across], pad);
  return bias ? y.add(bias) : y;
}
