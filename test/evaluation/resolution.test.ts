/** The comparison over sizes, with painters and judges whose answers are known. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import { readMethodText } from '../../encoders/positions/coordinates-text.ts';
import type { Estimate, Progress } from '../../evaluation/resolution/clock.ts';
import { type ArmAtSize, bestOf, compareArms } from '../../evaluation/resolution/compare.ts';
import { findTrained } from '../../evaluation/resolution/models-text.ts';
import {
  type PlanOptions,
  planCells,
  positionsWith,
  seedsOf,
  type TrainedModel,
} from '../../evaluation/resolution/plan.ts';
import type { ReaderLike } from '../../evaluation/resolution/reading.ts';
import { readerAt } from '../../evaluation/resolution/reading.ts';
import { type Drawings, inFrame } from '../../evaluation/resolution/reference.ts';
import { csvOf, formatReport, reportOf } from '../../evaluation/resolution/report.ts';
import { writeReport } from '../../evaluation/resolution/report-files.ts';
import {
  measureResolution,
  type RenderCell,
  type ResolutionOptions,
} from '../../evaluation/resolution/run.ts';
import { compareSeeds } from '../../evaluation/resolution/seed-spread.ts';
import type { DiTCard } from '../../generators/model.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';
import { rowsOf } from '../../tensor/rows.ts';
import { tinyCard } from '../pipelines/tiny-model.ts';
import { drawings, drawn, firstOf, reader, VOCABULARY } from './shapes.ts';
import { pixelFeatures as network } from './toy-comparison.ts';

const model = (changes: Partial<DiTCard> = {}): DiTCard => ({
  ...tinyCard({ vocabulary: VOCABULARY, positions: { rotate: 'axial' }, ...changes }),
  digest: 'a'.repeat(64),
});
const alone = (changes: Partial<DiTCard> = {}): TrainedModel => {
  const card = model(changes);
  return { name: card.id, trainings: [card] };
};
const sizes: Size[] = [
  { width: 16, height: 16 },
  { width: 24, height: 24 },
  { width: 16, height: 32 },
  { width: 32, height: 16 },
];
const [trained, larger] = sizes as [Size, Size];

const NONE = { name: 'none' };
const YARN = { name: 'yarn', choice: 'yarn' };

let folder: string;
let asked: { size: Size; drawnBy: string; from: number; count: number }[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resolution-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Draws well at the trained size, worse elsewhere, and less badly with yarn. */
const render: RenderCell = async ({ cell, conditions, seeds, steps }) => {
  if (steps === undefined)
    asked.push({ size: cell.size, drawnBy: cell.drawnBy, from: seeds[0]!, count: seeds.length });
  const off = cell.size === trained ? 0 : cell.drawnBy === 'yarn' ? 0.1 : 0.25;
  return {
    pictures: conditions.map((words, i) => drawn(words, seeds[i]!, cell.size, off)),
    seconds: (cell.size.width * cell.size.height) / 1000,
  };
};
const optionsFor = (out: string): ResolutionOptions => ({
  models: [alone()],
  ...{ sizes, extend: [NONE, YARN], seeds: 2, samples: 12 },
  ...{ render, drawings, network, readers: [reader], out: join(folder, out) },
  drawing: () => ({
    ...{ solver: 'euler', steps: 10, guidance: 2, shift: 1 },
    ...{ engine: 'onnx cpu', dtype: 'float32' },
  }),
  now: () => 0,
});
const about = { network, reference: 'shapes' };

