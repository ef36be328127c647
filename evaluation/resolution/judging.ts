/** How long judging takes, before it begins: from a few drawings of every size at which something is missing. */
import { existsSync } from 'node:fs';
import type { Size } from '../../sampling/noise.ts';
import type { TrainingIndex } from '../memorisation.ts';
import { readFeatures } from './features.ts';
import { lookAt } from './looks.ts';
import { readerAt } from './reading.ts';
import { type Judges, referenceFiles } from './size-reference.ts';

/** Pictures of a size whose features, and whose numbers, are not kept. */
export type Unjudged = {
  readonly size: Size;
  readonly unread: number;
  readonly unmeasured: number;
  /** Pictures of held-out combinations that are to be read. */
  readonly heldOut: number;
};

/** Drawings that the time is found with. */
const PROBED = 4;

/** Of making drawings, and of looking at them and at pictures, with the first of the training sets. `now` in milliseconds. */
export async function judgingSeconds(
  run: Judges & { readonly now: () => number; readonly training?: readonly TrainingIndex[] },
  sizes: readonly Unjudged[],
): Promise<number> {
  const { drawings, network, readers, samples, heldOut: asked, signal, now } = run;
  const [training] = run.training ?? [];
  const timed = async <Value>(body: () => Promise<Value>) => {
    const start = now();
    const value = await body();
    return { value, each: (now() - start) / 1000 / PROBED };
  };
  const sides = new Set<number>();
  let seconds = 0;
  for (const { size, unread, unmeasured, heldOut } of sizes) {
    const { value: few, each: making } = await timed(() => drawings.few(size, PROBED));
    const side = Math.min(size.width, size.height);
    const unmade = async () =>
      (await drawings.unmade(size)) + ((await asked?.drawings.unmade(size)) ?? 0);
    if (!sides.has(side)) seconds += making * (await unmade());
    sides.add(side);
    if (unmeasured === 0) continue;
    const reader = readerAt(readers, size);
    const conditions = run.conditions.slice(0, PROBED);
    const look = async () => {
      const looks = await lookAt(few, reader, { ...run, conditions });
      if (training) looks.distances(training);
    };
    await look(); // its programs are compiled, training drawings are looked through
    const { each: looking } = await timed(look);
    const { each: finding } = await timed(() => reader.read(few));
    const { each: reading } = await timed(() => readFeatures(network, few, signal));
    const files = referenceFiles(run, size);
    const real = existsSync(files.asked) ? 0 : samples;
    const others = existsSync(files.others) ? 0 : drawings.count - samples;
    seconds += finding * (heldOut + (asked?.conditions.length ?? 0));
    seconds += looking * (unmeasured + samples) + reading * (unread + real + others);
  }
  return seconds;
}
