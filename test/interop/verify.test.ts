import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Adapters } from '../../interop/verify/adapter.ts';
import { compare } from '../../interop/verify/compare.ts';
import { type Fixture, outputsOf, readFixture } from '../../interop/verify/fixture.ts';
import { verifyFixture, verifyPath } from '../../interop/verify/verify.ts';
import { createEngine } from '../../tensor/engine.ts';

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/a/', import.meta.url));
const engine = createEngine({ threads: 1 });
const reference = createEngine({ name: 'reference' });
afterAll(() => expect([engine.open, reference.open]).toEqual([0, 0]));

async function verified(path: string, on = engine) {
  const lines: string[] = [];
  const result = await verifyPath(path, { engine: on, say: (line) => lines.push(line) });
  return { ...result, lines, failures: lines.filter((line) => line.startsWith('FAIL')) };
}

describe('published code and ours agree', () => {
  const systems = ['dit', 'sit', 'lightningdit', 'jit', 'fit', 'timm_torch', 'metrics', 'sjd'];
  test.each([...systems, 'star/rope.json', 'randar/rope_extrapolation.json'])(
    '%s',
    async (path) => {
      const { passed, failed, failures } = await verified(join(FIXTURES, path));
      expect(failures).toEqual([]);
      expect(failed).toBe(0);
      expect(passed).toBeGreaterThan(0);
    },
  );

  test("LlamaGen's tokenizer and transformer", async () => {
    const { passed, failures } = await verified(join(FIXTURES, 'llamagen'));
    expect(failures).toEqual([]);
    expect(passed).toBe(43);
  });

  test.each([
    'dit/model',
    'dit/grads',
    'sit/grads',
    'lightningdit/rope_and_loss',
    'jit/grads',
    'fit/model',
    'fit/rope',
    'star/rope',
    'randar/rope_extrapolation',
    'llamagen/vq',
    'llamagen/gpt_t2i',
    'llamagen/grads_c2i',
    'timm_torch/torch_ops',
  ])('%s on the reference engine', async (name) => {
    const { failures } = await verified(join(FIXTURES, `${name}.json`), reference);
    expect(failures).toEqual([]);
  });

  test('every output has a line with its difference and tolerance', async () => {
    const path = join(FIXTURES, 'timm_torch/sdpa.json');
    const { lines, passed } = await verified(path);
    expect(passed).toBe(outputsOf(await readFixture(path)).length);
    expect(lines).toHaveLength(passed);
    for (const line of lines)
      expect(line).toMatch(
        /^pass {2}timm_torch\/sdpa: \w+ {2}difference \d\.\d\de[+-]\d+( from float64)?, tolerance \d\.\d\de[+-]\d+$/,
      );
  });
});

