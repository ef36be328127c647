/**
 * Draws cells of a comparison by the workers of a queue: a part is a batch of ordinary renders, each with its retries,
 * whose pictures come back by the store and then leave the gallery. A batch is named by all that decides its pictures, so
 * one that a killed command left behind, or a stopped one cancelled, is taken up again with what was made of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Drawing, digestOf } from '../evaluation/resolution/cell-files.ts';
import type { Painter } from '../evaluation/resolution/painter.ts';
import { sizeName } from '../evaluation/resolution/plan.ts';
import { requestsOf } from '../evaluation/resolution/requests.ts';
import type { RenderCell } from '../evaluation/resolution/run.ts';
import { pictureId } from '../jobs/gallery.ts';
import { isEnded, type Job, type RenderResult } from '../jobs/job.ts';
import { type Jobs, NotFound } from '../jobs/jobs.ts';
import { decodePicture, type Picture, readRecipe } from '../png.ts';
import { type ImageRequest, parseRecipe } from '../request.ts';
import { cancelRender } from '../web/renders.ts';

type Asked = Parameters<RenderCell>[0];
export type QueuePainterOptions = {
  readonly signal: AbortSignal;
  /** Told why nothing comes, where that is known. */
  readonly onIdle?: (reason: string) => void;
};

/** After what people ask for themselves, which has 100. */
const PRIORITY = 200;
/** Milliseconds between looks at a batch, and looks after which it is asked why nothing comes. */
const LOOK = 300;
const IDLE = 30;

export function createQueuePainter(jobs: Jobs, { signal, onIdle }: QueuePainterOptions): Painter {
  const open = new Set<string>();

  /** The renders of a batch in their order, when all are done. */
  async function finished(batch: string, count: number): Promise<readonly Job[]> {
    for (let looks = 1; ; looks++) {
      const { items } = await jobs.list({ parent: batch, limit: count });
      const lost = items.find(({ state }) => state === 'failed' || state === 'cancelled');
      if (lost) throw new Error(whyLost(lost));
      if (items.every(({ state }) => isEnded(state)))
        return items.toSorted((a, b) => a.index! - b.index!);
      if (looks % IDLE === 0) await tellIdle();
      await delay(LOOK, undefined, { signal });
    }
  }

  async function tellIdle(): Promise<void> {
    if (await jobs.isPaused()) onIdle?.('the queue is paused');
    else if ((await jobs.workers()).length === 0) onIdle?.('no worker takes jobs');
  }

  return {
    async render(asked, drawing) {
      const requests = requestsOf(asked, drawing);
      const batch = await takeUp(jobs, titleOf(asked, drawing, requests), requests);
      open.add(batch);
      const renders = await finished(batch, requests.length);
      open.delete(batch);
      const ids = renders.map(({ id }) => pictureId(id, 0));
      const files = await Promise.all(ids.map((id) => readFile(jobs, id)));
      for (const id of ids) await removed(jobs, id);
      const pictures = await Promise.all(files.map((file) => pictureOf(file, asked, drawing)));
      return { pictures, seconds: secondsOf(renders) };
    },
    /** Cancels what is still drawn. */
    async dispose() {
      for (const id of open) await cancelRender(jobs, id);
    },
  };
}

/** What was asked for before and can still be had, or a new batch. Returns its id. */
async function takeUp(jobs: Jobs, title: string, requests: ImageRequest[]): Promise<string> {
  const [before] = (await jobs.list({ kind: 'batch', search: title, limit: 1 })).items;
  const whole = before && (await jobs.pictures.count({ job: before.id })) >= before.done;
  if (!whole)
    return (await jobs.add({ kind: 'batch', title, requests }, { priority: PRIORITY })).id;
  const again = before.state === 'cancelled' || before.failed > 0;
  return again ? (await jobs.retry(before.id)).id : before.id;
}

function titleOf({ cell }: Asked, { engine }: Drawing, requests: readonly ImageRequest[]): string {
  const { model, size, drawnBy } = cell;
  const name = `${model.id} ${sizeName(size)} ${drawnBy.slice(0, 80)}`;
  return `${name}, ${requests.length} pictures (${digestOf(model.digest, engine, requests)})`;
}

const whyLost = ({ state, reason }: Job): string =>
  state === 'cancelled'
    ? 'queue: expected pictures of workers, got a batch that was cancelled; start again to go on'
    : `queue: expected pictures of workers, got none: ${reason}`;

async function readFile(jobs: Jobs, id: string): Promise<Buffer> {
  const file = await jobs.pictures.read(id);
  if (file) return file;
  throw new Error(
    `queue: expected picture '${id}' in the store, got none; give all processes one STORAGE_URL, or one --data folder`,
  );
}

/** Throws where a worker drew with something else than what is compared. */
async function pictureOf(
  file: Buffer,
  { cell: { model } }: Asked,
  { engine }: Drawing,
): Promise<Picture> {
  const recipe = parseRecipe(readRecipe(file));
  const drawnOn = `${recipe.engine} ${recipe.provider}`;
  if (drawnOn !== engine)
    throw new RangeError(
      `queue: expected workers that draw on ${engine}, as --device says, got pictures of ${drawnOn}; give all processes one --device`,
    );
  if (recipe.digest !== model.digest)
    throw new RangeError(
      `queue: expected workers whose '${model.id}' has weights ${short(model.digest)}, as here, got ${short(recipe.digest)}; give all processes the same models`,
    );
  return decodePicture(file);
}

const short = (digest: string | undefined) => `${digest?.slice(0, 12)}...`;

/** Of one picture: the mean of those that workers told, or of the whole time where none of them lived to tell it. */
function secondsOf(renders: readonly Job[]): number {
  const told = renders.flatMap(({ result }) =>
    result === undefined ? [] : [(result as RenderResult).seconds],
  );
  if (told.length > 0) return told.reduce((sum, one) => sum + one, 0) / told.length;
  const first = Math.min(...renders.map(({ startedAt }) => startedAt!));
  const last = Math.max(...renders.map(({ finishedAt }) => finishedAt!));
  return (last - first) / 1000 / renders.length;
}

/** No matter if somebody removed it before. */
async function removed(jobs: Jobs, picture: string): Promise<void> {
  try {
    await jobs.pictures.remove(picture);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
}
