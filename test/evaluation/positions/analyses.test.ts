/** Each analysis on inputs whose answer is known, beside one that must give the opposite. */
import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '../../../encoders/tokenizers/contract.ts';
import { attentionReach, uniformDistance } from '../../../evaluation/positions/attention-reach.ts';
import { canvasSide, decoderPadding } from '../../../evaluation/positions/decoder-padding.ts';
import {
  distancePreservation,
  encodingQuality,
  gaussianTable,
  stableRank,
} from '../../../evaluation/positions/encodings.ts';
import { similarityByDistance } from '../../../evaluation/positions/nearby.ts';
import { paddingPattern } from '../../../evaluation/positions/padding.ts';
import { distanceBetween, placesOf, type States } from '../../../evaluation/positions/places.ts';
import { probePlaces } from '../../../evaluation/positions/probe.ts';
import {
  frequencyUse,
  pairCorrelations,
  positionalHeads,
} from '../../../evaluation/positions/rotary-pairs.ts';
import { meanLogits, nonToeplitzResidual } from '../../../evaluation/positions/toeplitz.ts';
import { seenTokens, varianceSlope } from '../../../evaluation/positions/variance-law.ts';
import { createRng, type Rng } from '../../../tensor/rng.ts';
import { rowsOf } from '../../../tensor/rows.ts';

const line = placesOf(1, 40);
const square = placesOf(6, 6);

describe('stable rank and distance preservation', () => {
  const oneHot = (n: number) =>
    rowsOf(
      Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0)),
      n,
    );
  const constant = (n: number) => rowsOf(new Float64Array(n * 3).fill(0.7), 3);

  it('of one-hot rows: n and 0; of equal rows: 1 and 0', () => {
    expect(encodingQuality(oneHot(36), square).stableRank).toBeCloseTo(36, 10);
    expect(encodingQuality(oneHot(36), square).distancePreservation).toBe(0);
    expect(encodingQuality(constant(36), square).stableRank).toBeCloseTo(1, 10);
    expect(encodingQuality(constant(36), square).distancePreservation).toBe(0);
    expect(stableRank(rowsOf([3, 0, 0, 0, 4, 0], 3))).toBeCloseTo(25 / 16, 12);
  });

  it('trade one for the other as bumps get wider', () => {
    const widths = [0.2, 0.5, 1, 2, 4];
    const found = widths.map((width) => encodingQuality(gaussianTable(line, width), line));
    const ranks = found.map(({ stableRank: rank }) => rank);
    const distances = found.map(({ distancePreservation: kept }) => kept);
    expect(ranks).toEqual(ranks.toSorted((a, b) => b - a));
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect([ranks[0]! > 35, distances.at(-1)! > 0.6]).toEqual([true, true]);
  });

  it('are 1 for a bias that falls along a line with the distance', () => {
    const bias = Float64Array.from(
      { length: 1600 },
      (_, i) => -3 * Math.abs(Math.floor(i / 40) - (i % 40)),
    );
    expect(distancePreservation(rowsOf(bias, 40), line)).toBeCloseTo(1, 12);
    expect(
      distancePreservation(
        rowsOf(
          bias.map((v) => -v),
          40,
        ),
        line,
      ),
    ).toBeCloseTo(-1, 12);
  });
});

describe('attention', () => {
  const weights = (row: (query: number, key: number) => number) => {
    const T = square.count;
    return Float64Array.from({ length: T * T }, (_, i) => row(Math.floor(i / T), i % T));
  };

  it('that is uniform has entropy 1 and the mean distance of the grid; one that is itself, 0 and 0', () => {
    const both = [...weights(() => 1 / square.count), ...weights((i, j) => Number(i === j))];
    const { distance, entropy } = attentionReach(both, 2, square);
    expect(entropy[0]).toBeCloseTo(1, 12);
    expect(distance[0]).toBeCloseTo(uniformDistance(square), 12);
    expect([distance[1], entropy[1]]).toEqual([0, 0]);
    expect(uniformDistance(placesOf(1, 2))).toBe(0.5);
  });

  it('reaches as far as what it looks at, averaged over pictures', () => {
    const next = weights((i, j) => Number(j === (i % 6 === 5 ? i - 1 : i + 1)));
    const own = weights((i, j) => Number(i === j));
    expect(attentionReach([...next, ...own], 1, square).distance[0]).toBeCloseTo(0.5, 12);
  });
});