describe('what is wrong fails', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'verify-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A copy of a fixture in a folder of its own, with one stored number moved by a hundredth. */
  function changed(name: string, tensor: string): string {
    const own = mkdtempSync(join(folder, 'changed-'));
    const title = name.split('/')[1]!;
    for (const end of ['json', 'safetensors'])
      cpSync(join(FIXTURES, `${name}.${end}`), join(own, `${title}.${end}`));
    const path = join(own, `${title}.safetensors`);
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, start));
    const at = start + header[tensor].data_offsets[0];
    bytes.writeFloatLE(bytes.readFloatLE(at) + 0.01, at);
    writeFileSync(path, bytes, { mode: 0o600 });
    return own;
  }

  test('a weight that differs by 0.01', async () => {
    const { failed, failures } = await verified(
      changed('dit/model', 'weights/blocks.0.mlp.fc1.weight'),
    );
    expect(failed).toBe(2);
    expect(failures[0]).toMatch(/^FAIL {2}dit\/model: \w+ {2}difference .*, tolerance /);
  });

  test('an expected number that differs by 0.01', async () => {
    const { passed, failures } = await verified(changed('dit/model', 'out/forward'));
    expect(passed).toBe(1);
    expect(failures.map((line) => line.split('  ')[1])).toEqual(['dit/model: forward']);
  });

  test("rotations whose axes are swapped: rows of q and k exchanged between a head's halves", async () => {
    const fixture = await readFixture(join(FIXTURES, 'lightningdit/model.json'));
    const heads = fixture.config.num_heads as number;
    const tensors = { ...fixture.tensors };
    for (const [name, { data, shape }] of Object.entries(fixture.tensors)) {
      if (!/^weights\/.*qkv\.(weight|bias)$/.test(name)) continue;
      const width = shape[0]! / 3;
      const [size, row] = [width / heads, data.length / shape[0]!];
      const swapped = data.slice();
      for (let i = 0; i < 2 * width; i++) {
        const from = i - (i % size) + ((i + size / 2) % size);
        swapped.set(data.subarray(from * row, (from + 1) * row), i * row);
      }
      tensors[name] = { data: swapped, shape };
    }
    const whole = outputsOf(fixture).length;
    expect(await verifyFixture(fixture, { engine })).toEqual({ passed: whole, failed: 0 });
    const result = await verifyFixture({ ...fixture, tensors }, { engine });
    expect(result).toEqual({ passed: 0, failed: whole });
  });

  test.each([
    ['fit', 'model', 'ori_max_pe_len'],
    ['fit', 'rope', 'ori'],
    ['star', 'rope', 'normalize'],
    ['randar', 'rope_extrapolation', 'cls'],
  ])('%s/%s with another %s in its configuration', async (system, name, key) => {
    const fixture = await readFixture(join(FIXTURES, system, `${name}.json`));
    const { config } = fixture;
    const { model } = config as { model?: object };
    const other = model
      ? {
          ...config,
          model: { ...model, custom_freqs: 'yarn', [key]: 2, max_pe_len_h: 8, max_pe_len_w: 8 },
        }
      : { ...config, [key]: (config[key] as number) + 1 };
    const { failed } = await verifyFixture({ ...fixture, config: other }, { engine });
    expect(failed).toBeGreaterThan(0);
  });

  test("FiT's network with padding that all tokens see", async () => {
    const fixture = await readFixture(join(FIXTURES, 'fit/model.json'));
    const mask = fixture.tensors['in/mask']!;
    const tensors = {
      ...fixture.tensors,
      'in/mask': { ...mask, data: new Float64Array(mask.data.length).fill(1) },
    };
    const { failed } = await verifyFixture({ ...fixture, tensors }, { engine });
    expect(failed).toBe(4);
  });

  test('a system and a fixture without an adapter', async () => {
    const fixture = await readFixture(join(FIXTURES, 'timm_torch/sdpa.json'));
    for (const other of [{ system: 'nobody' }, { name: 'nothing' }, { system: 'constructor' }]) {
      const lines: string[] = [];
      const say = (line: string) => lines.push(line);
      const result = await verifyFixture({ ...fixture, ...other }, { engine, say });
      expect(result).toEqual({ passed: 0, failed: 1 });
      expect(lines[0]).toMatch(/^FAIL .*there is no adapter/);
    }
  });

  const fixture: Fixture = {
    system: 'made-up',
    name: 'sums',
    files: ['none'],
    config: {},
    call: '',
    precision: { 'out/sum': { suggested_atol: 0.1 } },
    tensors: { 'out/sum': { data: Float64Array.of(1, 2), shape: [2] } },
  };
  const computing = (computed: Record<string, number[]>): Adapters => ({
    'made-up': { sums: async () => computed },
  });
  const verdict = async (adapters: Adapters, given = fixture) => {
    const lines: string[] = [];
    await verifyFixture(given, { engine, adapters, say: (line) => lines.push(line) });
    return lines.join('\n');
  };

  test('outputs that are not computed, not stored, of other sizes or not finite', async () => {
    expect(await verdict(computing({ sum: [1, 2.05] }))).toMatch(/^pass/);
    expect(await verdict(computing({ sum: [1, 2.2] }))).toMatch(/^FAIL/);
    expect(await verdict(computing({}))).toMatch(/^FAIL .*does not compute it/);
    expect(await verdict(computing({ sum: [1] }))).toMatch(/^FAIL .*expected 2 values, got 1/);
    expect(await verdict(computing({ sum: [1, Number.NaN] }))).toMatch(/^FAIL/);
    const precision = { ...fixture.precision, 'out/lost': {} };
    const lines = await verdict(computing({ sum: [1, 2], lost: [1] }), { ...fixture, precision });
    expect(lines).toMatch(/FAIL .*lost {2}the files do not hold it/);
  });

  test('an adapter that throws, with its sentence', async () => {
    const adapters: Adapters = {
      'made-up': { sums: () => Promise.reject(new RangeError('expected a width of 4')) },
    };
    expect(await verdict(adapters)).toBe('FAIL  made-up/sums: expected a width of 4');
  });

  test('a file that is no fixture; an empty folder and a missing path are told apart', async () => {
    const own = mkdtempSync(join(folder, 'odd-'));
    await expect(verified(own)).rejects.toThrow(/expected fixtures .* got none/);
    await expect(verified(join(own, 'missing'))).rejects.toThrow(/expected a folder or a fixture/);
    writeFileSync(join(own, 'broken.json'), '{');
    writeFileSync(join(own, 'other.json'), '{"system":"dit"}');
    const { passed, failed, failures } = await verified(own);
    expect([passed, failed]).toEqual([0, 2]);
    expect(failures.join('\n')).toMatch(/broken\.json: expected JSON[\s\S]*other\.json/);
  });

  test('the rule: near the float32 output, or 4 times as near the float64 one as it is', () => {
    const own: Fixture = {
      ...fixture,
      precision: { 'out/a': { suggested_atol: 0.001 }, 'out/i': { integer: true } },
      tensors: {
        'out/a': { data: Float64Array.of(1), shape: [1] },
        'out64/a': { data: Float64Array.of(1.01), shape: [1] },
        'out/i': { data: Float64Array.of(3), shape: [1] },
      },
    };
    const judged = (value: number, name = 'a') => compare([value], own, name);
    expect(judged(1.0005)).toMatchObject({ pass: true, against: 'float32' });
    expect(judged(1.049)).toMatchObject({ pass: true, against: 'float64' });
    expect(judged(1.051)).toMatchObject({ pass: false, against: 'float32', tolerance: 0.001 });
    expect(judged(3, 'i').pass).toBe(true);
    expect(judged(3.0001, 'i').pass).toBe(false);
  });
});
