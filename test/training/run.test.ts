import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import type { TrainingConfig } from '../../training/config.ts';
import type { StepProgress } from '../../training/loop.ts';
import { trainedBy } from '../../training/metrics.ts';
import { train } from '../../training/run.ts';
import { shapes, tinyConfig } from './tiny.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-run-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runTo(config: TrainingConfig, where: string, stopAfter = Number.POSITIVE_INFINITY) {
  const engine = createEngine({ threads: 1 });
  const stop = new AbortController();
  const seen: StepProgress[] = [];
  const trained = await train(config, {
    engine,
    data: shapes(40),
    heldOut: shapes(16, 9),
    folder: where,
    signal: stop.signal,
    onStep: (progress) => {
      seen.push(progress);
      if (progress.step === stopAfter) stop.abort();
    },
  });
  await trained.update.dispose();
  expect(engine.open).toBe(0);
  return { trained, seen };
}

async function stateOf(run: string) {
  const latest = await readFile(join(run, 'latest'), 'utf8');
  const parts = ['weights', 'ema', 'moments'].map(async (part) => {
    const { tensors } = await readSafetensors(join(run, latest, `${part}.safetensors`));
    return [part, tensors] as const;
  });
  return { latest, ...Object.fromEntries(await Promise.all(parts)) };
}

describe('a training run', () => {
  test('stopped and continued is the same run, bit for bit', async () => {
    const config = tinyConfig();
    const whole = await runTo(config, join(folder, 'whole'));
    expect(whole.trained.finished).toBe(true);

    const first = await runTo(config, join(folder, 'parts'), 5);
    expect(first.trained.finished).toBe(false);
    const second = await runTo(config, join(folder, 'parts'));
    expect(second.seen[0]?.step).toBe(6);

    expect(await stateOf(join(folder, 'parts'))).toEqual(await stateOf(join(folder, 'whole')));
    const lossesOf = (steps: readonly StepProgress[]) =>
      steps.map(({ step, loss, norm }) => ({ step, loss, norm }));
    expect(lossesOf([...first.seen, ...second.seen])).toEqual(lossesOf(whole.seen));
  });

  test('another seed is another run', async () => {
    await runTo(tinyConfig(), join(folder, 'a'));
    await runTo(tinyConfig({ seed: 4 }), join(folder, 'b'));
    expect(await stateOf(join(folder, 'a'))).not.toEqual(await stateOf(join(folder, 'b')));
  });

  test('killed without warning continues from its last checkpoint, bit for bit', async () => {
    const config = tinyConfig();
    await runTo(config, join(folder, 'whole'));
    const killed = join(folder, 'killed');
    const child = fork(new URL('./killed.ts', import.meta.url), [killed], {
      execArgv: ['--import', 'tsx'],
      stdio: 'ignore',
    });
    await once(child, 'message'); // sent after step 7: checkpoint 4 is saved, 5 to 7 are lost
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await stateOf(killed)).latest).toBe('step-4');

    const { seen } = await runTo(config, killed);
    expect(seen[0]?.step).toBe(5);
    expect(await stateOf(killed)).toEqual(await stateOf(join(folder, 'whole')));
    const lines = (await readFile(join(killed, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as StepProgress).step)).toEqual(
      Array.from({ length: config.steps }, (_, i) => i + 1),
    );
    const { training } = await trainedBy(killed, `step-${config.steps}`);
    expect(training?.pictures).toBe(config.steps * config.batch * config.accumulate);
    expect(training?.hours).toBeGreaterThan(0);
  });

  test('a checkpoint that is half written is never the latest', async () => {
    const run = join(folder, 'run');
    await runTo(tinyConfig({ steps: 4 }), run);
    await writeFile(join(run, '.step-8.tmp'), 'rubbish');
    const { seen } = await runTo(tinyConfig({ steps: 6 }), run);
    expect(seen[0]?.step).toBe(5);
    expect((await readdir(run)).filter((name) => name.startsWith('.'))).toEqual(['.step-8.tmp']);
  });

  test('a checkpoint of another network is refused naming tensor and both shapes', async () => {
    const run = join(folder, 'run');
    await runTo(tinyConfig({ steps: 4 }), run);
    const wider = tinyConfig({
      model: { ...tinyConfig().model, config: { ...tinyConfig().model.config, hidden: 96 } },
    });
    await expect(runTo(wider, run)).rejects.toThrow(/expected shape \[192, 32\], got \[128, 32\]/);
  });

  test('learns: the held-out loss falls', async () => {
    const config = tinyConfig({
      steps: 60,
      batch: 16,
      every: { checkpoint: 60, heldOut: 6, sheet: 60 },
    });
    const { seen } = await runTo(config, join(folder, 'run'));
    const losses = seen.flatMap(({ heldOutLoss }) =>
      heldOutLoss === undefined ? [] : [heldOutLoss],
    );
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect((await stat(join(folder, 'run', 'sheets', 'step-60.png'))).size).toBeGreaterThan(500);
  });

  test('a loss that is not finite stops with step and batch', async () => {
    const config = tinyConfig({ optimiser: { adamw: { rate: 1e18 } }, warmup: 0, steps: 30 });
    await expect(runTo(config, join(folder, 'run'))).rejects.toThrow(/finite .* at step \d+/);
  });
});
