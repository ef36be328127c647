/** The comparison over sizes by a queue: real jobs, workers that draw a tiny model, and judges whose answers are known. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueuePainter } from '../../cli/queue-painter.ts';
import type { Drawing } from '../../evaluation/resolution/cell-files.ts';
import { createPainter, drawingOf, type Painter } from '../../evaluation/resolution/painter.ts';
import { planCells } from '../../evaluation/resolution/plan.ts';
import { reportOf } from '../../evaluation/resolution/report.ts';
import { measureResolution, type ResolutionOptions } from '../../evaluation/resolution/run.ts';
import type { DiTCard } from '../../generators/model.ts';
import type { JobTask, JobWorker } from '../../jobs/jobs.ts';
import { listModels, type ModelEntry } from '../../pipelines/models.ts';
import { decodePicture } from '../../png.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { createRunner } from '../../workers/runner.ts';
import { drawings, firstOf, reader, VOCABULARY } from '../evaluation/shapes.ts';
import { pixelFeatures as network } from '../evaluation/toy-comparison.ts';
import { openToyJobs, until } from '../jobs/toys.ts';
import { tinyCard, writeTinyModel } from '../pipelines/tiny-model.ts';

const engine = createEngine({ threads: 1 });
const SAMPLES = 34; // a part of 32 pictures and one of two
const SIZES = [{ width: 24, height: 16 }]; // where each method has pictures of its own
const METHODS = [
  { name: 'none' },
  { name: 'own' },
  { name: 'yarn:beta=2', choice: { method: 'yarn', beta: 2 } },
];
const CELLS = METHODS.length;
const PROBED = 2;

let folder: string;
let entries: readonly ModelEntry[];
let runner: ReturnType<typeof createRunner>;
let toys: Awaited<ReturnType<typeof openToyJobs>>;
let worker: JobWorker;
/** Renders that workers were given, and what is done before each. */
let given = 0;
let before: (task: JobTask) => void = () => {};
/** The last batch of the tests before. */
let latest = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'queue-painter-'));
  const common: Partial<DiTCard> = {
    ...{ vocabulary: VOCABULARY, styles: {} },
    config: { ...tinyCard().config, condition: { words: VOCABULARY.length } },
    sampling: { solver: 'heun', steps: 3, guidance: 1.5, shift: 2 },
  };
  const all: Partial<DiTCard>[] = [
    { id: 'tiny', positions: { rotate: 'axial', extend: 'ntk' } },
    { id: 'tiny-placed', positions: { coordinates: 'rpe2d', rotate: 'axial' } },
  ];
  for (const one of all) await writeTinyModel(join(folder, 'models'), { ...common, ...one });
  const { models } = await listModels([join(folder, 'models')]);
  entries = models as ModelEntry[];
  const places = { models: [join(folder, 'models')], data: join(folder, 'data') };
  runner = createRunner({ engine, ...places, now: () => performance.now() });
  toys = await openToyJobs();
  await work();
});
beforeEach(async () => {
  given = 0;
  before = () => {};
  latest = (await toys.jobs.list({ kind: 'batch', limit: 1 })).items[0]?.id ?? '';
});
afterAll(async () => {
  await toys.close();
  await runner.dispose();
  await rm(folder, { recursive: true });
  expect(engine.open).toBe(0);
});

async function work(): Promise<void> {
  const handler = async (task: JobTask) => {
    given++;
    before(task);
    return runner.run(task);
  };
  worker = await toys.jobs.work(handler, { concurrency: 16 });
}
const byQueue = (signal = new AbortController().signal) =>
  createQueuePainter(toys.jobs, { signal });

