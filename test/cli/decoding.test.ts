/** Traces and comparisons of decoders on the command line. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTokenCache } from '../../training/data/token-cache.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';
import { run } from './run.ts';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-decoding-'));
  ({ folder: model } = await writeTinyTokenModel(folder));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const generate = (...args: string[]) =>
  run(['generate', '--model', model, '--out', join(folder, 'out'), '--threads', '1', ...args]);

test('a trace is an animated GIF', async () => {
  const trace = join(folder, 'trace.gif');
  const { code, err } = await generate('--decoder', 'scd-gumbel', '--trace', trace);
  expect(err.includes('ropewalk:') ? err : code).toBe(0);
  const gif = await readFile(trace);
  expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a');
  expect(gif.readUInt16LE(6)).toBe(256);
});

test('a trace that cannot be is refused before anything is drawn', async () => {
  const before = await readdir(folder);
  const named = await generate('--trace', join(folder, 'trace.mp4'));
  expect(named).toMatchObject({ code: 2 });
  expect(named.err).toContain('--trace: expected a name that ends in .gif');
  expect(await readdir(folder)).toEqual(before);
});

test('guidance that changes over the tokens is in the recipe, and comes back from it', async () => {
  const grows = ['--guidance', '4', '--guidance-schedule', 'cosine', '--interval', '0.25,1'];
  const made = await generate(...grows, '--json');
  expect(made.code).toBe(0);
  const [{ recipe, path }] = JSON.parse(made.out).pictures;
  const guidanceOptions = { schedule: 'cosine', from: 0.25, to: 1 };
  expect(recipe.request.sampling).toMatchObject({ guidance: 4, guidanceOptions });
  const again = await generate('--from', path, '--guidance-schedule', 'linear', '--json');
  expect(JSON.parse(again.out).pictures[0].recipe.request.sampling).toMatchObject({
    ...{ guidance: 4, guidanceOptions: { ...guidanceOptions, schedule: 'linear' } },
  });
});

/** Tokens of the tiny model's grid and words, but of a codebook that it does not have. */
async function strangeTokens(): Promise<string> {
  const path = join(folder, 'strange.safetensors');
  await writeTokenCache(path, {
    ...{ tokenizer: 'another', codebook: 'e'.repeat(64), codes: 16, data: 'none' },
    ...{ height: 16, width: 16, vocabulary: ['glasses=yes'], words: [[0]] },
    tokens: { data: new Int32Array(16), shape: [1, 4, 4] },
  });
  return path;
}

test('what does not fit is one sentence and exit code 2, and nothing is changed', async () => {
  const tokens = await strangeTokens();
  const { folder: other } = await writeTinyTokenModel(join(folder, 'others'), {
    ...{ id: 'other-codes', tokenizer: { id: 'another', digest: 'e'.repeat(64), factor: 4 } },
  });
  const before = await everyFile(folder);
  for (const [args, sentence] of [
    [['generate', '--decoder', 'sjd:window=17'], 'expected a whole number from 1 to 16, got 17'],
    [['generate', '--decoder', 'sequential', '--top-k', '17'], 'topK: expected at most 16, the'],
    [['generate', '--guidance-schedule', 'liner'], "got 'liner'; nearest: linear"],
    [['generate', '--interval', '0.8,0.2'], "two times such as 0.1,0.8, got '0.8,0.2'"],
    [['drafters', '--network', other], "expected the codes of 'tiny-tokenizer'"],
    [['drafters', '--retrieval', tokens], "got those of 'another', eeeeeeeeeeee; make them anew"],
    [['drafters', '--block', tokens], "got those of 'another', eeeeeeeeeeee; make them anew"],
  ] as const) {
    const [command, ...more] = args;
    const where = command === 'generate' ? ['--model', model, '--out', folder] : [model];
    const { code, out, err } = await run([command, ...where, ...more]);
    expect({ code, out }, err).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  }
  expect(await everyFile(folder)).toEqual(before);
});

