/**
 * Models of a comparison as people write them: a model, or `name=model+model+model`, trainings of one from other seeds
 * that are compared as one.
 */
import type { ModelEntry } from '../../pipelines/models.ts';
import type { TrainedModel } from './plan.ts';

/** With the entries of all models, by what `find` has under their names. */
export async function findTrained(
  texts: readonly string[],
  find: (name: string) => Promise<ModelEntry>,
): Promise<{ models: TrainedModel[]; entries: ModelEntry[] }> {
  const models: TrainedModel[] = [];
  const entries: ModelEntry[] = [];
  for (const { name, members } of texts.map(readText)) {
    const found: ModelEntry[] = [];
    for (const member of members) found.push(await find(member));
    const trainings = found.map(({ card }) => card);
    models.push({ name: name ?? trainings[0]!.id, trainings });
    entries.push(...found);
  }
  return { models, entries };
}

function readText(text: string): { name?: string; members: string[] } {
  if (!text.includes('=')) return { members: [text] };
  const [, name, given = ''] = /^([a-z0-9][a-z0-9._-]*)=(.+)$/.exec(text) ?? [];
  const members = given.split('+').map((member) => member.trim());
  if (name === undefined || members.includes(''))
    throw new RangeError(
      `models: expected a model or trainings of one, such as 'rope=rope-1+rope-2', got '${text}'`,
    );
  return { name, members };
}
