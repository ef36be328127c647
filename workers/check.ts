/** Checks what a training or an evaluation is asked to do, before it is taken in. */
import type { JobInput } from '../jobs/job.ts';
import { checkEvaluation } from './evaluate.ts';
import { checkNewName, type Places, resolveTraining } from './train.ts';

export async function checkJob(input: JobInput, places: Places): Promise<void> {
  if (input.kind === 'evaluate') await checkEvaluation(input, places);
  if (input.kind === 'train') checkNewName((await resolveTraining(input, places)).training, places);
}
