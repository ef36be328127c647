/** Noise with learned variance, from batches to sheets of samples. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import type { StepProgress } from '../../training/loop.ts';
import { train } from '../../training/run.ts';
import { shapes, tinyConfig } from './tiny.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-variance-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const engine = createEngine({ threads: 1 });
const configured = (objective: { prediction: string; schedule: string }) => {
  const { model } = tinyConfig();
  return tinyConfig({
    model: { ...model, config: { ...model.config, variance: true } },
    objective,
    time: 'uniform',
    steps: 30,
    sampling: { solver: 'ddpm', steps: 4, guidance: 2, shift: 1 },
    every: { checkpoint: 30, heldOut: 30, sheet: 30 },
  });
};
const options = { engine, data: shapes(40), heldOut: shapes(16, 9) };

test('is trained and sampled', async () => {
  const seen: StepProgress[] = [];
  const { update } = await train(configured({ prediction: 'noise', schedule: 'linear' }), {
    ...options,
    folder: join(folder, 'run'),
    onStep: (progress) => seen.push(progress),
  });
  await update.dispose();
  const mean = (part: StepProgress[]) =>
    part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
  expect(mean(seen.slice(-5))).toBeLessThan(0.9 * mean(seen.slice(0, 5)));
  expect(Number.isFinite(seen.at(-1)!.heldOutLoss)).toBe(true);
});

test('other objectives are refused with a sentence', async () => {
  const config = configured({ prediction: 'clean', schedule: 'flow' });
  await expect(train(config, { ...options, folder: join(folder, 'refused') })).rejects.toThrow(
    /^objective\.prediction: expected 'noise' for a network that learns variances/,
  );
});
