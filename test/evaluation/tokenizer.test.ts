import { describe, expect, test } from 'vitest';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import { evaluateTokenizer, usageOf } from '../../evaluation/evaluate-tokenizer.ts';
import { kid } from '../../evaluation/metrics/kid.ts';
import { figureOf, psnr, squaredError, ssim } from '../../evaluation/reconstruction.ts';
import type { TokenizerCard } from '../../generators/tokenizer-card.ts';
import type { Picture } from '../../png.ts';
import { createRng } from '../../tensor/rng.ts';
import { rowsOf } from '../../tensor/rows.ts';

/** White with a grey square from (4, 4) to (11, 11) that has a white hole in its middle. */
function square(size = 16, grey = 100): Picture {
  const data = new Uint8Array(size * size * 3).fill(255);
  for (let y = 4; y < 12; y++)
    for (let x = 4; x < 12; x++)
      if (!(y >= 7 && y < 9 && x >= 7 && x < 9))
        data.fill(grey, 3 * (y * size + x), 3 * (y * size + x) + 3);
  return { data, width: size, height: size };
}
const changed = (picture: Picture, change: (value: number, i: number) => number): Picture => ({
  ...picture,
  data: picture.data.map(change),
});

describe('the figure', () => {
  test('is what the background does not reach: holes belong to it', () => {
    const figure = figureOf(square());
    expect(figure.reduce((a, b) => a + b, 0)).toBe(64);
    expect(figure[8 * 16 + 8]).toBe(1);
    expect(figure[3 * 16 + 4]).toBe(0);
  });

  test('only exactly the corner colour is background; a flat picture has no figure', () => {
    const nearly = changed(square(), (value, i) => (i === 3 * 5 ? 254 : value));
    expect(figureOf(nearly)[5]).toBe(1);
    expect(figureOf(changed(square(), () => 9)).every((inside) => inside === 0)).toBe(true);
  });
});

describe('PSNR', () => {
  test('of a known error over the figure and over all', () => {
    const wanted = square();
    const made = changed(wanted, (value) => (value === 100 ? 151 : value));
    const error = 60 * 0.2 ** 2;
    expect(psnr(squaredError(made, wanted, figureOf(wanted)))).toBeCloseTo(
      -10 * Math.log10(error / 64),
      6,
    );
    expect(psnr(squaredError(made, wanted))).toBeCloseTo(-10 * Math.log10(error / 256), 6);
  });

  test('of equal pictures is that of rounding; errors in the background do not touch the figure', () => {
    const wanted = square();
    const mask = figureOf(wanted);
    const made = changed(wanted, (value, i) => (mask[Math.floor(i / 3)] ? value : 0));
    expect(psnr(squaredError(made, wanted, mask))).toBeCloseTo(20 * Math.log10(255) + 10.79, 1);
    expect(psnr(squaredError(made, wanted))).toBeLessThan(2);
  });
});

