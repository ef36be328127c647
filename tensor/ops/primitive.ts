/**
 * Fused primitives: one operation with a reference composition in plain tfjs ops, a gradient, and a
 * compact ONNX form. On an eager engine the composition runs; in a trace the ONNX form is recorded.
 */
import { type Tensor, tf } from '../tf.ts';
import { isTracing } from '../trace/recording.ts';

export type Primitive = {
  /** The definition, in plain tfjs ops: the result, then what the gradient wants kept. */
  readonly reference: () => Tensor[];
  /** Records the compact form in the running trace; `training` when a gradient will be asked for. */
  readonly onnx: (training: boolean) => Tensor[];
  /** Gradients of the inputs, in their order. `kept` starts with the result. */
  readonly gradient: (dy: Tensor, inputs: Tensor[], kept: Tensor[]) => Tensor[];
};

/** Runs a primitive on `inputs`, the tensors that its gradient flows to. */
export function primitive(inputs: readonly Tensor[], form: Primitive): Tensor {
  const training = tf.engine().state.gradientDepth > 0;
  const run = tf.customGrad((...args) => {
    const save = args.at(-1) as unknown as tf.GradSaveFunc; // tfjs passes it after the tensors
    const kept = isTracing() ? form.onnx(training) : form.reference();
    save([...inputs, ...kept]);
    return {
      value: kept[0]!,
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        form.gradient(dy, saved.slice(0, inputs.length), saved.slice(inputs.length)),
    };
  });
  return run(...inputs);
}
