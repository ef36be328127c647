/** What runs of every kind look at on the way: the loss on held-out batches, always the same, and sheets. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contactSheet, encodePng, type Picture } from '../png.ts';
import { type Engine, type HostTensors, type Spec, specsOf } from '../tensor/program.ts';
import { createPrograms } from './programs.ts';
import type { Loss } from './update.ts';

/** Pictures on a sheet of samples. */
export const SHEET = 24;
/** Held-out batches that a loss is a mean of, at most. */
const MOST_BATCHES = 4;

/** As many as the held-out pictures fill, at least one. */
export const heldOutBatches = (pictures: number, batch: number): number =>
  Math.max(1, Math.min(MOST_BATCHES, Math.floor(pictures / batch)));

export type HeldOutOptions = {
  readonly engine: Engine;
  readonly loss: Loss;
  /** Of the first batch; others may have other shapes. */
  readonly inputs: Readonly<Record<string, Spec>>;
  /** For their shapes; the values are given at every call. */
  readonly weights: HostTensors;
  readonly batches: (index: number) => HostTensors;
  readonly count: number;
};

/** The mean loss of the first `count` batches, without updates. */
export async function createHeldOutLoss(options: HeldOutOptions) {
  const { engine, loss, inputs, weights, batches, count } = options;
  const programs = createPrograms((shapes) =>
    engine.compile(
      ({ weights: w, inputs: given }) => ({
        outputs: { loss: loss({ weights: w, inputs: given }) },
      }),
      { inputs: shapes, weights },
      { name: 'held-out loss', weights: 'live' },
    ),
  );
  await programs.of(inputs);
  return {
    async heldOut(ema: HostTensors) {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const batch = batches(i);
        const program = await programs.of(specsOf(batch));
        total += (await program.run(batch, { weights: ema })).loss!.data[0]!;
      }
      return { heldOutLoss: total / count };
    },
    dispose: () => programs.dispose(),
  };
}

export async function saveSheet(
  folder: string,
  step: number,
  pictures: readonly Picture[],
  columns = 6,
): Promise<void> {
  const sheet = await contactSheet(pictures, { columns });
  await writeFile(join(folder, 'sheets', `step-${step}.png`), await encodePng(sheet));
}
