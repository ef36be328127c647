/** Cross entropy of classes under the softmax of logits, without ever keeping log probabilities. */
import { type Tensor, tf } from '../tf.ts';
import { primitive } from './primitive.ts';

/** logits [.., V], classes [..] int32 -> -log p(class) [..]. */
export function crossEntropy(logits: Tensor, classes: Tensor): Tensor {
  const size = logits.shape.at(-1)!;
  const hot = () => tf.oneHot(classes.toInt(), size, 1, 0, 'float32');
  const composed = () => {
    const largest = tf.max(logits, -1, true);
    const total = tf.sum(tf.exp(logits.sub(largest)), -1);
    const said = tf.sum(logits.mul(hot()), -1);
    return [tf.log(total).add(largest.reshape(total.shape)).sub(said)];
  };
  return primitive([logits], {
    reference: composed,
    onnx: composed,
    gradient: (dy, [x]) => [tf.softmax(x!).sub(hot()).mul(tf.expandDims(dy, -1))],
  });
}
