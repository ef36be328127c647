/** x W^T + b as one Gemm, with PyTorch's layout of weights. */
import { sizeOf } from '../shape.ts';
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/backend.ts';
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
      return bias ? [...grads, tf.sum(dy, 0)] : grads;
    },
  });
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}
