import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvaluateInput, TraceReport, TrainInput } from '../../jobs/job.ts';
import { Conflict } from '../../jobs/jobs.ts';
import { encodePng } from '../../png.ts';
import { createEngine } from '../../tensor/engine.ts';
import { checkJob } from '../../workers/check.ts';
import { createRunner } from '../../workers/runner.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';
import { shapes, tinyConfig } from '../training/tiny.ts';
import { taskOf } from './task.ts';

const engine = createEngine({ threads: 1 });
let data: string;
let models: string;
let runner: ReturnType<typeof createRunner>;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-jobs-'));
  models = join(data, 'shipped');
  await mkdir(models);
  await writeTinyModel(models, { id: 'shipped' });
  await writeTinyTokenModel(models);
  await writePictures(join(data, 'datasets', 'shapes'), 24);
  runner = createRunner({ engine, models: [models], data, now: () => performance.now() });
});
afterAll(async () => {
  await runner.dispose();
  await rm(data, { recursive: true, force: true });
  expect(engine.open).toBe(0);
});

/** Discs and bars in folders of their own. */
async function writePictures(into: string, count: number): Promise<void> {
  const all = shapes(count);
  for (const kind of ['bar', 'disc']) await mkdir(join(into, kind), { recursive: true });
  for (let i = 0; i < count; i++) {
    const kind = all.words(i)[1] === 3 ? 'disc' : 'bar';
    const file = await encodePng({ data: all.pixels(i), width: all.size, height: all.size });
    await writeFile(join(into, kind, `${i}.png`), file);
  }
}

const training = (changes: Record<string, unknown> = {}): TrainInput => ({
  kind: 'train',
  config: {
    ...tinyConfig({ steps: 6 }),
    data: { set: 'folder', size: 16, path: 'shapes' },
    every: { checkpoint: 2, heldOut: 3, sheet: 4 },
    ...changes,
  },
});
const places = () => ({ folders: [models, join(data, 'models')], data });

describe('a training as a job', () => {
  test('stops with its checkpoint, goes on bit for bit, and its model appears', async () => {
    const stop = new AbortController();
    const first = taskOf(training(), {
      ...{ id: 'one', signal: stop.signal },
      onProgress({ step }) {
        if (step === 3) stop.abort(new Error('cancelled'));
      },
    });
    await expect(runner.run(first.task)).rejects.toThrow('cancelled');
    expect(await readFile(join(data, 'runs', 'one', 'latest'), 'utf8')).toBe('step-3');
    const second = taskOf(training(), { id: 'one' });
    expect(await runner.run(second.task)).toEqual({ model: 'tiny' });
    const whole = taskOf(training({ name: 'whole' }), { id: 'two' });
    await runner.run(whole.task);
    const losses = ({ kept }: typeof first) =>
      kept.points.map(({ step, values: { loss } }) => [step, loss]);
    expect([...losses(first), ...losses(second)]).toEqual(losses(whole));
    expect(whole.kept.points.map(({ values }) => values.heldOutLoss !== undefined)).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => step % 3 === 0),
    );
    expect([...whole.kept.pictures.keys()]).toEqual([4, 6]);
    expect(whole.kept.pictures.get(4)!.about).toMatchObject({ prompt: 'sheet at step 4' });
    expect(second.kept.pictures.get(6)!.png).toEqual(whole.kept.pictures.get(6)!.png);
    expect(whole.kept.progress.at(-1)).toMatchObject({ step: 6, steps: 6 });

    const drawn = taskOf({
      kind: 'render',
      request: {
        ...{ version: 1, model: 'whole', condition: [], seed: 1, count: 1 },
        size: { width: 16, height: 16 },
        sampling: { kind: 'diffusion', solver: 'euler', steps: 1 },
      },
    });
    await runner.run(drawn.task);
    expect(drawn.kept.pictures.size).toBe(1);
  });

  test('never takes the place of another model; taken up again after its end it finds its own', async () => {
    const named = (id: string) => taskOf(training({ name: 'named', steps: 2 }), { id });
    const stop = new AbortController();
    const late = taskOf(training({ name: 'named', steps: 4 }), {
      ...{ id: 'late', signal: stop.signal },
      onProgress: ({ step }) => step === 2 && stop.abort(new Error('stopped')),
    });
    await expect(runner.run(late.task)).rejects.toThrow('stopped');
    expect(await runner.run(named('first').task)).toEqual({ model: 'named' });
    const card = () => readFile(join(data, 'models', 'named', 'model.json'), 'utf8');
    const before = await card();

    expect(await runner.run(named('first').task)).toEqual({ model: 'named' });
    await expect(runner.run(named('second').task)).rejects.toThrow(Conflict);
    const { task } = taskOf(training({ name: 'named', steps: 4 }), { id: 'late' });
    await expect(runner.run(task)).rejects.toThrow('which another model has by now');
    expect(await card()).toBe(before);
    const kept = await readFile(join(data, 'runs', 'late', 'model', 'model.json'), 'utf8');
    expect(kept).not.toBe(before);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ steps: 0 }, "'steps'"],
    [{ name: 'shipped' }, "'name': expected a new name, got 'shipped'"],
    [{ data: { set: 'folder', size: 16, path: '../shapes' } }, "'data.path': expected the name"],
    [{ data: { set: 'folder', size: 16, path: '/etc' } }, "'data.path': expected the name"],
    [{ data: { set: 'folder', size: 16, path: 'none' } }, "'data.path': expected the name"],
  ])('is refused before it is taken in: %j', async (changes, sentence) => {
    await expect(checkJob(training(changes), places())).rejects.toThrow(sentence);
  });

  test('is taken in when its names are those of what is here', async () => {
    await checkJob(training({ name: 'another' }), places());
    await checkJob({ ...training({ name: 'another' }), init: 'shipped' }, places());
    const unknown = { ...training({ name: 'another' }), init: 'shiped' };
    await expect(checkJob(unknown, places())).rejects.toThrow('nearest: shipped');
  });
});

