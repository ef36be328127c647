/** The pictures of a batch, in the order of its requests: as files of an archive, and by cell of a grid. */
import type { Job } from '../jobs/job.ts';
import { type Jobs, NotFound } from '../jobs/jobs.ts';
import { decodePicture, type Picture } from '../png.ts';
import { VERSION } from '../version.ts';
import { placeOf } from './grid.ts';
import { filesOf, type PictureFile } from './picture-files.ts';
import type { ZipFile } from './zip.ts';

export type Batch = Job & { readonly input: Extract<Job['input'], { kind: 'batch' }> };
const PAGE = 500;

export async function findBatch(jobs: Jobs, id: string): Promise<Batch> {
  const job = await jobs.get(id);
  if (job?.input.kind !== 'batch')
    throw new NotFound(`batches: expected the id of a batch, got '${id}'`);
  return job as Batch;
}

/** The render job of each request, by its place in the batch. */
async function jobsOf(jobs: Jobs, batch: string): Promise<Map<number, Job>> {
  const found = new Map<number, Job>();
  let after: string | undefined;
  do {
    const page = await jobs.list({ parent: batch, limit: PAGE, ...(after && { after }) });
    for (const job of page.items) found.set(job.index ?? 0, job);
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** What is known of a picture before its file is read; few bytes, since there may be thousands. */
export type Entry = {
  readonly id: string;
  readonly bytes: number;
  readonly request: number;
  readonly index: number;
};

export async function picturesOf(jobs: Jobs, { id }: Batch): Promise<Entry[]> {
  const places = new Map([...(await jobsOf(jobs, id))].map(([place, job]) => [job.id, place]));
  const entries: Entry[] = [];
  let after: string | undefined;
  do {
    const page = await jobs.pictures.list({ job: id, limit: PAGE, ...(after && { after }) });
    for (const { id, job, index, bytes } of page.items)
      entries.push({ id, bytes, index, request: places.get(job) ?? 0 });
    after = page.next;
  } while (after !== undefined);
  return entries.sort((a, b) => a.request - b.request || a.index - b.index);
}

/** `<request>-<picture>.png` and so on, then the manifest of the batch. */
export function filesOfBatch(
  jobs: Jobs,
  batch: Batch,
  entries: readonly Entry[],
): AsyncGenerator<ZipFile> {
  const { id, title, input, state, createdAt } = batch;
  const about = { batch: id, title, state, axes: input.axes, software: VERSION };
  return filesOf(namedOf(jobs, batch, entries), { jobs, about, at: createdAt });
}

async function* namedOf(
  jobs: Jobs,
  { input: { requests, axes, cells } }: Batch,
  entries: readonly Entry[],
): AsyncGenerator<PictureFile> {
  const digits = String(requests.length).length;
  for (const { id, request, index } of entries) {
    const picture = await jobs.pictures.get(id);
    if (!picture) continue; // deleted meanwhile
    const name = `${String(request + 1).padStart(digits, '0')}-${index + 1}.png`;
    const cell = axes && placeOf(axes, cells?.[request] ?? request);
    const values = cell?.map((at, i) => [axes![i]!.name, axes![i]!.values[at]!]);
    const place = {
      ...{ request: request + 1, picture: index + 1 },
      ...(values && { axes: Object.fromEntries(values) }),
    };
    yield { name, picture, place };
  }
}

/** Of a grid's combination: its first picture, or in a word why there is none. */
export async function pictureFinder(
  jobs: Jobs,
  batch: Batch,
): Promise<(cell: number) => Promise<Picture | string>> {
  const renders = await jobsOf(jobs, batch.id);
  const { cells, requests } = batch.input;
  const requestAt = new Map(requests.map((_, i) => [cells?.[i] ?? i, i]));
  return async (cell) => {
    const request = requestAt.get(cell);
    if (request === undefined) return 'left out';
    const job = renders.get(request);
    const id = `${job?.id}-0`;
    const shown = job && (await jobs.pictures.get(id));
    const file = shown && (await jobs.pictures.read(id));
    if (file) return decodePicture(file);
    return job?.state === 'done' ? 'deleted' : (job?.state ?? 'waiting');
  };
}

/** Of the largest picture. */
export const largestOf = ({ input: { requests } }: Batch) => ({
  width: requests.reduce((most, { size }) => Math.max(most, size.width), 1),
  height: requests.reduce((most, { size }) => Math.max(most, size.height), 1),
});
