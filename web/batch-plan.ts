/** What a batch would be: its requests, checked by their models' cards, and what they cost. Starts nothing. */
import { setImmediate } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import type { Jobs } from '../jobs/jobs.ts';
import type { ImageRequest } from '../request.ts';
import { checkedRequest, chooseModel, Draft } from './draft.ts';
import { Grid, MOST_REQUESTS, type Plan, planGrid } from './grid.ts';
import { parseCsv, parseJsonLines, requestOfRow } from './rows.ts';
import type { Services } from './services.ts';

/** The body in JSON: drafts, or a grid of them. */
export const BatchBody = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    requests: Type.Optional(Type.Array(Draft, { maxItems: MOST_REQUESTS })),
    grid: Type.Optional(Grid),
    /** 1 comes first. */
    priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  },
  { additionalProperties: false },
);
export type BatchBody = Static<typeof BatchBody>;

/** Of a file in place of a JSON body: its rows where they name no model are for this one. */
export type File = { readonly type: 'csv' | 'jsonl'; readonly bytes: Uint8Array; model?: string };

export async function planBatch(
  given: Pick<BatchBody, 'requests' | 'grid'> | File,
  models: Services['models'],
): Promise<Plan> {
  if ('bytes' in given) return planRows(given, models);
  const { requests, grid } = given;
  if ((requests === undefined) === (grid === undefined))
    throw new RangeError(
      `request: expected either requests or a grid, got ${grid ? 'both' : 'neither'}`,
    );
  return grid ? planGrid(grid, models) : planDrafts(requests!, models);
}

async function planRows({ type, bytes, model }: File, models: Services['models']): Promise<Plan> {
  const rows = type === 'csv' ? parseCsv(bytes) : parseJsonLines(bytes);
  const known = await models.list();
  return readAll(rows, (row) => requestOfRow(row, known, models, model));
}

async function planDrafts(drafts: readonly Draft[], models: Services['models']): Promise<Plan> {
  if (drafts.length === 0) throw new RangeError("request: 'requests': expected some, got none");
  const known = await models.list();
  return readAll(drafts, (draft, i) => {
    const where = `request ${i + 1}`;
    return checkedRequest(draft, chooseModel(known, draft.model, { where }), models, { where });
  });
}

/** Read at the same time, so that models are looked up once for all of them. */
const TOGETHER = 50;

/** All or none: what is wrong with one is an error that says which. */
async function readAll<Item>(
  items: readonly Item[],
  read: (item: Item, i: number) => Promise<ImageRequest>,
): Promise<Plan> {
  const requests: ImageRequest[] = [];
  for (let first = 0; first < items.length; first += TOGETHER) {
    const some = items.slice(first, first + TOGETHER);
    const found = await Promise.allSettled(some.map(async (item, i) => read(item, first + i)));
    for (const one of found) {
      if (one.status === 'rejected') throw one.reason; // the first by place, whichever was found first
      requests.push(one.value);
    }
    await setImmediate(); // others want their turn
  }
  return { requests, dropped: [] };
}

export type Cost = {
  readonly count: number;
  readonly pixels: number;
  /** Absent until a picture of each model was made here. */
  readonly seconds?: number;
  readonly bytes: number;
};

/** Jobs and pictures that an estimate looks at. */
const LOOKED_AT = 20;
/** Of a picture that no other tells of: as it would be without compression. */
const BYTES_A_PIXEL = 3;

/** From what the latest pictures of the same models took: time goes with pixels and steps. */
export async function costOf(requests: readonly ImageRequest[], jobs: Jobs): Promise<Cost> {
  const count = requests.reduce((sum, request) => sum + request.count, 0);
  const pixels = requests.reduce((sum, request) => sum + pixelsOf(request), 0);
  const models = [...new Set(requests.map(({ model }) => model))];
  const done = await jobs.list({ kind: 'render', state: ['done'], limit: LOOKED_AT * 5 });
  const costs = await Promise.all(
    models.map(async (model) => {
      const own = requests.filter((request) => request.model === model);
      const page = await jobs.pictures.list({ model, limit: LOOKED_AT });
      const made = page.items.reduce((sum, { width, height }) => sum + width * height, 0);
      const bytes = page.items.reduce((sum, picture) => sum + picture.bytes, 0);
      const rate = made > 0 ? bytes / made : BYTES_A_PIXEL;
      const past = done.items.flatMap(({ input, startedAt, finishedAt }) =>
        input.kind === 'render' && input.request.model === model && startedAt && finishedAt
          ? [{ work: workOf(input.request), seconds: (finishedAt - startedAt) / 1000 }]
          : [],
      );
      const work = past.reduce((sum, job) => sum + job.work, 0);
      const seconds = past.reduce((sum, job) => sum + job.seconds, 0);
      return {
        bytes: rate * own.reduce((sum, request) => sum + pixelsOf(request), 0),
        seconds: (seconds / work) * own.reduce((sum, request) => sum + workOf(request), 0),
      };
    }),
  );
  const bytes = costs.reduce((sum, cost) => sum + cost.bytes, 0);
  const seconds = costs.reduce((sum, cost) => sum + cost.seconds, 0); // 0 / 0 is no number
  return { count, pixels, bytes: Math.round(bytes), ...(Number.isFinite(seconds) && { seconds }) };
}

const pixelsOf = ({ size, count }: ImageRequest) => size.width * size.height * count;
const workOf = (request: ImageRequest) =>
  pixelsOf(request) * ('steps' in request.sampling ? request.sampling.steps : 1);