describe('the plan', () => {
  const plan: PlanOptions = { models: [alone()], sizes, extend: [NONE], seeds: 1, samples: 8 };

  it('knows where an extension changes nothing', () => {
    const cells = planCells({
      ...plan,
      extend: [NONE, YARN, { name: 'seen', choice: 'lm-infinite' }],
    });
    const by = (extend: string, size: Size) =>
      cells.find((cell) => cell.extend === extend && cell.size === size)!.drawnBy;
    expect(by('yarn', trained)).toBe('none');
    expect(by('yarn', larger)).toBe('yarn');
    expect(by('seen', larger)).toBe('seen'); // places tokens as none does, and hides some of them
    expect(cells).toHaveLength(12);
  });

  it('takes fewer sizes and sets of extensions, and sizes that are looked at alone', () => {
    const cells = planCells({
      ...{ ...plan, extend: [NONE, YARN], seeds: 3, samples: 12 },
      ...{ sizes: [trained, larger], sheetSizes: [sizes[2]!] },
      ...{ extendSizes: [larger], extendSeeds: 1 },
    });
    const told = cells.map(({ extend, size, seeds, samples, measured }) =>
      [extend, size.width, size.height, seeds, samples, measured].join(' '),
    );
    expect(told).toEqual([
      ...[0, 1, 2].map((set) => `none 16 16 ${set} 12 true`),
      ...[0, 1, 2].map((set) => `none 24 24 ${set} 12 true`),
      'yarn 24 24 0 12 true',
      'none 16 32 0 4 false',
      'yarn 16 32 0 4 false',
    ]);
  });

  it('draws each set of seeds by another training of a model', () => {
    const trainings = ['a', 'b'].map((id) => model({ id }));
    const both = { name: 'rope', trainings };
    const cells = planCells({ ...plan, models: [both], sizes: [trained], seeds: 3 });
    expect(cells.map(({ name, model, seeds }) => [name, model.id, seeds])).toEqual([
      ['rope', 'a', 0],
      ['rope', 'b', 1],
      ['rope', 'a', 2],
    ]);
    expect(() => planCells({ ...plan, models: [both], seeds: 1 })).toThrow(
      "expected at least 2 sets of seeds, one for each training of 'rope', got 1",
    );
    const mixed = { name: 'rope', trainings: [trainings[0]!, model({ id: 'b', positions: {} })] };
    expect(() => planCells({ ...plan, models: [mixed], seeds: 2 })).toThrow(
      "expected trainings of one model in 'rope', got 'a' and 'b', whose positions differs",
    );
  });

  it('takes a model without, or with its own extension', () => {
    const own = model({ positions: { rotate: 'axial', extend: 'ntk' } });
    expect(positionsWith(own, NONE)).toEqual({ rotate: 'axial' });
    expect(positionsWith(own, { name: 'own' })).toEqual(own.positions);
    expect(positionsWith(own, YARN).extend).toBe('yarn');
    expect(positionsWith(model(), { name: 'own' })).toEqual({ rotate: 'axial' });

    const text = 'coordinates:inference=contiguous+attention-scale';
    const { extensions, coordinates } = readMethodText(text);
    expect(extensions).toEqual(['attention-scale']);
    const placed = { name: text, coordinates: coordinates! };
    const random = model({ positions: { coordinates: { method: 'rpe2d', factor: 2 } } as never });
    expect(positionsWith(random, placed)).toEqual({
      coordinates: { method: 'rpe2d', factor: 2, inference: 'contiguous' },
    });
    const cells = planCells({
      ...{ sizes: [trained], seeds: 1, samples: 8, extend: [NONE, placed] },
      models: [{ name: 'random', trainings: [random] }],
    });
    expect(cells.map(({ drawnBy }) => drawnBy)).toEqual(['none', text]);
    const raw = [{ name: 'raw', trainings: [model()] }];
    expect(() =>
      planCells({ models: raw, sizes: [trained], seeds: 1, samples: 8, extend: [placed] }),
    ).toThrow(/'raw'.*inference/);
    for (const wrong of ['coordinates:', 'coordinates:inference', `${text}+coordinates:seed=1`])
      expect(() => readMethodText(wrong)).toThrow(
        'extend: expected options of coordinates such as',
      );
  });

  it.each([
    [
      { sizes: [{ width: 18, height: 16 }] },
      "'tiny': size.width: expected a multiple of the patch (4) from 4 to 64, got 18",
    ],
    [
      { sizes: [{ width: 128, height: 16 }] },
      "'tiny': size.width: expected a multiple of the patch (4) from 4 to 64, got 128",
    ],
    [{ samples: 7 }, 'expected at least 8 samples, got 7; distances of fewer mean nothing'],
    [{ extend: [{ name: 'yarm', choice: 'yarm' }] }, "'tiny': positions.extend: expected one of"],
    [
      { models: [alone({ positions: { embed: 'sincos2d' } })], extend: [NONE, YARN] },
      "'tiny': positions.extend: 'yarn' changes the frequencies of a rotation, but there is no rotation",
    ],
    [{ sizes: [trained, { ...trained }] }, "expected sizes without repetition, got '16x16' twice"],
    [{ sheetSizes: [trained] }, "expected sizes without repetition, got '16x16' twice"],
    [
      { extendSizes: [{ width: 40, height: 40 }] },
      'expected sizes of extensions among 16x16, 24x24, 16x32, 32x16, got 40x40',
    ],
    [{ extendSeeds: 2 }, 'expected at most 1 sets of seeds of extensions, those of none, got 2'],
    [
      { extend: [YARN], extendSizes: [larger] },
      'expected none among the methods, for 16x16, got yarn',
    ],
    [
      { models: [alone(), alone()] },
      "expected names of models without repetition, got 'tiny' twice",
    ],
  ])('refuses %j', (changes, said) => {
    expect(() => planCells({ ...plan, ...changes })).toThrow(said);
  });

  it('gives each picture its seed, the same for every number of samples', () => {
    expect(seedsOf(0, 5)).toEqual(seedsOf(0, 9).slice(0, 5));
    expect(seedsOf(1, 5)).not.toEqual(seedsOf(0, 5));
    expect(new Set(seedsOf(0, 500)).size).toBe(500);
  });
});