/** Independent tokens, then one attention: over all tokens, or over those before. */
function attended(
  rng: Rng,
  {
    pictures,
    tokens,
    width,
    causal,
  }: { pictures: number; tokens: number; width: number; causal: boolean },
): States {
  const data = new Float64Array(pictures * tokens * width);
  for (let b = 0; b < pictures; b++) {
    const x = rng.stream(`${b}`).normals(tokens * width);
    const sum = new Float64Array(width);
    const total = new Float64Array(width);
    for (let i = 0; i < x.length; i++) total[i % width]! += x[i]!;
    for (let i = 0; i < tokens; i++)
      for (let c = 0; c < width; c++) {
        sum[c]! += x[i * width + c]!;
        data[(b * tokens + i) * width + c] = causal ? sum[c]! / (i + 1) : total[c]! / tokens;
      }
  }
  return { data, pictures, tokens, width };
}

describe('causal attention without encodings', () => {
  const options = { pictures: 40, tokens: 40, width: 64 };
  const causal = attended(createRng(1), { ...options, causal: true });
  const bidirectional = attended(createRng(1), { ...options, causal: false });

  it('shrinks the variance as 1 / place; attention to all does not', () => {
    expect(varianceSlope(causal)).toBeCloseTo(-1, 1); // within .05: 2560 values a place
    expect(Math.abs(varianceSlope(causal) + 1)).toBeLessThan(0.05);
    expect(Math.abs(varianceSlope(bidirectional))).toBeLessThan(1e-9);
  });

  it('does so by the tokens that are seen, where a mask hides all but a corner of the grid', () => {
    const { count, y, x } = square;
    const sees = (i: number, j: number) => y[j]! <= y[i]! && x[j]! <= x[i]!;
    const logits = Float64Array.from({ length: count ** 2 }, (_, at) =>
      sees(Math.floor(at / count), at % count) ? 0 : -1e9,
    );
    const seen = seenTokens(logits, count);
    expect(seen).toEqual(Array.from(y, (row, i) => (row + 1) * (x[i]! + 1)));
    const [pictures, width] = [40, 64];
    const tokens = createRng(3).normals(pictures * count * width);
    const data = tokens.map((_, at) => {
      const [b, i, c] = [
        Math.floor(at / width / count),
        Math.floor(at / width) % count,
        at % width,
      ];
      let sum = 0;
      for (let j = 0; j < count; j++)
        if (sees(i, j)) sum += tokens[(b * count + j) * width + c]! / seen![i]!;
      return sum;
    });
    const states = { data, pictures, tokens: count, width };
    expect(Math.abs(varianceSlope(states, seen) + 1)).toBeLessThan(0.05);
    expect(Math.abs(varianceSlope(states) + 1)).toBeGreaterThan(0.1); // the place does not say it
    expect(seenTokens(new Float64Array(count ** 2), count)).toBeUndefined();
  });

  it('makes near tokens alike, by sqrt(min / max); attention to all makes all alike', () => {
    const found = similarityByDistance(causal, line);
    expect(found.slice(0, 30)).toEqual(found.slice(0, 30).toSorted((a, b) => b - a));
    const law = (d: number) => {
      let sum = 0;
      for (let j = 1; j + d <= 40; j++) sum += Math.sqrt(j / (j + d)) / (40 - d);
      return sum;
    };
    // Over the first tokens cosines of 64 channels vary by 1 / 8, and 40 pictures average that.
    for (const d of [1, 5, 15]) expect(Math.abs(found[d - 1]! - law(d))).toBeLessThan(0.02);
    for (const value of similarityByDistance(bidirectional, line)) expect(value).toBeCloseTo(1, 10);
  });
});

