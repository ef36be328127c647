/** GELU (Hendrycks and Gimpel 2016), exact (erf) and by the tanh approximation, and SiLU. */
import { type Tensor, tf } from '../tf.ts';
import { emit } from '../trace/recording.ts';
import { primitive } from './primitive.ts';

const CUBIC = 0.044715;
const ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);

const contrib = (op: string, x: Tensor, attributes = {}): Tensor =>
  tf
    .engine()
    .makeTensorFromTensorInfo(emit(op, [x], x.shape, 'float32', attributes, 'com.microsoft'));

/** x Phi(x), Phi the normal distribution function. */
export function gelu(x: Tensor): Tensor {
  const half = (a: Tensor) => tf.erf(a.mul(Math.SQRT1_2)).add(1).mul(0.5);
  return primitive([x], {
    reference: () => [x.mul(half(x))],
    onnx: () => [contrib('Gelu', x)],
    gradient: (dy, [a]) => {
      const density = tf.exp(tf.square(a!).mul(-0.5)).mul(1 / Math.sqrt(2 * Math.PI));
      return [dy.mul(half(a!).add(a!.mul(density)))];
    },
  });
}

/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
export function geluTanh(x: Tensor): Tensor {
  const bend = (a: Tensor) =>
    tf.tanh(
      tf
        .square(a)
        .mul(ROOT_2_OVER_PI * CUBIC)
        .add(ROOT_2_OVER_PI)
        .mul(a),
    );
  return primitive([x], {
    reference: () => [x.mul(0.5).mul(bend(x).add(1))],
    onnx: () => [contrib('FastGelu', x)],
    gradient: (dy, [a]) => {
      const th = bend(a!);
      const slope = tf
        .square(a!)
        .mul(3 * ROOT_2_OVER_PI * CUBIC)
        .add(ROOT_2_OVER_PI);
      const rise = tf.square(th).neg().add(1).mul(slope).mul(a!);
      return [dy.mul(0.5).mul(th.add(1).add(rise))];
    },
  });
}

/** x sigmoid(x). */
export function silu(x: Tensor): Tensor {
  return primitive([x], {
    reference: () => [x.mul(tf.sigmoid(x))],
    onnx: () => [contrib('QuickGelu', x, { alpha: { float: 1 } })],
    gradient: (dy, [a], [y]) => {
      const gate = tf.sigmoid(a!);
      return [dy.mul(gate.add(y!).sub(y!.mul(gate)))];
    },
  });
}

/** SwiGLU (Shazeer 2020): silu(gate) times value. */
export const swiglu = (gate: Tensor, value: Tensor): Tensor => silu(gate).mul(value);
