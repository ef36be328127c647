/**
 * Checkpoints of a run: `<run>/step-N/{weights,ema,moments}.safetensors` and the pointer `latest`. A
 * checkpoint is written under another name and renamed when whole; the pointer follows, so a crash or a
 * full disk leaves the previous one valid.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import { checkTensors, readSafetensors, writeSafetensors } from '../tensor/safetensors.ts';
import type { UpdateState } from './update.ts';

const PARTS = ['weights', 'ema', 'moments'] as const;
/** Older checkpoints than these are removed. */
const KEPT = 2;

export async function saveCheckpoint(run: string, state: UpdateState): Promise<string> {
  await mkdir(run, { recursive: true });
  const name = `step-${state.step}`;
  const unfinished = join(run, `.${name}.tmp`);
  await rm(unfinished, { recursive: true, force: true });
  try {
    await mkdir(unfinished);
    for (const part of PARTS) {
      await writeSafetensors(join(unfinished, `${part}.safetensors`), state[part], {
        metadata: { step: String(state.step) },
      });
    }
    await rm(join(run, name), { recursive: true, force: true });
    await rename(unfinished, join(run, name));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await replaceFile(join(run, 'latest'), (file) =>
    writeFully(file, new TextEncoder().encode(name)),
  );
  await removeOld(run, name);
  return name;
}

/** The state that `latest` points to, checked against the weights of the model; none for a new run. */
export async function loadCheckpoint(
  run: string,
  expected: UpdateState,
): Promise<UpdateState | undefined> {
  const name = await readFile(join(run, 'latest'), 'utf8').catch(() => undefined);
  if (name === undefined) return undefined;
  const step = Number(/^step-(\d+)$/.exec(name)?.[1]);
  if (!Number.isInteger(step)) {
    throw new Error(
      `${join(run, 'latest')}: expected the name of a checkpoint such as step-100, got '${name}'`,
    );
  }
  const parts = PARTS.map(async (part) => {
    const path = join(run, name, `${part}.safetensors`);
    const { tensors } = await readSafetensors(path);
    checkTensors(tensors, shapesOf(expected[part]), path);
    return tensors;
  });
  const [weights, ema, moments] = await Promise.all(parts);
  return { step, weights: weights!, ema: ema!, moments: moments! };
}

const shapesOf = (tensors: UpdateState['weights']) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));

async function removeOld(run: string, current: string): Promise<void> {
  const steps = (await readdir(run))
    .flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice(5))] : []))
    .sort((a, b) => b - a);
  for (const step of steps.slice(KEPT)) {
    if (`step-${step}` !== current)
      await rm(join(run, `step-${step}`), { recursive: true, force: true });
  }
}