describe('a probe', () => {
  const noise = createRng(2).normals(12 * 36 * 16);
  const states = (place: number): States => ({
    data: noise.map((z, i) => {
      const [token, c] = [Math.floor(i / 16) % 36, i % 16];
      return z + place * Math.sin((c + 1) * 0.4 * (c % 2 ? square.y[token]! : square.x[token]!));
    }),
    ...{ pictures: 12, tokens: 36, width: 16 },
  });

  it('reads places within a cell off states that hold them, and at chance off those that do not', () => {
    const held = probePlaces(states(5), square);
    expect(held.chance).toBeCloseTo(1.5, 12); // mean |i - 2.5| of 0 ... 5
    expect(held.error).toBeLessThan(1); // states are sines of the place, the probe is linear
    const none = probePlaces(states(0), square);
    expect(none.error / none.chance).toBeGreaterThan(0.9);
  });

  it('is at chance with labels that were shuffled', () => {
    const label = (token: number, picture: number) =>
      createRng(picture).stream(`${token}`).integer(36);
    const { error, chance } = probePlaces(states(5), square, { label });
    expect(error / chance).toBeGreaterThan(0.9);
  });
});

describe('pairs of a rotation', () => {
  const [heads, headSize, B] = [3, 8, 4];
  const T = square.count;
  /** Random, but for pair 2 of head 1, which turns one vector slowly with row and column. */
  function turned() {
    const rng = createRng(3);
    const make = (name: string) =>
      Float64Array.from(rng.stream(name).normals(B * T * heads * headSize));
    const [q, k] = [make('q'), make('k')];
    for (let row = 0; row < B * T; row++) {
      const token = row % T;
      const angle = 0.25 * (square.y[token]! + square.x[token]!);
      for (const x of [q, k])
        x.set([3 * Math.cos(angle), 3 * Math.sin(angle)], (row * heads + 1) * headSize + 4);
    }
    return { q, k, heads, headSize, places: square };
  }

  it('that were planted are found first', () => {
    const [first, second] = positionalHeads(turned());
    expect(first).toMatchObject({ head: 1, pair: 2 });
    expect(first!.score).toBeGreaterThan(2 * second!.score);
    expect(pairCorrelations(turned())[1]![2]).toBeGreaterThan(0.5);
  });

  /**
   * Four heads over a line of tokens: one was planted to look 9 places back, for all its pairs turn queries that far
   * on; the others look at random. Each token says the symbol that the sum of all heads' values is nearest to.
   */
  function longCopy(without?: number): { right: number; ranked: number } {
    const [T, pairs, back] = [48, 8, 9];
    const places = placesOf(1, T);
    const rng = createRng(5);
    const turn = (offset: number) =>
      Array.from({ length: pairs }, (_, p) => 3 ** (-p / 2) * offset).flatMap((a) => [
        4 * Math.cos(a),
        4 * Math.sin(a),
      ]);
    const make = (planted: number) =>
      Float64Array.from({ length: T }, (_, i) => i).reduce<number[]>((all, _, i) => {
        for (let head = 0; head < 4; head++)
          all.push(
            ...(head === 2
              ? turn(i - planted)
              : rng.stream(`${planted}/${head}/${i}`).normals(2 * pairs)),
          );
        return all;
      }, []);
    const [q, k] = [make(back), make(0)];
    const symbols = Array.from({ length: T }, (_, i) => rng.stream(`symbol/${i}`).integer(8));
    let right = 0;
    for (let i = back; i < T; i++) {
      const votes = new Float64Array(8);
      for (let head = 0; head < 4; head++) {
        if (head === without) continue;
        const logit = (j: number) => {
          let sum = 0;
          for (let c = 0; c < 2 * pairs; c++)
            sum += q[(i * 4 + head) * 2 * pairs + c]! * k[(j * 4 + head) * 2 * pairs + c]!;
          return Math.exp(sum / Math.sqrt(2 * pairs) - 30);
        };
        const weights = Array.from({ length: T }, (_, j) => logit(j));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const [j, weight] of weights.entries()) votes[symbols[j]!]! += weight / total;
      }
      right += Number(votes.indexOf(Math.max(...votes)) === symbols[i - back]) / (T - back);
    }
    const ranked = positionalHeads({ q, k, heads: 4, headSize: 2 * pairs, places })[0]!.head;
    return { right, ranked };
  }

  it('make the head that copies over a long offset rank first; without it copying fails, without another not', () => {
    expect(longCopy().ranked).toBe(2);
    expect(longCopy().right).toBeGreaterThan(0.9);
    for (const other of [0, 1, 3]) expect(longCopy(other).right).toBeGreaterThan(0.9);
    expect(longCopy(2).right).toBeLessThan(0.4); // chance is 1 / 8
  });

  it('have shares of what the head attends by', () => {
    const shares = frequencyUse(turned());
    expect(shares).toHaveLength(4);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(shares.indexOf(Math.max(...shares))).toBe(2);
  });
});

