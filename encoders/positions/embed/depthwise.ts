/** A depthwise 3x3 convolution of tokens on their grid, with zeros around each raster. */
import { conv2d } from '../../../tensor/ops/conv.ts';
import type { HostTensors } from '../../../tensor/program.ts';
import type { Rng } from '../../../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../../../tensor/tf.ts';
import type { Where } from '../contract.ts';
import { rastersOf } from '../grid.ts';

/** Uniform within 1/3 for the nine weights of a channel, zero for its bias. */
export const depthwiseInit = (width: number, rng: Rng): HostTensors => ({
  'proj.weight': {
    data: Float32Array.from({ length: width * 9 }, () => (2 * rng.uniform() - 1) / 3),
    shape: [width, 1, 3, 3],
  },
  'proj.bias': { data: new Float32Array(width), shape: [width] },
});

/** x [B, T, C] -> [B, T, C] by weights `proj`; every raster of the grid has its own border. */
export function depthwise(
  method: string,
  { weights, x, where: { grid } }: { weights: Tensors; x: Tensor; where: Pick<Where, 'grid'> },
): Tensor {
  if (grid.kind === 'merged') {
    throw new RangeError(
      `${method}: expected a raster, a pyramid or packed pictures, got merged tokens, which have no neighbours`,
    );
  }
  const [B, , C] = x.shape as [number, number, number];
  const rasters = rastersOf(grid);
  const sizes = rasters.map(({ height, width }) => height * width);
  const parts = rasters.length === 1 ? [x] : tf.split(x, sizes, 1);
  const convolved = parts.map((part, i) => {
    const { height, width } = rasters[i]!;
    const picture = part.reshape([B, height, width, C]);
    const options = { padding: 1, groups: C, bias: weights['proj.bias']! };
    return conv2d(picture, weights['proj.weight']!, options).reshape([B, height * width, C]);
  });
  return convolved.length === 1 ? convolved[0]! : tf.concat(convolved, 1);
}