const evaluation = (
  what: EvaluateInput['what'],
  config: Record<string, unknown>,
): EvaluateInput => ({ kind: 'evaluate', what, config });

const traced = (decoder: string, changes: Record<string, unknown> = {}) => ({
  request: {
    ...{ version: 1, model: 'tiny-tokens', condition: ['style=cat'], seed: 7 },
    size: { width: 16, height: 16 },
    sampling: { kind: 'tokens', decoder, temperature: 3 },
    ...changes,
  },
});

describe('a measurement as a job', () => {
  test('a trace: every token decided once, by both, and one picture where the decoder is exact', async () => {
    const { task, kept } = taskOf(evaluation('trace', traced('fixed-noise')));
    const report = (await runner.run(task)) as TraceReport;
    expect(report).toMatchObject({ exactness: 'identical', grid: { height: 4, width: 4 } });
    for (const { passes, seconds } of [report.chosen, report.sequential]) {
      const decided = passes.flatMap(({ start, decided: tokens, places: at }) =>
        tokens.map((_, i) => at?.[i] ?? start + i),
      );
      expect(decided.toSorted((a, b) => a - b)).toEqual([...Array(16).keys()]);
      expect(passes.map(({ at }) => at)).toEqual(
        passes.map(({ at }) => at).toSorted((a, b) => a - b),
      );
      expect(seconds).toBe(passes.at(-1)!.at);
    }
    expect(report.sequential.passes.length).toBe(16);
    expect(report.chosen.passes.length).toBeLessThan(16);
    expect(report.chosen.png).toBe(report.sequential.png);
    expect(kept.progress.at(-1)).toMatchObject({ step: 64, steps: 64 });
    const tree = (await runner.run(
      taskOf(evaluation('trace', traced('tree'))).task,
    )) as TraceReport;
    expect(tree.chosen.passes.every(({ drafted }) => drafted.length === 0)).toBe(true);
  });

  test('decoders: a row each, and a report on disk', async () => {
    const decoders = ['sequential', 'fixed-noise'];
    const config = { model: 'tiny-tokens', decoders, pictures: 2 };
    const { task } = taskOf(evaluation('decoding', config), { id: 'decoders' });
    const report = (await runner.run(task)) as { rows: { decoder: string; equal: number }[] };
    expect(report.rows.map(({ decoder, equal }) => [decoder, equal])).toEqual([
      ['sequential', 1],
      ['fixed-noise', 1],
    ]);
    const written = await readFile(join(data, 'reports', 'decoders', 'report.json'), 'utf8');
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(report)));
    expect(existsSync(join(data, 'reports', 'decoders', 'about.json'))).toBe(true);
  });

  test.each<[EvaluateInput['what'], Record<string, unknown>, string]>([
    ['trace', traced('magic'), "got 'magic'"],
    ['trace', traced('sjd', { model: 'shipped' }), 'expected a token model'],
    ['trace', {}, 'trace'],
    ['decoding', { model: 'tiny-tokens', decoders: ['magic'] }, "'decoders': expected some of"],
    ['decoding', { model: 'tiny-tokens', pictures: 0 }, "'pictures'"],
    ['decoding', { model: 'shipped' }, 'expected a token model'],
    ['model', { model: 'tiny-tokens' }, "got 'tiny-tokens' of 'none'"],
    ['model', { model: 'shipped' }, 'expected a model of square avatars'],
    [
      'resolution',
      { models: ['shipped'], sizes: [{ width: 18, height: 16 }], extend: ['none'], samples: 8 },
      'a multiple of the patch',
    ],
    [
      'resolution',
      { models: ['shipped'], sizes: [{ width: 32, height: 32 }], extend: ['yrn'], samples: 8 },
      "got 'yrn'",
    ],
    [
      'resolution',
      { models: ['shipped'], sizes: [{ width: 32, height: 32 }], extend: ['yarn'], samples: 8 },
      'expected models of avatars',
    ],
  ])('%s %j is refused before it is taken in', async (what, config, sentence) => {
    await expect(checkJob(evaluation(what, config), places())).rejects.toThrow(sentence);
  });
});