function optionsFor(out: string, painter: Painter, workers?: number): ResolutionOptions {
  const drawing = (card: ModelEntry['card']) => drawingOf(card, engine, { guidance: 2.5 });
  return {
    models: [{ name: 'tiny', trainings: [entries[0]!.card] }],
    ...{ sizes: SIZES, extend: METHODS, seeds: 1, samples: SAMPLES, workers, drawing },
    drawings: { ...drawings, count: 70, at: async (size) => firstOf(size, 70) },
    ...{ network, readers: [reader], out: join(folder, out), now: () => performance.now() },
    render: (asked) => painter.render(asked, drawing(asked.cell.model)),
  };
}
/** Files of a comparison's cells: pixels of the pictures by name. */
async function pixelsOf(out: string): Promise<Record<string, Uint8Array>> {
  const cells = join(folder, out, 'cells');
  const names = await readdir(cells, { recursive: true });
  const pictures = names.filter((name) => name.endsWith('.png')).sort();
  const read = async (name: string) => [
    name,
    (await decodePicture(await readFile(join(cells, name)))).data,
  ];
  return Object.fromEntries(await Promise.all(pictures.map(read)));
}
async function compare(out: string, painter: Painter, changes: Partial<ResolutionOptions> = {}) {
  const resolution = await measureResolution({ ...optionsFor(out, painter, 2), ...changes });
  const report = reportOf(resolution, { network, reference: 'shapes' }, createRng(1));
  const rows = report.rows.map(({ numbers: { seconds, ...numbers }, ...row }) => {
    expect(seconds!.value).toBeGreaterThan(0);
    return { ...row, numbers };
  });
  return { ...report, rows };
}
/** The same until it begins to measure. */
const draw = (out: string, painter: Painter, changes: Partial<ResolutionOptions> = {}) =>
  compare(out, painter, {
    ...changes,
    onProgress({ stage }) {
      if (stage === 'measure') throw new Error('all is drawn');
    },
  });
/** Of this test. */
async function batches() {
  const { items } = await toys.jobs.list({ kind: 'batch', limit: 100 });
  return items.filter(({ id }) => id > latest);
}

