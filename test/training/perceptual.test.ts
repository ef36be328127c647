import { expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { createPerceptual } from '../../training/perceptual.ts';
import { expectClose } from '../close.ts';

const SHAPE = [2, 6, 6, 3];
/** Two layers of one place each and of two channels, in closed form: sums of rows of colours. */
const network = {
  weights: { turn: { data: Float32Array.of(1, 0, 0, 1, 1, 0), shape: [3, 2] } },
  forward(weights: Tensors, x: Tensor) {
    const mean = tf.mean(x, [1, 2], true);
    const first = tf.matMul(mean.reshape([-1, 3]), weights.turn!).reshape([-1, 1, 1, 2]);
    return new Map([
      ['first', first],
      ['second', first.mul(5).add(1)],
    ]);
  },
};
const engine = createEngine({ threads: 1 });
const draw = (seed: number) => ({
  data: createRng(seed)
    .normals(2 * 108)
    .map(Math.tanh),
  shape: SHAPE,
});

async function lossOf(a: { data: Float32Array; shape: number[] }, b: typeof a) {
  const loss = createPerceptual({ layers: ['first', 'second'], side: 6 }, network);
  const program = await engine.compile(
    ({ inputs }) => {
      const { value, grad } = tf.valueAndGrad((x) => loss(x, inputs.b!) as tf.Scalar)(inputs.a!);
      return { outputs: { value, grad } };
    },
    { inputs: { a, b } },
  );
  const { value, grad } = await program.run({ a, b });
  await program.dispose();
  return { value: value!.data[0]!, grad: grad!.data as Float32Array };
}

test('is the mean over layers of the squared distance between directions of channels', async () => {
  const [a, b] = [draw(1), draw(2)];
  const features = (x: Float32Array, row: number) => {
    const mean = [0, 1, 2].map((c) => {
      let sum = 0;
      for (let i = 0; i < 36; i++) sum += (x[row * 108 + 3 * i + c]! + 1) / 2;
      return sum / 36;
    });
    const first = [mean[0]! + mean[2]!, mean[1]!];
    return [first, first.map((v) => 5 * v + 1)].map((v) => v.map((one) => one / Math.hypot(...v)));
  };
  let expected = 0;
  for (const row of [0, 1])
    for (const layer of [0, 1]) {
      const [p, q] = [features(a.data, row)[layer]!, features(b.data, row)[layer]!];
      expected += ((p[0]! - q[0]!) ** 2 + (p[1]! - q[1]!) ** 2) / 4;
    }
  const { value } = await lossOf(a, b);
  expectClose([value], [expected], { rtol: 1e-3 }); // a small difference of directions in float32
});

test('is zero between equal pictures, and its gradient is its slope', async () => {
  const [a, b] = [draw(1), draw(2)];
  expect((await lossOf(a, a)).value).toBe(0);
  const { grad } = await lossOf(a, b);
  const along = grad.reduce((sum, v) => sum + v * v, 0) ** 0.5;
  const step = 0.05;
  const moved = (sign: number) => ({
    ...a,
    data: a.data.map((v, i) => v + (sign * step * grad[i]!) / along) as Float32Array,
  });
  const slope = ((await lossOf(moved(1), b)).value - (await lossOf(moved(-1), b)).value) / 2 / step;
  expectClose([slope], [along], { rtol: 2e-2 }); // differences of float32 losses near 1e-2
});