describe('the run', () => {
  it('draws only what is missing: killed, repeated, and with more sizes', async () => {
    const options = { ...optionsFor('resumed'), seeds: 1 };
    asked = [];
    const stop = new AbortController();
    const killed: RenderCell = async (one) => {
      if (asked.length === 2) stop.abort();
      return render(one);
    };
    const few = { ...options, sizes: [trained, larger] };
    await expect(
      measureResolution({ ...few, render: killed, signal: stop.signal }),
    ).rejects.toThrow();
    expect(asked).toHaveLength(3); // the third was drawn when the signal came

    const first = await measureResolution(few);
    expect(asked).toHaveLength(3); // 16x16 none (which yarn is too), 24x24 none and yarn
    expect(asked.map(({ drawnBy }) => drawnBy)).toEqual(['none', 'none', 'yarn']);
    const again = await measureResolution(few);
    expect(again.cells.map(({ numbers }) => numbers)).toEqual(
      first.cells.map(({ numbers }) => numbers),
    );
    await measureResolution({ ...few, sizes: [trained, larger, sizes[2]!] });
    expect(asked).toHaveLength(5);

    const cells = join(options.out, 'cells', 'tiny');
    const [cell] = (await readdir(cells)).filter((name) => name.startsWith('24x24-yarn'));
    await writeFile(join(cells, cell!, 'pictures-0-12.png'), 'cut off');
    const mended = await measureResolution(few);
    expect(asked).toHaveLength(6);
    expect(mended.cells.map(({ numbers }) => numbers)).toEqual(
      first.cells.map(({ numbers }) => numbers),
    );
    const files = (await readdir(options.out, { recursive: true })).filter((name) =>
      name.endsWith('.tmp'),
    );
    expect(files).toEqual([]);
  });

  it('estimates by two probes a model and one of the judge, before it draws', async () => {
    const said: unknown[] = [];
    asked = [];
    let clock = 0;
    const slow: FeatureNetwork = {
      ...network,
      read(pictures) {
        clock += 10 * pictures.length; // ms
        return network.read(pictures);
      },
    };
    await measureResolution({
      ...optionsFor('estimated'),
      ...{ seeds: 1, sizes: [trained, larger], network: slow, now: () => clock },
      onEstimate: (estimate) => said.push(estimate, asked.length),
    });
    // 12 pictures at 0.256 s and 24 at 0.576 s, times the steps of a picture over those of a probe; and
    // 36 pictures and two sizes of 60 drawings that are judged at 0.01 s.
    const seconds = (12 * 0.256 + 24 * 0.576) * 5 + (36 + 2 * 60) * 0.01;
    expect(said).toEqual([
      { missing: 36, pictures: 36, cells: 3, seconds: expect.closeTo(seconds, 6) },
      0,
    ]);
  });

  it('keeps each of several workers busy with two parts, and estimates by them', async () => {
    const said: number[] = [];
    let [drawing, most] = [0, 0];
    const slow: RenderCell = async (one) => {
      most = Math.max(most, ++drawing);
      await setImmediate();
      drawing--;
      return render(one);
    };
    const onEstimate = ({ seconds }: Estimate) => said.push(seconds);
    const onProgress = ({ stage }: Progress) => {
      if (stage === 'measure') throw new Error('all is drawn');
    };
    for (const workers of [undefined, 2]) {
      const options = { ...optionsFor(`by-${workers}`), render: slow, workers };
      const measured = measureResolution({ ...options, onEstimate, onProgress });
      await expect(measured).rejects.toThrow('all is drawn');
      expect(most).toBe(workers ? 2 * workers : 1);
    }
    expect(said[1]).toBeCloseTo(said[0]! / 2, 10);
    const files = async (out: string) =>
      (await readdir(join(folder, out, 'cells'), { recursive: true })).sort();
    expect(await files('by-2')).toEqual(await files('by-undefined'));
  });

  it('estimates what is left to measure where all is drawn, and says nothing where nothing is left', async () => {
    const said: Estimate[] = [];
    const options = {
      ...optionsFor('measured'),
      ...{ seeds: 1, sizes: [trained, larger], onEstimate: (one: Estimate) => said.push(one) },
    };
    await measureResolution(options);
    await measureResolution(options);
    expect(said).toMatchObject([{ missing: 36, cells: 3 }]);
    const cells = join(options.out, 'cells', 'tiny');
    const [yarn] = (await readdir(cells)).filter((name) => name.startsWith('24x24-yarn'));
    for (const name of await readdir(join(cells, yarn!)))
      if (name.startsWith('numbers')) await rm(join(cells, yarn!, name));
    await measureResolution(options);
    expect(said[1]).toMatchObject({ missing: 0, pictures: 36, cells: 1 });
  });

  it('makes drawings that are missing, and says how long that takes', async () => {
    let clock = 0;
    const said: number[] = [];
    const slow: Drawings = {
      ...drawings,
      async few(size, count) {
        clock += 1000 * count; // ms
        return firstOf(size, count);
      },
      unmade: async ({ width }) => (width === 24 ? 60 : 0),
    };
    const run = { seeds: 1, sizes: [trained, larger], drawings: slow, now: () => clock };
    for (const some of [drawings, slow])
      await measureResolution({
        ...{ ...optionsFor(`made-${said.length}`), ...run, drawings: some },
        onEstimate: ({ seconds }) => said.push(seconds),
      });
    const [free, made] = said;
    expect(made! - free!).toBeCloseTo(60, 6);
  });

  it('refuses pictures and drawings of another size, and too few drawings, with nothing written', async () => {
    const options = optionsFor('refused');
    asked = [];
    const wrong: RenderCell = async (one) => ({
      pictures: (await render(one)).pictures.map((picture) =>
        inFrame(picture, { width: 40, height: 40 }),
      ),
      seconds: 1,
    });
    await expect(measureResolution({ ...options, render: wrong })).rejects.toThrow(
      'expected pictures of 16x16 pixels, got one of 40x40',
    );
    expect(await readdir(options.out)).toEqual([]);
    const at64 = { ...drawings, at: () => drawings.at({ width: 64, height: 64 }) };
    await expect(measureResolution({ ...options, drawings: at64 })).rejects.toThrow(
      'expected reference drawings of 16x16 pixels, got one of 64x64; draw them at the size that is measured',
    );
    await expect(measureResolution({ ...options, samples: 40 })).rejects.toThrow(
      'expected at least 80 drawings (40 whose words are asked for, and as many for a reference), got 60',
    );
    const other = { ...reader, card: { ...reader.card, vocabulary: ['style=cat'] } };
    await expect(measureResolution({ ...options, readers: [other] })).rejects.toThrow(
      'the vocabulary of the reader',
    );
  });
});

