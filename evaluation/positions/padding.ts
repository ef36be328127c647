/**
 * Position information from padding (PPP: position-information pattern from padding): the mean over inputs of
 * F(padded) - F(padding-free), where the padding-free answer is that of a larger canvas, cropped. It is zero where F sees
 * no border, and its size by the distance from the border shows how far padding reaches. A mean of few inputs is never
 * quite zero, so its square stands beside what chance leaves of it (ours: by the differences' variance over inputs).
 */
export type Canvas = { readonly height: number; readonly width: number; readonly channels: number };
/** A map [H, W, C] -> a map of C' channels, its sides `factor` times as long. */
export type MapFunction = (
  input: Float32Array,
  canvas: Canvas,
) => Promise<{ readonly data: ArrayLike<number>; readonly channels: number }>;

export type PaddingPattern = {
  /** Mean absolute pattern, and over the deviation of the padding-free answers. */
  readonly mean: number;
  readonly relative: number;
  /** Mean square over that of chance: about 1 where borders do nothing that is the same for all inputs. */
  readonly overChance: number;
  /** By the distance to the nearest border, 0 at the border. */
  readonly byBorder: readonly number[];
};

export type PaddingOptions = {
  /** Cells added on every side of the larger canvas: at least what F reaches. */
  readonly margin: number;
  /** One input a call, [H + 2 margin, W + 2 margin, C]; at least two that differ. */
  readonly inputs: readonly Float32Array[];
  /** Cells of an answer for one of an input, on each side. Default 1. */
  readonly factor?: number;
};

export async function paddingPattern(
  apply: MapFunction,
  { height, width, channels }: Canvas,
  { margin, inputs, factor = 1 }: PaddingOptions,
): Promise<PaddingPattern> {
  const large = { height: height + 2 * margin, width: width + 2 * margin, channels };
  let pattern: Float64Array | undefined;
  let [sum, squares, count, differences] = [0, 0, 0, 0];
  for (const input of inputs) {
    const padded = await apply(middle(input, large, margin), { height, width, channels });
    const whole = await apply(input, large);
    const answer = { height: factor * large.height, width: factor * large.width };
    const free = middle(whole.data, { ...answer, channels: whole.channels }, factor * margin);
    pattern ??= new Float64Array(free.length);
    for (let i = 0; i < free.length; i++) {
      const difference = padded.data[i]! - free[i]!;
      pattern[i]! += difference / inputs.length;
      differences += difference ** 2 / (inputs.length * free.length);
      sum += free[i]!;
      squares += free[i]! ** 2;
      count++;
    }
  }
  const sizes = pattern!.map(Math.abs);
  const mean = sizes.reduce((total, size) => total + size, 0) / sizes.length;
  const deviation = Math.sqrt(squares / count - (sum / count) ** 2);
  const square = sizes.reduce((total, size) => total + size ** 2, 0) / sizes.length;
  const chance = (differences - square) / (inputs.length - 1); // of the mean of as many inputs
  return {
    mean,
    relative: deviation > 0 ? mean / deviation : 0,
    overChance: square > 0 ? square / chance : 0,
    byBorder: byBorder(sizes, factor * height, factor * width),
  };
}

/** [H, W, C] without `margin` cells on every side. */
function middle(data: ArrayLike<number>, { height, width, channels }: Canvas, margin: number) {
  const [H, W] = [height - 2 * margin, width - 2 * margin];
  return Float32Array.from({ length: H * W * channels }, (_, i) => {
    const [y, x, c] = [Math.floor(i / (W * channels)), Math.floor(i / channels) % W, i % channels];
    return data[((y + margin) * width + x + margin) * channels + c]!;
  });
}

function byBorder(sizes: Float64Array, height: number, width: number): number[] {
  const channels = sizes.length / (height * width);
  const sums: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < sizes.length; i++) {
    const [y, x] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width];
    const border = Math.min(y, x, height - 1 - y, width - 1 - x);
    sums[border] = (sums[border] ?? 0) + sizes[i]!;
    times[border] = (times[border] ?? 0) + 1;
  }
  return sums.map((sum, border) => sum / times[border]!);
}
