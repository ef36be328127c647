/** A small diffusion transformer with everything that the shipped model has, for comparing engines. */
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { placedConstants } from '../../generators/compile.ts';
import { forwardDiT } from '../../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig } from '../../generators/dit-config.ts';
import { initDiT } from '../../generators/dit-weights.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { weightedError } from '../../training/objective.ts';
import type { Loss } from '../../training/update.ts';

const rng = createRng(7);
/** RMS norm, SwiGLU, qk-norm, context tokens; rotary positions. */
const CONFIG: DiTConfig = {
  ...DIT_PRESETS.avatars,
  width: 64,
  depth: 2,
  heads: 2,
  hidden: 96,
  patch: 4,
  condition: { words: 9 },
};
const GRID = raster(4, 4);
const BATCH = 3;
const POSITIONS = composePositions(
  { rotate: 'axial' },
  { width: CONFIG.width, heads: CONFIG.heads, trained: GRID },
);

const normals = (name: string, shape: number[]): HostTensor => ({
  data: rng.stream(name).normals(sizeOf(shape)),
  shape,
});

/** New weights, with the zeros that would hide most of the network replaced by small numbers. */
export function weightsOfDiT(): HostTensors {
  const initial = { ...initDiT(CONFIG, rng.stream('weights')), ...POSITIONS.init(rng) };
  return Object.fromEntries(
    Object.entries(initial).map(([name, { data, shape }]) => {
      const noise = rng.stream(`noise/${name}`).normals(data.length);
      return [name, { data: Float32Array.from(data, (v, i) => v + 0.05 * noise[i]!), shape }];
    }),
  );
}

export function batchOf(name: string): HostTensors {
  const condition = normals(`${name}/condition`, [BATCH, 9]);
  const t = rng.stream(`${name}/t`);
  return {
    x: normals(`${name}/x`, [BATCH, 16, 16, 3]),
    target: normals(`${name}/target`, [BATCH, 16, 16, 3]),
    t: { data: Float32Array.from({ length: BATCH }, () => t.uniform()), shape: [BATCH] },
    condition: { data: condition.data.map((v) => (v > 0 ? 1 : 0)), shape: condition.shape },
    weight: { data: new Float32Array(BATCH).fill(1), shape: [BATCH] },
  };
}
export const SPECS = Object.fromEntries(
  Object.entries(batchOf('specs')).map(([name, { shape }]) => [name, { shape }]),
);

const predict = (weights: Tensors, { x, t, condition }: Tensors): Tensor =>
  forwardDiT(CONFIG, POSITIONS, weights, {
    x: x!,
    t: t!,
    condition: condition!,
    placed: placedConstants(POSITIONS.place(GRID, 'sample')),
    grid: GRID,
  });
export const loss: Loss = ({ weights, inputs }) =>
  weightedError(predict(weights, inputs), inputs.target!, inputs.weight!);

/** The prediction, and the gradient of the loss by every weight under the weight's name. */
export async function evaluate(engine: Engine): Promise<Record<string, HostTensor>> {
  const weights = weightsOfDiT();
  const names = Object.keys(weights);
  const program = await engine.compile(
    ({ inputs, weights: w }) => {
      const gradients = tf.grads((...values) =>
        loss({ weights: Object.fromEntries(names.map((n, i) => [n, values[i]!])), inputs }),
      )(names.map((name) => w[name]!));
      const byName = Object.fromEntries(names.map((name, i) => [name, gradients[i]!]));
      return { outputs: { prediction: predict(w, inputs), ...byName } };
    },
    { inputs: SPECS, weights },
    { weights: 'live' },
  );
  const out = await program.run(batchOf('batch'), { weights });
  await program.dispose();
  return out;
}