describe('the report', () => {
  it('says which method is best, what is told, and how it was made', async () => {
    asked = [];
    const options = optionsFor('told');
    const resolution = await measureResolution(options);
    const report = reportOf(resolution, about, createRng(1));
    const best = Object.fromEntries(report.best.map(({ size, arm }) => [size, arm]));
    expect(best).toEqual({
      '16x16': 'tiny, none',
      '24x24': 'tiny, yarn',
      '16x32': 'tiny, yarn',
      '32x16': 'tiny, yarn',
    });
    const row = (extend: string, size: string) =>
      report.rows.find((one) => one.extend === extend && one.size === size)!;
    expect(row('yarn', '16x16')).toMatchObject({
      unchanged: true,
      sets: 2,
      samples: 12,
      trained: true,
    });
    expect(row('yarn', '16x16').numbers).toEqual(row('none', '16x16').numbers);
    expect(row('none', '24x24').numbers.kid!.value).toBeGreaterThan(
      row('yarn', '24x24').numbers.kid!.value,
    );
    expect(row('none', '24x24').numbers.apart!.value).toBeGreaterThan(0.2);
    expect(row('none', '24x24').numbers.consistency!.value).toBeGreaterThan(0.2);
    expect(row('none', '16x16').numbers.consistency).toBeUndefined();
    expect(row('none', '24x24').numbers.seconds!.value).toBeCloseTo(0.576, 10);

    const ratio = (size: string, against: string) =>
      report.comparisons.find(
        (one) => one.size === size && one.arm === 'tiny, yarn' && one.against === against,
      )!;
    expect(ratio('24x24', 'tiny, none')).toMatchObject({ told: true });
    expect(ratio('24x24', 'tiny, none').ratio.high).toBeLessThan(1);
    // The painter treats both axes alike but for moving figures down, so the transposed size says so.
    expect(ratio('32x16', 'tiny, yarn at 16x32').ratio.value).toBeGreaterThan(0);
    const made = report.made.join('\n');
    for (const said of [
      '12 pictures a cell in each of 2 sets',
      'euler, 10 steps, guidance 2',
      '48 other drawings',
      'FD-pixels (not FID)',
      'bicubic',
      'float64',
      '24x24 brought to the 16 px of toy-16: 0.5 of styles and 1 of attributes',
    ])
      expect(made).toContain(said);
    expect(formatReport(report)).toContain('24x24: KID of tiny, yarn is');

    const told = { ...resolution.cells[0]!.drawing, micro: 'trained' as const };
    const [cell] = resolution.cells;
    const few = { cells: [{ ...cell!, drawing: told }], sizes: resolution.sizes.slice(0, 1) };
    const telling = reportOf({ ...resolution, ...few }, about, createRng(1));
    expect(telling.made.join('\n')).toContain('told sizes: trained');
    expect(csvOf(telling).split('\n')[1]).toContain(
      ',48,pixels,bicubic,float32,euler,10,2,1,trained,',
    );
    const lines = csvOf(report).trim().split('\n');
    expect(lines).toHaveLength(1 + report.rows.length);
    expect(new Set(lines.map((line) => line.split(',').length)).size).toBe(1);
    await writeReport(options.out, resolution, report);
    const page = await readFile(join(options.out, 'report.html'), 'utf8');
    expect(page).not.toMatch(/<script|<link|src="(?!data:)|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page.match(/<img/g)).toHaveLength(4);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(JSON.parse(await readFile(join(options.out, 'report.json'), 'utf8')).best).toHaveLength(
      4,
    );
    expect((await readdir(join(options.out, 'charts'))).length).toBeGreaterThan(15);
  });
});

