/**
 * The steps of a run, whatever it trains: a folder with its configuration, metrics (one JSON line a
 * step), sheets of samples and checkpoints. Everything random depends on the seed and the step alone, so
 * a run that was stopped continues bit for bit.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostTensors } from '../tensor/program.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { rateAt, type TrainingConfig } from './config.ts';
import { readMetrics, type StepMetrics } from './metrics.ts';
import type { Update } from './update.ts';

export type StepProgress = StepMetrics & { readonly steps: number };

type HeldOut = { readonly heldOutLoss: number };

/** What is looked at on the way, under the moving average of the weights. */
export type Watch<Seen extends HeldOut = HeldOut> = {
  /** The loss on held-out pictures, always the same ones, and what else is to be kept of them. */
  heldOut(ema: HostTensors): Promise<Seen>;
  sheet(ema: HostTensors, step: number): Promise<void>;
  dispose(): Promise<void>;
};

export type LoopOptions<Seen extends HeldOut> = {
  /** The run's folder. */
  readonly folder: string;
  readonly update: Update;
  /** Batch n of the run, `accumulate` a step. */
  readonly batches: (n: number) => HostTensors;
  readonly watch: Watch<Seen>;
  /** Pictures of a batch. Default: every tensor has a row a picture. */
  readonly picturesOf?: (batch: HostTensors) => number;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((progress: StepProgress & Partial<Seen>) => void) | undefined;
};
type LoopConfig = Pick<TrainingConfig, 'accumulate' | 'every' | 'steps' | 'warmup' | 'rate'>;

/** Goes on from the newest checkpoint to the last step; false when the signal stopped it early. */
export async function runSteps<Seen extends HeldOut>(
  config: LoopConfig,
  options: LoopOptions<Seen>,
): Promise<boolean> {
  const { folder, update, batches, watch, signal, onStep, picturesOf = rowsOf } = options;
  const saved = await loadCheckpoint(folder, update.state());
  if (saved) update.restore(saved);
  await openMetrics(folder, config, saved?.step ?? 0);

  let finished = true;
  const { accumulate, every, steps } = config;
  for (let step = update.state().step + 1; step <= steps; step++) {
    if (signal?.aborted) {
      finished = false;
      break;
    }
    const start = performance.now();
    const parts = Array.from({ length: accumulate }, (_, i) =>
      batches((step - 1) * accumulate + i),
    );
    const rate = rateAt(config, step);
    const { loss, norm } = await update.step(parts, rate);
    const pictures = parts.reduce((sum, part) => sum + picturesOf(part), 0);
    const picturesPerSecond = (1000 * pictures) / (performance.now() - start);
    const { ema } = update.state();
    const due = (interval: number) => step === steps || step % interval === 0;
    const unseen: Partial<Seen> = due(every.heldOut) ? await watch.heldOut(ema) : {};
    if (due(every.sheet)) await watch.sheet(ema, step);
    const line = { step, loss, norm, rate, pictures, picturesPerSecond, ...unseen };
    await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(line)}\n`);
    // After its line, so that every step of a checkpoint has one.
    if (due(every.checkpoint)) await saveCheckpoint(folder, update.state());
    onStep?.({ ...line, steps });
  }
  if (!finished) await saveCheckpoint(folder, update.state());
  await watch.dispose();
  return finished;
}

const rowsOf = (batch: HostTensors): number => Object.values(batch)[0]!.shape[0]!;

/** Lines after the checkpoint belong to steps that are made again. */
async function openMetrics(folder: string, config: unknown, step: number): Promise<void> {
  await mkdir(join(folder, 'sheets'), { recursive: true });
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const path = join(folder, 'metrics.jsonl');
  const lines = readMetrics(await readFile(path, 'utf8').catch(() => ''));
  const kept = lines.filter((line) => line.step <= step);
  await writeFile(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
