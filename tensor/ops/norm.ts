/**
 * Layer norm (Ba et al. 2016) and RMS norm (Zhang and Sennrich 2019) over the last axis. Gains are
 * applied by the caller's multiplication, because adaLN replaces them by per-picture ones.
 */
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/recording.ts';
import { primitive } from './primitive.ts';

const meanOf = (x: Tensor): Tensor => tf.mean(x, -1, true);

/** (x - mean) / sqrt(var + eps) over the last axis, optionally times `gain` plus `bias` [C]. */
export function layerNorm(x: Tensor, eps = 1e-6, gain?: Tensor, bias?: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  const y = primitive([x], {
    reference: () => {
      const centred = x.sub(meanOf(x));
      const inverse = tf.rsqrt(meanOf(tf.square(centred)).add(eps));
      return [centred.mul(inverse), inverse];
    },
    onnx: () => {
      const ones = graph().constant(new Float32Array(width).fill(1), [width], 'float32');
      const names = graph().nodeWith(3, 'LayerNormalization', [nameOf(x), ones], {
        axis: -1,
        epsilon: { float: eps },
      });
      const kept = [...x.shape.slice(0, -1), 1];
      return [tensorOf(names[0]!, x.shape, 'float32'), tensorOf(names[2]!, kept, 'float32')];
    },
    gradient: (dy, _, [normal, inverse]) => {
      const along = meanOf(dy.mul(normal!));
      return [dy.sub(meanOf(dy)).sub(normal!.mul(along)).mul(inverse!)];
    },
  });
  return affine(y, gain, bias);
}

/** x / sqrt(mean(x^2) + eps) over the last axis, optionally times `gain` [C]. */
export function rmsNorm(x: Tensor, eps = 1e-6, gain?: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  const y = primitive([x], {
    reference: () => {
      const inverse = tf.rsqrt(meanOf(tf.square(x)).add(eps));
      return [x.mul(inverse), inverse];
    },
    onnx: () => {
      const ones = graph().constant(new Float32Array(width).fill(1), [width], 'float32');
      const names = graph().nodeWith(2, 'SimplifiedLayerNormalization', [nameOf(x), ones], {
        axis: -1,
        epsilon: { float: eps },
        stash_type: 1,
      });
      const kept = [...x.shape.slice(0, -1), 1];
      return [tensorOf(names[0]!, x.shape, 'float32'), tensorOf(names[1]!, kept, 'float32')];
    },
    gradient: (dy, _, [normal, inverse]) => {
      const along = meanOf(dy.mul(normal!));
      return [dy.sub(normal!.mul(along)).mul(inverse!)];
    },
  });
  return affine(y, gain);
}

function affine(y: Tensor, gain?: Tensor, bias?: Tensor): Tensor {
  const scaled = gain ? y.mul(gain) : y;
  return bias ? scaled.add(bias) : scaled;
}