describe('two models, one of them trained twice', () => {
  const trainings = ['tiny-1', 'tiny-2'].map((id) => model({ id }));
  const other = model({ id: 'other', digest: 'c'.repeat(64) });
  const twice: RenderCell = async (one) => {
    const drawn = await render(one);
    const spoilt = one.cell.model.id === 'other' && one.cell.size !== trained;
    if (!spoilt) return drawn;
    const pictures = drawn.pictures.map((_, i) => drawnAt(one, i));
    return { ...drawn, pictures };
  };
  const drawnAt = ({ conditions, seeds, cell }: Parameters<RenderCell>[0], i: number) =>
    drawn(conditions[i]!, seeds[i]!, cell.size, 0.4);
  const options = (): ResolutionOptions => ({
    ...optionsFor('two'),
    models: [
      { name: 'rope', trainings },
      { name: 'other', trainings: [other] },
    ],
    ...{ sizes: [trained, larger], sheetSizes: [{ width: 40, height: 40 }], seeds: 3 },
    ...{ extendSizes: [larger], extendSeeds: 2, render: twice },
  });

  it('are compared with the seeds between, at each size, without and with the best method', async () => {
    asked = [];
    const resolution = await measureResolution(options());
    const report = reportOf(resolution, about, createRng(1));
    const told = report.comparisons.map(({ between, size, arm, against, seeds }) =>
      [between, size, arm, against, seeds?.sets].join(', '),
    );
    expect(told).toEqual([
      'models, 16x16, other, none, rope, none, 3',
      'methods, 24x24, rope, yarn, rope, none, 2',
      'best methods, 24x24, other, none, rope, yarn, 2',
      'models, 24x24, other, none, rope, none, 3',
      'methods, 24x24, other, yarn, other, none, 2',
      'models, 24x24, other, yarn, rope, yarn, 2',
    ]);
    const [same] = report.comparisons;
    expect(same!.seeds).toMatchObject({ difference: { value: 0 }, told: false });
    const worse = report.comparisons.find(
      (one) => one.size === '24x24' && one.between === 'models',
    )!;
    expect(worse.seeds).toMatchObject({ smaller: 0, sets: 3 });
    expect(worse.seeds!.difference.value).toBeGreaterThan(0);
    expect(report.made.join('\n')).toContain('rope (tiny-1, weights aaaaaaaaaaaa; tiny-2, weights');
    expect(formatReport(report)).toContain('24x24: KID of other, none is');

    // Looked at and not measured: four pictures, and no row.
    expect(report.rows.map(({ size }) => size)).not.toContain('40x40');
    expect(asked.filter(({ size }) => size.width === 40).map(({ count }) => count)).toEqual([
      4, 4, 4, 4,
    ]);
    await writeReport(options().out, resolution, report);
    const charts = await readdir(join(options().out, 'charts'));
    for (const name of [
      'sheet-models-1',
      'sheet-rope-4',
      'kid-models',
      'kid-best',
      'kid-other',
      'legend-models',
      'legend-methods',
    ])
      expect(charts).toContain(`${name}.png`);
    const page = await readFile(join(options().out, 'report.html'), 'utf8');
    expect(page.replaceAll(/base64,[^"]+/g, '')).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).toContain('Models compared');
  });
});

describe('the difference of two arms over seeds', () => {
  it('is told where it is more than chance between paired sets', () => {
    // Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t of 2 degrees 4.303.
    const found = compareSeeds([11, 22, 33], [10, 20, 30])!;
    expect(found.difference.value).toBe(2);
    expect(found.difference.high - 2).toBeCloseTo(4.303 / Math.sqrt(3), 10);
    expect(found).toMatchObject({ sets: 3, smaller: 0, told: false });
    expect(found.spread).toBeCloseTo(Math.sqrt((121 + 100) / 2), 10);
    expect(compareSeeds([1, 2, 3], [2, 3.1, 4])).toMatchObject({ told: true, smaller: 3 });
    expect(compareSeeds([1, 2, 3], [2])).toBeUndefined();
  });
});

describe('models as text', () => {
  const find = async (id: string) => ({ id, folder: id, card: model({ id }) });

  it('are one model, or trainings of one', async () => {
    const { models, entries } = await findTrained(['tiny', 'rope=rope-1+rope-2'], find);
    expect(models.map(({ name, trainings }) => [name, ...trainings.map(({ id }) => id)])).toEqual([
      ['tiny', 'tiny'],
      ['rope', 'rope-1', 'rope-2'],
    ]);
    expect(entries).toHaveLength(3);
  });

  it.each(['rope=', '=a+b', 'rope=a++b', 'a b=c'])('refuse %j', async (text) => {
    await expect(findTrained([text], find)).rejects.toThrow(
      `models: expected a model or trainings of one, such as 'rope=rope-1+rope-2', got '${text}'`,
    );
  });
});

describe('ratios', () => {
  /** An arm of this KID, whatever pictures are picked. */
  const armOf = (extend: string, value: number, error: number, at: ArmAtSize['at']): ArmAtSize => ({
    ...{ name: 'tiny', extend, at, kid: () => () => value },
    cells: [
      {
        cell: { drawnBy: extend, size: at.size },
        numbers: { generated: { kid: { value, error } } },
        pooled: { count: 12 },
      } as unknown as ArmAtSize['cells'][number],
    ],
  });
  const at = { size: larger, real: [], reference: rowsOf([1], 1) };

  it.each([
    ['are told between clear distances', [0.004, 0.008], true],
    ['are not told where what is compared with is no more than chance', [0.0004, 0.0008], false],
    ['nor of two that are below 0', [-0.002, -0.001], false],
  ])('%s', (_, [a, b], told) => {
    const plain = armOf('none', b!, 0.001, at);
    const better = armOf('yarn', a!, 0.001, at);
    const [comparison] = compareArms([plain, better], createRng(1));
    expect(comparison).toMatchObject({ arm: 'tiny, yarn', against: 'tiny, none', told });
    const [best] = bestOf([plain, better], createRng(1));
    expect(best).toMatchObject({ size: '24x24', alike: told ? [] : ['tiny, none'] });
  });
});

describe('readers', () => {
  const of = (size: number): ReaderLike => ({
    ...reader,
    card: { ...reader.card, id: `toy-${size}`, network: { size } },
    read: async (pictures) => pictures.map(({ width }) => [width]),
  });

  it('of the size itself, else the next larger, else the largest', async () => {
    const at = (width: number, height = width) =>
      readerAt([of(64), of(16), of(32)], { width, height });
    expect(at(32)).toMatchObject({ id: 'toy-32', resized: false });
    expect(at(24)).toMatchObject({ id: 'toy-32', resized: true, side: 32 });
    expect(at(96)).toMatchObject({ id: 'toy-64', resized: true });
    expect(at(64, 16)).toMatchObject({ id: 'toy-16', resized: false });
    expect(await at(24).read([drawn([0, 2], 1, larger)])).toEqual([[32]]);
  });
});