describe('the non-Toeplitz residual', () => {
  const T = 24;
  const places = placesOf(1, T);
  const at = (f: (i: number, j: number) => number) =>
    Float64Array.from({ length: T * T }, (_, n) => f(Math.floor(n / T), n % T));

  it('is 0 for logits of offsets, and sees absolute places', () => {
    expect(
      nonToeplitzResidual(
        at((i, j) => Math.cos(0.3 * (i - j))),
        places,
      ),
    ).toBeLessThan(1e-12);
    const two = placesOf(4, 6);
    const offsets = at((i, j) => Math.hypot(two.y[i]! - two.y[j]!, 2 * (two.x[i]! - two.x[j]!)));
    expect(nonToeplitzResidual(offsets, two)).toBeLessThan(1e-12);
    expect(
      nonToeplitzResidual(
        at((i) => i),
        places,
      ),
    ).toBeGreaterThan(0.3);
  });

  /** Two layers of attention with identity weights and RoPE of one frequency a pair. */
  function secondLayer(causal: boolean, tokens: (rng: Rng) => Float64Array): Float64Array {
    const [draws, d] = [300, 8];
    const logits = new Float64Array(T * T);
    for (let draw = 0; draw < draws; draw++) {
      const x = tokens(createRng(draw));
      const first = rotatedProducts(x, d);
      const mixed = new Float64Array(T * d);
      for (let i = 0; i < T; i++) {
        const seen = Array.from({ length: causal ? i + 1 : T }, (_, j) =>
          Math.exp(first[i * T + j]! / Math.sqrt(d)),
        );
        const total = seen.reduce((sum, w) => sum + w, 0);
        for (const [j, w] of seen.entries())
          for (let c = 0; c < d; c++) mixed[i * d + c]! += (w / total) * x[j * d + c]!;
      }
      const second = rotatedProducts(mixed, d);
      for (let n = 0; n < T * T; n++) {
        const hidden = causal && n % T > Math.floor(n / T);
        logits[n] = hidden ? -1e9 : logits[n]! + second[n]! / draws;
      }
    }
    return logits;
  }
  function rotatedProducts(x: Float64Array, d: number): Float64Array {
    return at((i, j) => {
      let sum = 0;
      for (let c = 0; c < d; c += 2) {
        const angle = (i - j) * 10 ** (-c / d);
        const [a, b, u, v] = [x[i * d + c]!, x[i * d + c + 1]!, x[j * d + c]!, x[j * d + c + 1]!];
        sum += Math.cos(angle) * (a * u + b * v) + Math.sin(angle) * (a * v - b * u);
      }
      return sum;
    });
  }

  it('of the second layer: under a causal mask, not under full attention, never of equal tokens', () => {
    const random = (rng: Rng) => Float64Array.from(rng.normals(T * 8));
    const causal = nonToeplitzResidual(secondLayer(true, random), places);
    const full = nonToeplitzResidual(secondLayer(false, random), places);
    expect(causal).toBeGreaterThan(0.1);
    expect(full).toBeLessThan(causal / 2); // what the draws leave, on a line that has ends
    const equal = secondLayer(true, () =>
      Float64Array.from({ length: T * 8 }, (_, i) => Math.sin(i % 8)),
    );
    expect(nonToeplitzResidual(equal, places)).toBeLessThan(1e-9);
  });

  it('takes the mean over pictures and heads first', () => {
    expect([...meanLogits([1, 2, 3, 4, 3, 2, 1, 0], 2)]).toEqual([2, 2, 2, 2]);
  });
});

