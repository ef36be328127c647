/** How long judging takes, before it begins: from a few drawings of every size at which something is missing. */
import { existsSync } from 'node:fs';
import type { Size } from '../../sampling/noise.ts';
import { readFeatures } from './features.ts';
import { lookAt } from './looks.ts';
import { readerAt } from './reading.ts';
import { type Judges, referenceFiles } from './size-reference.ts';

/** Pictures of a size whose features, and whose numbers, are not kept. */
export type Unjudged = {
  readonly size: Size;
  readonly unread: number;
  readonly unmeasured: number;
};

/** Drawings that the time is found with. */
const PROBED = 4;

/** Of making drawings, and of looking at them and at pictures. `now` in milliseconds. */
export async function judgingSeconds(
  run: Judges & { readonly now: () => number },
  sizes: readonly Unjudged[],
): Promise<number> {
  const { drawings, network, readers, samples, signal, now } = run;
  const timed = async <Value>(body: () => Promise<Value>) => {
    const start = now();
    const value = await body();
    return { value, each: (now() - start) / 1000 / PROBED };
  };
  const sides = new Set<number>();
  let seconds = 0;
  for (const { size, unread, unmeasured } of sizes) {
    const { value: few, each: making } = await timed(() => drawings.few(size, PROBED));
    const side = Math.min(size.width, size.height);
    if (!sides.has(side)) seconds += making * (await drawings.unmade(size));
    sides.add(side);
    if (unmeasured === 0) continue;
    const reader = readerAt(readers, size);
    const conditions = run.conditions.slice(0, PROBED);
    const look = () => lookAt(few, reader, { ...run, conditions });
    await look(); // its programs are compiled
    const { each: looking } = await timed(look);
    const { each: reading } = await timed(() => readFeatures(network, few, signal));
    const files = referenceFiles(run, size);
    const real = existsSync(files.asked) ? 0 : samples;
    const others = existsSync(files.others) ? 0 : drawings.count - samples;
    seconds += looking * (unmeasured + samples) + reading * (unread + real + others);
  }
  return seconds;
}
