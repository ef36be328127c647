import { afterAll, describe, expect, test } from 'vitest';
import { CONV_PRESETS } from '../../../encoders/tokenizers/conv.ts';
import { patchify, unpatchify } from '../../../encoders/tokenizers/patches.ts';
import {
  createTokenizer,
  type TokenizerConfig,
  tokenizerParts,
} from '../../../encoders/tokenizers/tokenizer.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';

const VQ = { kind: 'vq', codes: 16, width: 4, commitment: 0.25, entropy: 0 } as const;
const CONFIGS: Record<string, TokenizerConfig> = {
  conv: {
    network: { kind: 'conv', channels: 8, multipliers: [1, 2], blocks: 1, latent: 8, groups: 4 },
    quantiser: { ...VQ, codebook: 'gradient' },
  },
  'patch transformer': {
    network: {
      kind: 'patch-transformer',
      patch: 4,
      width: 16,
      depth: [1, 2],
      heads: 2,
      hidden: 24,
    },
    quantiser: { kind: 'fsq', levels: [5, 4, 3] },
  },
};
const engine = createEngine({ threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

/** Weights that are not zero anywhere: branches that start at zero would hide what they do. */
function weightsOf(config: TokenizerConfig) {
  const { shapes } = tokenizerParts(config);
  const rng = createRng(5);
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const scale = shape.length > 1 ? Math.sqrt(1 / sizeOf(shape.slice(1))) : 0.3;
      const offset = /norm\w*\.weight$/.test(name) ? 1 : 0;
      const data = rng
        .stream(name)
        .normals(sizeOf(shape))
        .map((v) => offset + scale * v);
      return [name, { data, shape }];
    }),
  );
}

const pictures = (shape: readonly number[], seed = 1) => ({
  data: createRng(seed)
    .normals(sizeOf(shape))
    .map((v) => Math.tanh(v)),
  shape,
});

test("VQ-16 has LlamaGen's 344 tensors and 71.88 million numbers, but for a record of the codes that were met", () => {
  const { shapes } = tokenizerParts({
    network: CONV_PRESETS['vq-16'],
    quantiser: { ...VQ, codes: 16384, width: 8, codebook: 'gradient' },
  });
  const numbers = Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
  expect(Object.keys(shapes)).toHaveLength(344 - 1);
  expect((numbers / 1e6).toFixed(2)).toBe('71.88');
});

describe.each(Object.entries(CONFIGS))('%s', (_, config) => {
  const weights = weightsOf(config);
  const { network, quantiser } = tokenizerParts(config);
  const { factor } = network;

  test('new weights are all there', () => {
    const parts = tokenizerParts(config);
    const fresh = Object.entries(parts.init(createRng(1)));
    expect(Object.fromEntries(fresh.map(([name, { shape }]) => [name, shape]))).toEqual(
      parts.shapes,
    );
    for (const [name, { data, shape }] of fresh) expect(data.length, name).toBe(sizeOf(shape));
  });

  test('any grid: tokens of the factor, all in the vocabulary, and pictures of the size again', async () => {
    const tokenizer = createTokenizer(engine, { config, weights, batch: 2 });
    expect(tokenizer).toMatchObject({ factor, vocabulary: quantiser.vocabulary });
    for (const [h, w] of [
      [4, 4],
      [3, 7],
    ] as const) {
      const x = pictures([3, h * factor, w * factor, 3]);
      const tokens = await tokenizer.encode(x);
      expect(tokens.shape).toEqual([3, h, w]);
      expect(tokens.data).toBeInstanceOf(Int32Array);
      expect(new Set(tokens.data).size).toBeGreaterThan(2);
      expect(Math.max(...tokens.data)).toBeLessThan(quantiser.vocabulary);
      const back = await tokenizer.decode(tokens);
      expect(back.shape).toEqual(x.shape);
      expect(back.data.every(Number.isFinite)).toBe(true);
    }
    await tokenizer.dispose();
  });

  test('a picture has the same tokens, and they the same picture, in any batch', async () => {
    const x = pictures([5, 4 * factor, 4 * factor, 3]);
    const results = [];
    for (const batch of [1, 3, 8]) {
      const tokenizer = createTokenizer(engine, { config, weights, batch });
      const tokens = await tokenizer.encode(x);
      results.push({ tokens, back: await tokenizer.decode(tokens) });
      await tokenizer.dispose();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  test('both engines agree', async () => {
    const x = pictures([2, 3 * factor, 2 * factor, 3]);
    const [a, b] = await Promise.all(
      [engine, createEngine({ name: 'reference' })].map(async (on) => {
        const tokenizer = createTokenizer(on, { config, weights, batch: 2 });
        const tokens = await tokenizer.encode(x);
        const back = await tokenizer.decode(tokens);
        await tokenizer.dispose();
        return { tokens, back };
      }),
    );
    expect([...a!.tokens.data]).toEqual([...b!.tokens.data]);
    // float32 sums in another order, through about 20 layers
    expectClose(a!.back.data, b!.back.data, { rtol: 1e-3, atol: 1e-4 });
  });

  test('sides that do not fit and tokens of another codebook are refused in a sentence', async () => {
    const tokenizer = createTokenizer(engine, { config, weights });
    await expect(tokenizer.encode(pictures([1, factor + 1, factor, 3]))).rejects.toThrow(
      `expected sides that are multiples of ${factor}, got ${factor}x${factor + 1}`,
    );
    await expect(tokenizer.encode(pictures([1, factor, factor, 1]))).rejects.toThrow(
      /expected pictures \[B, H, W, 3\]/,
    );
    const data = new Int32Array(2 * 2 * 3);
    data[10] = quantiser.vocabulary;
    await expect(tokenizer.decode({ data, shape: [2, 2, 3] })).rejects.toThrow(
      `got ${quantiser.vocabulary} at row 1, column 1 of picture 1; they are of another codebook`,
    );
    expect(engine.open).toBe(0);
  });
});

test.each([
  ['rows', 1],
  ['columns', 2],
])(
  'a patch transformer sees places: patches with their %s in reverse get other latents',
  async (_, axis) => {
    const config = CONFIGS['patch transformer']!;
    const { network } = tokenizerParts(config);
    const shape = [1, 16, 16, 3];
    const program = await engine.compile(
      ({ inputs, weights: w }) => {
        const patches = inputs.x!.reshape([1, 4, 4, 4, 4, 3]).transpose([0, 1, 3, 2, 4, 5]);
        const turned = tf.reverse(patches, axis).transpose([0, 1, 3, 2, 4, 5]).reshape(shape);
        const straight = network.encode(w, inputs.x!); // [1, 4, 4, d]
        return { outputs: { straight, back: tf.reverse(network.encode(w, turned), axis) } };
      },
      { inputs: { x: { shape } }, weights: weightsOf(config) },
    );
    const { straight, back } = await program.run({ x: pictures(shape) });
    await program.dispose();
    // Without places both would differ by rounding only.
    expect(largestDifference(straight!.data, back!.data)).toBeGreaterThan(0.01);
  },
);

test('unpatchify undoes patchify once the channels of a patch are last', () => {
  const x = tf.tensor(pictures([2, 6, 9, 2]).data, [2, 6, 9, 2]);
  const rows = patchify(x, 3);
  const last = rows.reshape([2, 6, 2, 9]).transpose([0, 1, 3, 2]).reshape([2, 6, 18]);
  expect([...unpatchify(last, 3, 6, 9).dataSync()]).toEqual([...x.dataSync()]);
});
