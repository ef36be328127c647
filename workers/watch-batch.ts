/** What those whose pictures are in a batch are told: steps, previews, and each picture's file. */
import { setImmediate } from 'node:timers/promises';
import type { Progress } from '../jobs/job.ts';
import type { DrawProgress } from '../pipelines/diffusion.ts';
import { fileOf } from '../pipelines/render.ts';
import { encodePreview, type Picture } from '../png.ts';
import type { Slot, Work } from './line.ts';
import type { Made } from './processor.ts';

/** Milliseconds between previews. */
const PREVIEW_EVERY = 300;

/** Tells of each step, then lets messages in, so that a request can be cancelled. */
export function watchBatch(slots: readonly Slot[], now: () => number) {
  let shown = now();
  return async ({ step, steps, preview }: DrawProgress): Promise<void> => {
    for (const work of new Set(slots.map((slot) => slot.work))) {
      const inBatch = slots.filter((slot) => slot.work === work).length;
      work.began ??= shown;
      if (!work.ended) work.task.onStep?.(progressOf(work, { step, steps, inBatch, now: now() }));
    }
    if (step < steps && now() - shown > PREVIEW_EVERY) {
      shown = now();
      await showPreviews(slots, preview());
    }
    await setImmediate();
  };
}

function progressOf(
  { task, total, made, began }: Work,
  { step, steps, inBatch, now }: { step: number; steps: number; inBatch: number; now: number },
): Progress {
  const existing = task.existing?.size ?? 0;
  const drawn = made * steps + inBatch * step;
  const left = total * steps - drawn;
  const eta = drawn > 0 ? { eta: ((now - began!) / 1000 / drawn) * left } : {};
  return {
    ...{ step: existing * steps + drawn, steps: (existing + total) * steps },
    ...{ ...eta, done: existing + made },
  };
}

async function showPreviews(slots: readonly Slot[], pictures: readonly Picture[]): Promise<void> {
  const shown = pictures.map(async (picture, i) => {
    const { work, index } = slots[i]!;
    if (!work.task.onPreview || work.ended) return;
    const png = await encodePreview(picture);
    if (!work.ended) work.task.onPreview(index, png);
  });
  await Promise.all(shown);
}

/**
 * Finished pictures of a batch, in its order; each is handed over without waiting for those before it to be kept. A
 * request ends with its last one.
 */
export async function handOver(
  slots: readonly Slot[],
  pictures: readonly Picture[],
): Promise<void> {
  const files = await Promise.all(
    slots.map(async ({ work, index }, i) => {
      const recipe = work.plan.recipeOf(index);
      return { index, png: await fileOf({ picture: pictures[i]!, recipe }), recipe };
    }),
  );
  await Promise.all(slots.map(({ work }, i) => keep(work, files[i]!)));
}

async function keep(work: Work, made: Made): Promise<void> {
  if (work.ended) return;
  try {
    await work.task.onPicture(made);
    work.made++;
    if (work.made === work.total) work.end();
  } catch (error) {
    work.end(error);
  }
}