describe('a comparison by the queue', () => {
  let expected: Awaited<ReturnType<typeof compare>>;
  beforeAll(async () => {
    const painter = createPainter(engine, entries, new AbortController().signal);
    expected = await compare('here', painter, { workers: undefined });
    await painter.dispose();
  }, 180_000);

  it('has the report and the pictures, bit for bit, of one without, though workers stumble', async () => {
    const stumbled = new Set<string>();
    before = ({ job }) => {
      if (job.index !== 3 || stumbled.has(job.id)) return;
      stumbled.add(job.id);
      throw new Error('toy: expected luck, got none');
    };
    const painter = byQueue();
    expect(await compare('queue', painter)).toEqual(expected);
    await painter.dispose();
    const [there, here] = [await pixelsOf('queue'), await pixelsOf('here')];
    expect(Object.keys(here)).toHaveLength(2 * CELLS);
    expect(there).toEqual(here);
    expect(stumbled.size).toBe(CELLS);
    expect(given).toBe(CELLS * SAMPLES + PROBED + stumbled.size);
    expect((await batches()).every(({ state }) => state === 'done')).toBe(true);
    expect(await toys.jobs.pictures.count({})).toBe(0); // they have left the gallery
  }, 180_000);

  it('stopped, goes on with what was made, also of batches in the middle', async () => {
    const few = { extend: METHODS.slice(0, 2) };
    const stop = new AbortController();
    before = () => {
      if (given === 50) stop.abort();
    };
    const first = byQueue(stop.signal);
    await expect(draw('stopped', first, { ...few, signal: stop.signal })).rejects.toThrow(
      'aborted',
    );
    await first.dispose();
    const left = (await batches()).filter(({ state }) => state === 'cancelled');
    expect(left.length).toBeGreaterThan(0);
    await worker.stop(); // what it had in hand has ended
    before = () => {};
    await work();
    await expect(draw('stopped', byQueue(), few)).rejects.toThrow('all is drawn');
    const [stopped, here] = [await pixelsOf('stopped'), await pixelsOf('here')];
    expect(Object.keys(stopped)).toHaveLength(2 * 2);
    for (const [name, pixels] of Object.entries(stopped)) expect(here[name], name).toEqual(pixels);
    // Each part of 32 was asked for once.
    expect((await batches()).filter(({ total }) => total === 32)).toHaveLength(2);
  }, 180_000);

  it("draws with other options of a model's own coordinates", async () => {
    const { card } = entries[1]!;
    const contiguous = {
      name: 'coordinates:inference=contiguous',
      coordinates: { inference: 'contiguous' },
    };
    const [asked, changed] = planCells({
      ...{ sizes: SIZES, extend: [{ name: 'none' }, contiguous], seeds: 1, samples: SAMPLES },
      models: [{ name: 'placed', trainings: [card] }],
    }).map((cell) => ({ ...part(2), cell }));
    const how = drawingOf(card, engine, {});
    const here = createPainter(engine, entries, new AbortController().signal);
    const expected = await here.render(changed!, how);
    const plain = await here.render(asked!, how);
    await here.dispose();
    const { pictures } = await byQueue().render(changed!, how);
    expect(pictures).toEqual(expected.pictures);
    expect(pictures).not.toEqual(plain.pictures);
  });

  it('killed, takes up the batch that it left behind', async () => {
    const asked = part(16);
    const gone = new AbortController();
    before = () => gone.abort(); // nothing is cancelled, as where the process ends
    await expect(byQueue(gone.signal).render(asked, drawing())).rejects.toThrow('abort');
    before = () => {};
    const { pictures } = await byQueue().render(asked, drawing());
    expect(pictures).toHaveLength(16);
    expect(await batches()).toMatchObject([{ total: 16, state: 'done', priority: 200 }]);
    // What was handed over is not there for others.
    await byQueue().render(asked, drawing());
    expect(await batches()).toHaveLength(2);
  });

  it.each<[string, (asked: Asked, how: Drawing) => [Asked, Drawing], string]>([
    [
      'a model that workers do not have',
      (asked, how) => [withCard(asked, { id: 'tinny' }), how],
      "queue: expected pictures of workers, got none: model: expected a known model, got 'tinny'; nearest: tiny",
    ],
    [
      'other weights',
      (asked, how) => [withCard(asked, { digest: 'a'.repeat(64) }), how],
      "queue: expected workers whose 'tiny' has weights aaaaaaaaaaaa..., as here, got",
    ],
    [
      'another device',
      (asked, how) => [asked, { ...how, engine: 'onnx cuda' }],
      'queue: expected workers that draw on onnx cuda, as --device says, got pictures of onnx cpu',
    ],
  ])('refuses %s in one sentence, each time anew', async (_, change, sentence) => {
    for (let i = 0; i < 2; i++) {
      const painter = byQueue();
      await expect(painter.render(...change(part(2), drawing()))).rejects.toThrow(sentence);
      await painter.dispose();
    }
    expect(await toys.jobs.pictures.count({})).toBe(0);
  });

  it('says that a batch was cancelled', async () => {
    await worker.stop();
    const drawn = byQueue().render(part(2), drawing());
    const [batch] = await until(async () => {
      const found = await batches();
      return found.length > 0 && found;
    });
    await toys.jobs.cancel(batch!.id);
    await expect(drawn).rejects.toThrow('got a batch that was cancelled; start again to go on');
  });
});

type Asked = Parameters<Painter['render']>[0];
const drawing = () => drawingOf(entries[0]!.card, engine, {});
function part(count: number): Asked {
  const [cell] = planCells(optionsFor('part', byQueue()));
  const conditions = Array.from({ length: count }, (_, i) => drawings.words(i));
  return { cell: cell!, conditions, seeds: conditions.map((_, i) => 100 * i) };
}
const withCard = ({ cell, ...asked }: Asked, changes: Partial<ModelEntry['card']>): Asked => ({
  ...asked,
  cell: { ...cell, model: { ...cell.model, ...changes } as ModelEntry['card'] },
});
