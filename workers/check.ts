/** Checks what a training or an evaluation is asked to do, before it is taken in. */
import type { JobInput } from '../jobs/job.ts';

export type Places = { readonly folders: readonly string[]; readonly data: string };

export async function checkJob(input: JobInput, _places: Places): Promise<void> {
  if (input.kind === 'train' || input.kind === 'evaluate')
    throw new TypeError(`${input.kind}: not yet`);
}
