/** Group norm (Wu and He 2018) of pictures [B, H, W, C]. */
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/recording.ts';
import { primitive } from './primitive.ts';

export type GroupNormOptions = {
  /** Per channel, [C]. */
  readonly gain?: Tensor;
  readonly bias?: Tensor;
  readonly eps?: number;
};

/** Channels are split into `groups` parts; each part of each picture gets mean 0 and variance 1. */
export function groupNorm(
  x: Tensor,
  groups: number,
  { gain, bias, eps = 1e-5 }: GroupNormOptions = {},
): Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  if (C % groups !== 0)
    throw new RangeError(`groupNorm: expected channels that ${groups} groups divide, got ${C}`);
  const split = (a: Tensor) => a.reshape([B, H * W, groups, C / groups]);
  const mean = (a: Tensor) => tf.mean(a, [1, 3], true); // [B, 1, groups, 1]
  const composed = () => {
    const parts = split(x);
    const centred = parts.sub(mean(parts));
    const inverse = tf.rsqrt(mean(tf.square(centred)).add(eps));
    return [centred.mul(inverse).reshape(x.shape), inverse];
  };
  const normal = primitive([x], {
    reference: composed,
    onnx: (training) => (training ? composed() : [normalised(x, groups, eps), x]),
    gradient: (dy, _, [y, inverse]) => {
      const [slope, unit] = [split(dy), split(y!)];
      const along = mean(slope.mul(unit));
      const dx = slope.sub(mean(slope)).sub(unit.mul(along)).mul(inverse!);
      return [dx.reshape(x.shape)];
    },
  });
  const scaled = gain ? normal.mul(gain) : normal;
  return bias ? scaled.add(bias) : scaled;
}

/** One InstanceNormalization over [B, groups, pixels], in the layout that convolutions have. */
function normalised(x: Tensor, groups: number, eps: number): Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const flat = x.transpose([0, 3, 1, 2]).reshape([B, groups, (C / groups) * H * W]);
  const [one, zero] = [1, 0].map((value) =>
    graph().constant(new Float32Array(groups).fill(value), [groups], 'float32'),
  );
  const name = graph().node('InstanceNormalization', [nameOf(flat), one!, zero!], {
    epsilon: { float: eps },
  });
  return tensorOf(name, flat.shape, 'float32').reshape([B, C, H, W]).transpose([0, 2, 3, 1]);
}
