import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TokenizerConfig, tokenizerParts } from '../../encoders/tokenizers/tokenizer.ts';
import { CODEBOOK } from '../../encoders/tokenizers/vq.ts';
import { createEngine } from '../../tensor/engine.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import {
  parseTokenizerTraining,
  readTokenizerTraining,
  type TokenizerTraining,
} from '../../training/tokenizer-config.ts';
import { type TokenizerProgress, trainTokenizer } from '../../training/tokenizer-run.ts';
import { shapes } from './tiny.ts';
import { tinyTokenizer, tinyVq } from './tiny-tokenizer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function runTo(config: TokenizerTraining, name: string, stopAfter?: number) {
  const engine = createEngine({ threads: 1 });
  const stop = new AbortController();
  const seen: TokenizerProgress[] = [];
  const { update, finished } = await trainTokenizer(config, {
    engine,
    data: shapes(40),
    heldOut: shapes(16, 9),
    folder: join(folder, name),
    signal: stop.signal,
    onStep: (progress) => {
      seen.push(progress);
      if (progress.step === stopAfter) stop.abort();
    },
  });
  await update.dispose();
  expect(engine.open).toBe(0);
  return { seen, finished };
}

async function stateOf(name: string) {
  const latest = await readFile(join(folder, name, 'latest'), 'utf8');
  const parts = ['weights', 'ema', 'moments'].map(async (part) => {
    const { tensors } = await readSafetensors(join(folder, name, latest, `${part}.safetensors`));
    return [part, tensors] as const;
  });
  return { latest, ...Object.fromEntries(await Promise.all(parts)) };
}

const withQuantiser = (quantiser: object, changes: Record<string, unknown> = {}) =>
  tinyTokenizer({ tokenizer: { ...tinyTokenizer().tokenizer, quantiser }, ...changes });

describe("a tokenizer's run", () => {
  test.each(['average', 'gradient'] as const)(
    'stopped and continued is the same run, bit for bit, with a codebook by %s and its resets',
    async (codebook) => {
      const config = withQuantiser(tinyVq(codebook), { accumulate: 2 });
      const whole = await runTo(config, 'whole');
      const first = await runTo(config, 'parts', 5);
      expect([whole.finished, first.finished]).toEqual([true, false]);
      const second = await runTo(config, 'parts');
      expect(await stateOf('parts')).toEqual(await stateOf('whole'));
      const lossesOf = (steps: readonly TokenizerProgress[]) =>
        steps.map(({ step, loss, norm }) => ({ step, loss, norm }));
      expect(lossesOf([...first.seen, ...second.seen])).toEqual(lossesOf(whole.seen));
    },
  );

  test('resets are what they seem: without them the codebook is another', async () => {
    await runTo(tinyTokenizer(), 'with');
    await runTo(tinyTokenizer({ codebook: { decay: 0.9 } }), 'without');
    const codesOf = async (name: string) => {
      const { tensors } = await readSafetensors(join(folder, name, 'step-12/weights.safetensors'));
      return tensors[CODEBOOK]!.data;
    };
    expect(await codesOf('with')).not.toEqual(await codesOf('without'));
  });

  test.each([
    ['vq', tinyTokenizer()],
    ['fsq', withQuantiser({ kind: 'fsq', levels: [4, 4, 3] }, { codebook: undefined })],
  ])('learns, with %s: the held-out error falls; a sheet is written', async (name, config) => {
    const steps = 60;
    const every = { checkpoint: steps, heldOut: 6, sheet: steps };
    const { seen } = await runTo({ ...config, steps, batch: 16, every }, name);
    const losses = seen.flatMap(({ heldOutLoss }) =>
      heldOutLoss === undefined ? [] : [heldOutLoss],
    );
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect(seen.at(-1)!.codesUsed!).toBeGreaterThan(0.1);
    const sheet = await stat(join(folder, name, 'sheets', `step-${steps}.png`));
    expect(sheet.size).toBeGreaterThan(500);
  });
});

test('configurations that do not fit together are refused in a sentence', () => {
  const { codebook: _, ...without } = tinyTokenizer();
  expect(() => parseTokenizerTraining(without, 'x.json')).toThrow(
    /x\.json: 'codebook': expected it for a vq quantiser/,
  );
  const quantiser = { kind: 'fsq', levels: [4, 4, 3] };
  expect(() => withQuantiser(quantiser)).toThrow(/'codebook': expected nothing for fsq/);
  expect(() => withQuantiser({ kind: 'fsq', levels: [2] }, { codebook: undefined })).toThrow(
    /tokenizer\.quantiser/,
  );
});

test('the configuration of the tokenizer that ships: 16 x 16 tokens of 1024 in 8 MB', async () => {
  const path = fileURLToPath(
    new URL('../../training/configs/avatars-tokenizer.json', import.meta.url),
  );
  const { data, tokenizer } = await readTokenizerTraining(path);
  const { network, quantiser, shapes: all } = tokenizerParts(tokenizer as TokenizerConfig);
  expect(data.size / network.factor).toBe(16);
  expect(quantiser.vocabulary).toBeGreaterThanOrEqual(1024);
  const numbers = Object.values(all).reduce((sum, shape) => sum + sizeOf(shape), 0);
  expect(2 * numbers).toBeLessThan(8e6);
});

test('pictures that the factor does not divide', async () => {
  const network = { ...tinyTokenizer().tokenizer.network, patch: 5 };
  const config = tinyTokenizer({ tokenizer: { network, quantiser: tinyVq() } });
  await expect(runTo(config, 'odd')).rejects.toThrow(/multiple of the tokenizer's factor \(5\)/);
});
