/** `evaluate resolution` and `evaluate positions` to their end: a model drawn by the real painter, real drawings, real judges. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPart } from '../../evaluation/resolution/cell-files.ts';
import { seedsOf } from '../../evaluation/resolution/plan.ts';
import type { DiTCard } from '../../generators/model.ts';
import { createDiffusionPipeline } from '../../pipelines/diffusion.ts';
import { createEngine } from '../../tensor/engine.ts';
import { openAvatars } from '../../training/data/avatars.ts';
import { writeTinyComparison } from '../evaluation/tiny-comparison.ts';
import { tinyModel } from '../pipelines/tiny-model.ts';
import { type RunOptions, run } from './run.ts';

const SAMPLES = 8;
const SIZES = [16, 24]; // 4 x 4 tokens, as trained, and 6 x 6
const CELLS = 3; // at 16 px yarn changes nothing, so its pictures are those of none

let folder: string;
let changes: Partial<DiTCard>;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whole-cli-'));
  changes = await writeTinyComparison(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const evaluate = (what: string, options: readonly string[], given: RunOptions = {}) =>
  run(['evaluate', what, ...options, '--cache', at('cache')], {
    ...given,
    env: { ROPEWALK_MODELS: folder },
  });

describe('ropewalk evaluate resolution', () => {
  const out = () => at('sizes');
  const compare = (given?: RunOptions, also: readonly string[] = []) => {
    const what = ['--models', 'tiny', '--sizes', SIZES.join(','), '--extend', 'none,yarn'];
    const judged = ['--samples', `${SAMPLES}`, '--reference', '8', '--features', at('pixels.onnx')];
    return evaluate('resolution', [...what, ...judged, ...also, '--out', out()], given);
  };
  /** The files of pictures there are, with when they were written. */
  async function parts(): Promise<Record<string, number>> {
    const names = await readdir(out(), { recursive: true }).catch((): string[] => []);
    const pictures = names.filter((name) => /pictures-[\d-]+\.png$/.test(name));
    const times = pictures.map(async (name) => [name, (await stat(join(out(), name))).mtimeMs]);
    return Object.fromEntries(await Promise.all(times));
  }

  it('killed and started again draws what is missing, and writes its report', async () => {
    const killed = await compare({
      onErr(text, stop) {
        if (!text.includes('pictures to draw and measure')) return;
        const watch = setInterval(async () => {
          if (Object.keys(await parts()).length === 0) return;
          stop.abort();
          clearInterval(watch);
        }, 2);
      },
    });
    const first = await parts();
    const kept = Object.keys(first).length;
    expect([killed.code, killed.out]).toEqual([130, '']);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(CELLS);
    expect(existsSync(join(out(), 'report.html'))).toBe(false);

    const finished = await compare();
    expect([finished.code, finished.err]).toEqual([0, expect.any(String)]);
    const all = CELLS * SAMPLES;
    expect(finished.err).toContain(`${all - kept * SAMPLES} of ${all} pictures to draw`);
    expect(finished.out).toContain(join(out(), 'report.html'));
    const second = await parts();
    expect(Object.keys(second)).toHaveLength(CELLS);
    expect(second).toMatchObject(first);

    const report = () => readFile(join(out(), 'report.json'), 'utf8');
    const { rows } = JSON.parse(await report());
    const told = rows.map(({ extend, size, unchanged }: Record<string, unknown>) => [
      ...[size, extend, unchanged],
    ]);
    expect(told).toEqual([
      ['16x16', 'none', false],
      ['16x16', 'yarn', true],
      ['24x24', 'none', false],
      ['24x24', 'yarn', false],
    ]);
    for (const { numbers } of rows)
      for (const [name, { value }] of Object.entries<{ value: number }>(numbers))
        expect(Number.isFinite(value), name).toBe(true);
    const page = await readFile(join(out(), 'report.html'), 'utf8');
    expect(page.replaceAll(/base64,[^"]+/g, '')).not.toMatch(/NaN|undefined|Infinity/);

    const before = await report();
    const again = await compare();
    expect(again.err).not.toContain('to draw and measure');
    expect(await report()).toBe(before);
    expect(await parts()).toEqual(second);
  }, 180_000);

  it('draws held-out combinations beside what it has, and looks through training drawings', async () => {
    const before = await parts();
    const more = await compare({}, ['--held-out', '4', '--trained', '48']);
    expect([more.code, more.err]).toEqual([0, expect.any(String)]);
    expect(more.err).toContain(`${4 * CELLS} of ${CELLS * (SAMPLES + 4)} pictures to draw`);
    const after = await parts();
    expect(after).toMatchObject(before);
    expect(Object.keys(after)).toHaveLength(2 * CELLS);
    const { rows, made } = JSON.parse(await readFile(join(out(), 'report.json'), 'utf8'));
    for (const { numbers } of rows) expect(numbers.nearest.value).toBeGreaterThan(0);
    expect(made.join(' ')).toContain('Held-out combinations: 4 further pictures a cell');
    expect(made.join(' ')).toContain('among 48 of training');
    const page = await readFile(join(out(), 'report.html'), 'utf8');
    expect(page.replaceAll(/base64,[^"]+/g, '')).not.toMatch(/NaN|undefined|Infinity/);
  }, 180_000);

  it('has drawn what the pipeline draws with that extension, those seeds and words', async () => {
    const cells = join(out(), 'cells', 'tiny');
    const [yarn] = (await readdir(cells)).filter((name) => /^24x24-yarn(?!.*held)/.test(name));
    const size = { width: 24, height: 24 };
    const drawn = await readPart(join(cells, yarn!), { from: 0, to: SAMPLES }, size);
    const data = await openAvatars({
      ...{ size: 24, count: SAMPLES + 8, split: 'validation', cache: at('cache') },
    });
    const picture = async (extend?: string) => {
      const model = tinyModel({
        ...changes,
        positions: { rotate: 'axial', ...(extend ? { extend } : {}) },
      });
      const pipeline = createDiffusionPipeline({ engine: createEngine(), model });
      const words = data.words(2).map((id) => ({ id }));
      const [one] = await pipeline.draw([{ words, seed: seedsOf(0, SAMPLES)[2]! }], { size });
      await pipeline.dispose();
      return one!;
    };
    const third = drawn!.pictures[2]!;
    expect(third).toEqual(await picture('yarn'));
    expect(third).not.toEqual(await picture());
  }, 60_000);
});

describe('ropewalk evaluate positions', () => {
  it('writes what every method offers and what the model makes of places', async () => {
    const out = at('positions');
    const asked = ['--models', 'tiny', '--sizes', SIZES.join(','), '--pictures', '4'];
    const also = ['--tokenizers', 'tokenizer-avatars-64', '--out', out];
    const { code, err, out: said } = await evaluate('positions', [...asked, ...also]);
    expect([code, err]).toEqual([0, expect.any(String)]);
    expect(said).toBe(`${join(out, 'positions.html')}\n`);
    const text = await readFile(join(out, 'positions.json'), 'utf8');
    const { methods, models, decoders } = JSON.parse(text);
    expect(methods.length).toBeGreaterThan(50);
    expect(models).toMatchObject(
      SIZES.map((side) => ({ model: 'tiny', size: { width: side, height: side }, pictures: 4 })),
    );
    for (const { blocks } of models) expect(blocks).toHaveLength(2);
    const [{ size, pattern }] = decoders;
    expect([size, pattern.byBorder.length]).toEqual([{ width: 64, height: 64 }, 32]);
    expect(pattern.mean).toBeGreaterThan(0);
    const page = await readFile(join(out, 'positions.html'), 'utf8');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  }, 180_000);
});