/** Bytes by the names under a folder. */
async function everyFile(under: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(under, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path, (await readFile(path)).toString('base64'));
  }
  return found;
}

const compare = (...args: string[]) =>
  run(['evaluate', 'decoding', '--model', model, '--pictures', '2', '--threads', '1', ...args]);

test('evaluate decoding', async () => {
  const { code, out, err } = await compare('--json');
  expect(err.includes('ropewalk:') ? err : code).toBe(0);
  const rows = JSON.parse(out) as { decoder: string; equal: number; passes: number }[];
  const of = (name: string) => rows.find(({ decoder }) => decoder === name)!;
  expect(of('sequential')).toMatchObject({ equal: 1, passes: 16 });
  expect(of('fixed-noise').equal).toBe(1);
  expect(of('fixed-noise').passes).toBeLessThanOrEqual(16);
  const wrong = await compare('--decoders', 'sjd,jump');
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain("got 'jump'");
});

test('decoders are drawn as a chart; too few pictures have no kernel distance', async () => {
  const chart = join(folder, 'charts/decoding.svg');
  const { code } = await compare('--chart', chart, '--decoders', 'sequential,fixed-noise');
  expect(code).toBe(0);
  const svg = await readFile(chart, 'utf8');
  expect(svg).toContain('<svg');
  for (const name of ['sequential', 'fixed-noise']) expect(svg).toContain(name);
  const few = await compare('--kid');
  expect(few).toMatchObject({ code: 2, err: expect.stringContaining('at least 20 pictures') });
  const strange = await compare('--chart', join(folder, 'chart.gif'));
  expect(strange).toMatchObject({ code: 2, err: expect.stringContaining('.svg or .png') });
});

test('drafters are given to a model, and then asked for by name and options', async () => {
  const missing = await generate('--decoder', 'speculative:drafter=network,length=3');
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("got 'network', which") });
  const nothing = await run(['drafters', model]);
  expect(nothing).toMatchObject({
    code: 2,
    err: expect.stringContaining('--network, --retrieval'),
  });
  expect(await run(['drafters', model, '--network', model])).toMatchObject({ code: 0 });
  const made = await generate('--decoder', 'speculative:drafter=network,length=3', '--json');
  expect(made.code).toBe(0);
  const [{ recipe, path }] = JSON.parse(made.out).pictures;
  expect(recipe.request.sampling).toMatchObject({
    ...{ decoder: 'speculative', decoderOptions: { drafter: 'network', length: 3 } },
  });
  // Another decoder does not inherit the options of the first.
  const again = await generate('--from', path, '--decoder', 'sequential', '--json');
  expect(JSON.parse(again.out).pictures[0].recipe.request.sampling).not.toHaveProperty(
    'decoderOptions',
  );
  const card = join(model, 'model.json');
  const written = await readFile(card, 'utf8');
  const { drafters, ...rest } = JSON.parse(written);
  expect(recipe.drafter).toBe(drafters.network.digest);
  expect(JSON.parse(again.out).pictures[0].recipe).not.toHaveProperty('drafter');
  const network = { ...drafters.network, digest: 'f'.repeat(64) };
  await writeFile(card, JSON.stringify({ ...rest, drafters: { network } }));
  const other = await run(['generate', '--from', path], { env: { ROPEWALK_MODELS: folder } });
  expect(other).toMatchObject({
    ...{ code: 2, err: expect.stringContaining('expected the drafter that the picture was made') },
  });
  await writeFile(card, written);
  const { out } = await compare('--decoders', 'speculative:drafter=network,length=3', '--json');
  expect(JSON.parse(out)).toMatchObject([
    { decoder: 'speculative:drafter=network,length=3', property: 'lossless' },
  ]);
  const wrong = await generate('--decoder', 'speculative:length');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('expected a decoder such') });
});
