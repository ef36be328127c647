/** x W^T + b as one Gemm, with PyTorch's layout of weights. */
import { sizeOf } from '../shape.ts';
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/recording.ts';
import { primitive } from './primitive.ts';

/** x [..., I], weight [O, I], bias [O] -> [..., O]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, width] = weight.shape as [number, number];
  const rows = sizeOf(x.shape) / width;
  const flat = x.reshape([rows, width]);
  const inputs = bias ? [flat, weight, bias] : [flat, weight];
  const y = primitive(inputs, {
    reference: () => {
      const product = tf.matMul(flat, weight, false, true);
      return [bias ? product.add(bias) : product];
    },
    onnx: () => {
      const name = graph().node('Gemm', inputs.map(nameOf), { transB: 1 });
      return [tensorOf(name, [rows, outputs], 'float32')];
    },
    gradient: (dy, [a, w]) => {
      const grads = [tf.matMul(dy, w!), tf.matMul(dy, a!, true, false)];
      return bias ? [...grads, columnSums(dy)] : grads;
    },
  });
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}

/**
 * One linear layer whose weight holds several one above the other (qkv, the halves of SwiGLU): each
 * part's output is a product of its own, which is cheaper than splitting one large output.
 */
export function linearParts(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  parts: number,
): Tensor[] {
  const rows = weight.shape[0]! / parts;
  const width = weight.shape[1]!;
  return Array.from({ length: parts }, (_, i) =>
    linear(
      x,
      tf.slice(weight, [i * rows, 0], [rows, width]),
      bias ? tf.slice(bias, [i * rows], [rows]) : undefined,
    ),
  );
}

/** Sums over rows as a product with ones, which ONNX Runtime does several times faster than ReduceSum. */
function columnSums(x: Tensor): Tensor {
  return tf.matMul(tf.ones([1, x.shape[0]!]), x).reshape([x.shape[1]!]);
}