describe('SSIM', () => {
  const noise = createRng(4);
  const busy: Picture = {
    width: 24,
    height: 20,
    data: Uint8Array.from({ length: 24 * 20 * 3 }, () => noise.integer(256)),
  };
  test('1 for equal pictures, and of two flat ones what their levels say', () => {
    expect(ssim(busy, busy)).toBeCloseTo(1, 12);
    const flat = (level: number) => changed(busy, () => level);
    const [a, b] = [51 / 255, 204 / 255];
    const expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4);
    expect(ssim(flat(51), flat(204))).toBeCloseTo(expected, 9);
  });

  test('one window of 11 x 11 from its moments', () => {
    const crop = (picture: Picture): Picture => ({
      ...picture,
      width: 11,
      height: 11,
      data: picture.data.slice(0, 363),
    });
    const x = crop(busy);
    const y = changed(x, (value, i) => (value + 3 * i) % 256);
    const luma = ({ data }: Picture, i: number) =>
      (0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!) / 255;
    const weight = (i: number) =>
      Math.exp(-(((i % 11) - 5) ** 2 + (Math.floor(i / 11) - 5) ** 2) / 4.5);
    const places = Array.from({ length: 121 }, (_, i) => i);
    const total = places.reduce((sum, i) => sum + weight(i), 0);
    const mean = (of: (i: number) => number) =>
      places.reduce((sum, i) => sum + (weight(i) / total) * of(i), 0);
    const [mx, my] = [mean((i) => luma(x, i)), mean((i) => luma(y, i))];
    const vx = mean((i) => (luma(x, i) - mx) ** 2);
    const vy = mean((i) => (luma(y, i) - my) ** 2);
    const cov = mean((i) => (luma(x, i) - mx) * (luma(y, i) - my));
    const expected =
      ((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / ((mx ** 2 + my ** 2 + 1e-4) * (vx + vy + 9e-4));
    expect(ssim(x, y)).toBeCloseTo(expected, 9);
  });

  test('falls with noise, and refuses pictures of other sizes', () => {
    const noisy = (strength: number) =>
      changed(square(24), (value, i) => Math.min(255, Math.max(0, value + ((i * 37) % strength))));
    expect(ssim(noisy(20), square(24))).toBeGreaterThan(ssim(noisy(90), square(24)));
    expect(() => ssim(square(8), square(8))).toThrow(/at least 11 pixels/);
  });
});

test('codes used and perplexity', () => {
  expect(usageOf(Float64Array.of(2, 2, 0, 2, 2))).toEqual({ used: 0.8, perplexity: 4 });
  expect(usageOf(Float64Array.of(9, 0)).perplexity).toBe(1);
});

test('an evaluation of a tokenizer whose answer is known: every token is the grey of its picture', async () => {
  const pictures = Array.from({ length: 30 }, (_, i) => square(16, 40 + 4 * (i % 8)));
  const card = { id: 'oracle', digest: '7'.repeat(64) } as TokenizerCard;
  const tokenizer = {
    vocabulary: 10,
    factor: 16,
    encode: async ({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }) => ({
      data: Int32Array.from({ length: shape[0]! }, (_, i) =>
        Math.round(((data[i * 768 + 3 * 68]! + 1) * 127.5 - 40) / 4),
      ),
      shape: [shape[0]!, 1, 1],
    }),
    decode: async ({ data }: { data: ArrayLike<number> }) => ({
      data: Float32Array.from(
        Array.from(data as Int32Array).flatMap((token) =>
          Array.from(square(16, 40 + 4 * token + 20).data, (byte) => byte / 127.5 - 1),
        ),
      ),
      shape: [data.length, 16, 16, 3],
    }),
    dispose: async () => {},
  };
  const { evaluation, reconstructions } = await evaluateTokenizer({
    card,
    tokenizer,
    pictures,
    made: { dtype: 'float32', engine: 'none' },
  });
  const expected = -10 * Math.log10(((60 / 64) * 20 ** 2) / 255 ** 2);
  expect(evaluation.foreground.value).toBeCloseTo(expected, 9);
  expect(evaluation.pooled).toBeCloseTo(expected, 9);
  expect(evaluation.whole.value).toBeCloseTo(expected + 10 * Math.log10(4), 9);
  expect(evaluation.codes.used).toBe(0.8);
  expect(evaluation.kid).toBeUndefined();
  // A network of two features that are known: mean red, and one.
  const rows = (side: readonly Picture[]) =>
    Float32Array.from(
      side.flatMap(({ data }) => [data.reduce((a, b) => a + b, 0) / data.length / 255, 1]),
    );
  const features: FeatureNetwork = {
    name: 'means',
    sees: { height: 16, width: 16 },
    kernel: 'none',
    dtype: 'float32',
    width: 2,
    read: async (side) => ({ pooled: rows(side as Picture[]) }),
    dispose: async () => {},
  };
  const made = { dtype: 'float32', engine: 'none' };
  const measured = await evaluateTokenizer({ card, tokenizer, pictures, features, made });
  const [a, b] = [rowsOf(rows(reconstructions), 2), rowsOf(rows(pictures), 2)];
  expect(measured.evaluation.kid).toEqual({ features: 'means', ...kid(a, b) });
  expect(reconstructions[3]!.data[3 * 68]).toBe(40 + 12 + 20);
});
