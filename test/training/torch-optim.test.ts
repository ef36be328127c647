/** Training steps against PyTorch's AdamW, gradient clipping and a moving average (timm_torch/torch_optim). */
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { tf } from '../../tensor/tf.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { createUpdate, type Loss } from '../../training/update.ts';
import { expectFixture, loadFixture, tensorOf } from '../fixtures.ts';

const fixture = loadFixture('timm_torch', 'torch_optim');
const steps = fixture.json.config.steps as number;
const size = tensorOf(fixture, 'in/p0').length;
/** The loss whose gradient is the batch itself. */
const loss: Loss = ({ weights, inputs }) => tf.sum(weights.p!.mul(inputs.g!));
const batch = (k: number): HostTensors => ({
  g: { data: tensorOf(fixture, 'in/g').slice(k * size, (k + 1) * size), shape: [size] },
});
const weights = { p: { data: tensorOf(fixture, 'in/p0'), shape: [size] } };
const inputs = { g: { shape: [size] } };

for (const name of ['onnx', 'reference'] as const) {
  describe(name, () => {
    const engine = createEngine({ name });
    afterAll(() => expect(engine.open).toBe(0));

    it('AdamW and the moving average follow PyTorch for all steps', async () => {
      const optimiser = adamW({ rate: 0.01, betas: [0.9, 0.95], decay: 0.05 });
      const options = { engine, inputs, weights, ema: () => 0.9 };
      const update = await createUpdate(loss, optimiser, options);
      for (let k = 0; k < steps; k++) {
        await update.step([batch(k)]);
        expectFixture(update.state().weights.p!.data, fixture, `out/adamw/${k}`);
        expectFixture(update.state().ema.p!.data, fixture, `out/ema_${k}`);
      }
      await update.dispose();
      expect(weights.p.data).toEqual(tensorOf(fixture, 'in/p0')); // the caller's stay as they were
    });

    it('clips the gradient to a global norm', async () => {
      const seen: Float32Array[] = [];
      const recorder: Optimiser = {
        moments: () => ({}),
        async update(_, gradients, __, { gradientScale }) {
          seen.push((gradients.p!.data as Float32Array).map((g) => g * gradientScale));
        },
      };
      const update = await createUpdate(loss, recorder, { engine, inputs, weights, clip: 1 });
      // The fixture's norm shows that it clipped five times in/g[0].
      const five = {
        g: { data: (batch(0).g!.data as Float32Array).map((g) => 5 * g), shape: [size] },
      };
      const { norm } = await update.step([five]);
      await update.dispose();
      expectFixture([norm], fixture, 'out/clip_norm');
      expectFixture(seen[0]!, fixture, 'out/clip');
    });

    it('takes the mean over accumulated batches', async () => {
      const run = async (batches: HostTensors[], rate: number) => {
        const update = await createUpdate(loss, adamW({ rate, eps: 1 }), {
          engine,
          inputs,
          weights,
        });
        await update.step(batches);
        const found = update.state().weights.p!.data.slice();
        await update.dispose();
        return found;
      };
      const [a, b] = [batch(0).g!.data, batch(1).g!.data];
      const mean = { g: { data: Float32Array.from(a, (x, i) => (x + b[i]!) / 2), shape: [size] } };
      const together = await run([batch(0), batch(1)], 0.1);
      const once = await run([mean], 0.1);
      for (const [i, value] of together.entries()) expect(value).toBeCloseTo(once[i]!, 6);
    });
  });
}