describe('the pattern from padding', () => {
  const canvas = { height: 9, width: 9, channels: 2 };
  const inputs = Array.from({ length: 4 }, (_, i) =>
    createRng(i)
      .normals(13 * 13 * 2)
      .map((z) => z + 1),
  );
  /** Means of 3 x 3 neighbours; outside is zero, or repeats the other side. */
  const blur =
    (outside: 'zero' | 'around', passes: number) =>
    async (input: Float32Array, { height, width, channels }: typeof canvas) => {
      let data = Float64Array.from(input);
      for (let pass = 0; pass < passes; pass++) {
        const from = data;
        data = from.map((_, i) => {
          const [y, x, c] = [
            Math.floor(i / (width * channels)),
            Math.floor(i / channels) % width,
            i % channels,
          ];
          let sum = 0;
          for (const dy of [-1, 0, 1])
            for (const dx of [-1, 0, 1]) {
              const [v, u] = [y + dy, x + dx];
              const [w, t] = [(v + height) % height, (u + width) % width];
              if (outside === 'around' || (v === w && u === t))
                sum += from[(w * width + t) * channels + c]!;
            }
          return sum / 9;
        });
      }
      return { data, channels };
    };

  it('is at the border with zeros outside, falls from there, and ends where two layers do not reach', async () => {
    const { mean, byBorder, relative, overChance } = await paddingPattern(blur('zero', 2), canvas, {
      margin: 2,
      inputs,
    });
    expect(mean).toBeGreaterThan(0.05);
    expect(relative).toBeGreaterThan(0.1);
    expect(overChance).toBeGreaterThan(5); // inputs of mean 1, which zeros are not
    expect(byBorder).toHaveLength(5);
    expect(byBorder[0]!).toBeGreaterThan(byBorder[1]!);
    expect(byBorder[1]!).toBeGreaterThan(0.01);
    expect(Math.max(...byBorder.slice(2))).toBeLessThan(1e-6);
  });

  it('is zero for circular neighbours of a periodic input, and for no neighbours', async () => {
    const period = Array.from({ length: 2 }, (_, n) => {
      const tile = createRng(n).normals(3 * 3 * 2);
      return Float32Array.from({ length: 15 * 15 * 2 }, (_, i) => {
        const [y, x, c] = [Math.floor(i / 30), Math.floor(i / 2) % 15, i % 2];
        return tile[((y % 3) * 3 + (x % 3)) * 2 + c]!;
      });
    });
    const { mean } = await paddingPattern(blur('around', 1), canvas, { margin: 3, inputs: period });
    expect(mean).toBeLessThan(1e-6);
    const own = await paddingPattern(async (data, { channels }) => ({ data, channels }), canvas, {
      margin: 2,
      inputs,
    });
    expect([own.mean, own.overChance]).toEqual([0, 0]);
  });

  it('is no more than chance where borders change each input in another way', async () => {
    let calls = 0;
    const { mean, overChance } = await paddingPattern(
      async (input, { height, channels }) => {
        const noise = createRng(100 + calls++).normals(input.length);
        return { data: height === 9 ? input.map((v, i) => v + noise[i]!) : input, channels };
      },
      canvas,
      { margin: 2, inputs: [...inputs, ...inputs, ...inputs, ...inputs] },
    );
    expect(mean).toBeGreaterThan(0.1); // of 16 inputs; an error of 1 / 4
    expect(Math.abs(overChance - 1)).toBeLessThan(0.4); // 162 squares and their variances of 15
  });

  it('of answers twice as large is that of the small ones', async () => {
    const options = { margin: 2, inputs };
    const small = await paddingPattern(blur('zero', 2), canvas, options);
    const twice = await paddingPattern(
      async (input, given) => {
        const { data, channels } = await blur('zero', 2)(input, given);
        const across = 2 * given.width;
        const large = Float64Array.from({ length: 4 * data.length }, (_, i) => {
          const [y, x] = [Math.floor(i / (across * channels)), Math.floor(i / channels) % across];
          return data[((y >> 1) * given.width + (x >> 1)) * channels + (i % channels)]!;
        });
        return { data: large, channels };
      },
      canvas,
      { ...options, factor: 2 },
    );
    expect(twice.mean).toBeCloseTo(small.mean, 12);
    expect(twice.byBorder).toHaveLength(9);
    // The outer two rings of 18 x 18 cells, 68 and 60 of them, are the outer ring of 9 x 9.
    const [outer, next] = twice.byBorder as [number, number];
    expect((68 * outer + 60 * next) / 128).toBeCloseTo(small.byBorder[0]!, 12);
  });
});

describe('the padding of a decoder', () => {
  const drawings = Array.from({ length: 6 }, (_, i) => {
    const draw = createRng(i);
    const data = Uint8Array.from({ length: 32 * 32 * 3 }, () => draw.integer(256));
    return { data, width: 32, height: 32 };
  });
  /** Tokens are the red of their first pixel; a token is a square of its grey, with its neighbours mixed in. */
  const tokenizer = (reach: number): Tokenizer => ({
    ...{ vocabulary: 256, factor: 4, dispose: async () => {} },
    async encode({ data, shape }) {
      const [, H, W] = shape as [number, number, number, number];
      const tokens = Int32Array.from({ length: (H * W) / 16 }, (_, i) => {
        const [y, x] = [4 * Math.floor((4 * i) / W), (4 * i) % W];
        return Math.round(255 * (data[3 * (y * W + x)]! / 2 + 0.5));
      });
      return { data: tokens, shape: [1, H / 4, W / 4] };
    },
    async decode({ data, shape }) {
      const [, h, w] = shape as [number, number, number];
      const at = (y: number, x: number) =>
        y >= 0 && x >= 0 && y < h && x < w ? data[y * w + x]! / 255 : 0;
      const grey = (y: number, x: number) =>
        at(y, x) + reach * (at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1));
      const pixels = Float32Array.from({ length: 16 * 3 * h * w }, (_, i) => {
        const [y, x] = [Math.floor(i / (12 * w)), Math.floor(i / 3) % (4 * w)];
        return grey(y >> 2, x >> 2);
      });
      return { data: pixels, shape: [1, 4 * h, 4 * w, 3] };
    },
  });

  it('reaches as far as its convolution, in pixels; a decoder of tokens alone has none', async () => {
    const { size, pictures, pattern } = await decoderPadding({
      ...{ id: 'toy', tokenizer: tokenizer(0.2), side: 16, drawings },
    });
    expect([size, pictures]).toEqual([{ width: 16, height: 16 }, 6]);
    expect(pattern.byBorder).toHaveLength(8);
    for (const value of pattern.byBorder.slice(0, 4)) expect(value).toBeGreaterThan(0.05);
    expect(pattern.byBorder.slice(4)).toEqual([0, 0, 0, 0]);
    expect(pattern.overChance).toBeGreaterThan(5);
    const alone = await decoderPadding({
      ...{ id: 'toy', tokenizer: tokenizer(0), side: 16, drawings },
    });
    expect(alone.pattern.mean).toBe(0);
    expect([canvasSide(16, 4), canvasSide(12, 4)]).toEqual([32, 28]);
  });
});

it('distances are in cells', () => {
  expect(distanceBetween(square, 0, 8)).toBe(Math.hypot(1, 2));
});
