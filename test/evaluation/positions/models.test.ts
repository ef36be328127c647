/** Analyses on the registry's methods and on small networks. */
import { describe, expect, it } from 'vitest';
import { POSITION_METHODS } from '../../../encoders/positions/registry.ts';
import { analyseModel } from '../../../evaluation/positions/analyse-model.ts';
import { tableOfMethods } from '../../../evaluation/positions/method-table.ts';
import { openObserver } from '../../../evaluation/positions/observe.ts';
import type { Model } from '../../../generators/model.ts';
import type { Picture } from '../../../png.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { tinyModel } from '../../pipelines/tiny-model.ts';

const engine = createEngine({ threads: 1 });
const B = 4;
const SIDE = 16; // 4 x 4 tokens
const T = 16;
const input = (model: Model, x = createRng(1).normals(B * SIDE * SIDE * 3)) => ({
  x: { data: x, shape: [B, SIDE, SIDE, 3] },
  t: { data: new Float32Array(B).fill(0.5), shape: [B] },
  condition: {
    data: new Float32Array(B * model.card.vocabulary.length),
    shape: [B, model.card.vocabulary.length],
  },
});

describe('the table of methods', () => {
  it('has every method, with what is known of some', async () => {
    const rows = await tableOfMethods({ engine, registry: POSITION_METHODS, side: 6, width: 64 });
    const names = Object.values(POSITION_METHODS)
      .flat()
      .map(({ name }) => name);
    expect(rows.map(({ name }) => name).sort()).toEqual(names.sort());
    const row = (name: string) => rows.find((one) => one.name === name)!;
    for (const { name, quality, padding, note } of rows)
      expect(quality ?? padding ?? note, name).toBeDefined();
    // A table of random rows is nearly of full rank and knows no distance.
    expect(row('learned').quality!.stableRank).toBeGreaterThan(8);
    expect(Math.abs(row('learned').quality!.distancePreservation)).toBeLessThan(0.15);
    for (const name of ['sincos2d', 'axial', 'alibi'])
      expect(row(name).quality!.distancePreservation, name).toBeGreaterThan(0.4);
    // Interpolation turns a larger grid through the angles of the trained one, in smaller steps.
    const [larger, own] = [row('interpolation').quality!, row('raw').quality!];
    expect(Math.abs(larger.stableRank / own.stableRank - 1)).toBeLessThan(0.05);
    // Products of turned vectors depend on offsets alone, so that where the grid begins is not seen.
    expect(row('centred').quality!.distancePreservation).toBeCloseTo(
      row('raw').quality!.distancePreservation,
      5,
    );
    // Causal attention hides in every second block, the first not among them; HeadScale hides nothing.
    expect(row('causal').quality!.stableRank).toBeGreaterThan(1);
    expect(row('head-scale').note).toBe('scales logits only');
    const { padding } = row('peg');
    expect(padding!.byBorder[0]!).toBeGreaterThan(10 * padding!.byBorder[2]!);
  });
});

async function observe(model: Model, given: ReturnType<typeof input>) {
  const observer = await openObserver(engine, model, given);
  const seen = await observer.see(given);
  await observer.dispose();
  return seen;
}

describe('observing a network', () => {
  it('sees logits that are products of its queries and keys, without condition tokens', async () => {
    const model = tinyModel();
    const blocks = await observe(model, input(model));
    expect(blocks).toHaveLength(2);
    for (const { q, k, logits, attention, hidden } of blocks) {
      const [heads, d] = [2, 16];
      expect([q.shape, logits.shape, hidden.shape]).toEqual([
        [B, T, heads, d],
        [B, heads, T, T],
        [B, T, 32],
      ]);
      const product = Float32Array.from({ length: logits.data.length }, (_, at) => {
        const [b, h] = [Math.floor(at / (heads * T * T)), Math.floor(at / (T * T)) % heads];
        const [i, j] = [Math.floor(at / T) % T, at % T];
        let sum = 0;
        for (let c = 0; c < d; c++)
          sum +=
            q.data[((b * T + i) * heads + h) * d + c]! * k.data[((b * T + j) * heads + h) * d + c]!;
        return sum / Math.sqrt(d);
      });
      expectClose(logits.data, product, { rtol: 1e-4, atol: 1e-4 }); // float32 sums of 16 products
      for (let row = 0; row < attention.data.length; row += T) {
        const sum = (attention.data as Float32Array)
          .subarray(row, row + T)
          .reduce((a, p) => a + p, 0);
        expect(sum).toBeCloseTo(1, 4);
      }
    }
  });

  it('tells a network that is conditioned on sizes the size', async () => {
    const plain = tinyModel();
    const told = tinyModel({ config: { ...plain.card.config, micro: true } });
    const states = async (model: Model) => (await observe(model, input(model)))[1]!.hidden;
    const [a, b] = [await states(plain), await states(told)];
    expect(() => expectClose(b.data, a.data, { rtol: 1e-2, atol: 1e-2 })).toThrow();
    const { sampling } = plain.card;
    const nothing = {
      ...told,
      card: { ...told.card, sampling: { ...sampling, micro: 'nothing' } },
    };
    expectClose((await states(nothing as Model)).data, a.data, { rtol: 1e-5, atol: 1e-5 });
  });

  it('finds a network without encodings blind to the order of its tokens', async () => {
    const model = tinyModel({ positions: {} });
    const { x } = input(model);
    /** The same patches, each one row of patches further down. */
    const moved = Float32Array.from(x.data, (_, at) => {
      const [b, rest] = [Math.floor(at / (SIDE * SIDE * 3)), at % (SIDE * SIDE * 3)];
      return x.data[b * SIDE * SIDE * 3 + ((rest + 4 * SIDE * 3) % (SIDE * SIDE * 3))]!;
    });
    const [one, other] = [
      await observe(model, input(model)),
      await observe(model, input(model, moved)),
    ];
    const states = (blocks: typeof one, token: number) => {
      const { data } = blocks[1]!.hidden;
      return Array.from({ length: 32 }, (_, c) => data[token * 32 + c]!);
    };
    for (const token of [0, 3, 7])
      expectClose(states(other, token), states(one, (token + 4) % T), { rtol: 1e-3, atol: 1e-4 });
    const placed = tinyModel();
    const [a, b] = [
      await observe(placed, input(placed)),
      await observe(placed, input(placed, moved)),
    ];
    expect(() => expectClose(states(b, 0), states(a, 4), { rtol: 1e-3, atol: 1e-4 })).toThrow();
  });
});

/** As in text: a token sees those before it in the raster, in every block. */
const CAUSAL = { method: 'causal', scan: 'raster', blocks: 'all' };

describe('a model', () => {
  const drawings: Picture[] = Array.from({ length: 40 }, (_, i) => {
    const draw = createRng(i);
    return {
      data: Uint8Array.from({ length: SIDE * SIDE * 3 }, () => draw.integer(256)),
      width: SIDE,
      height: SIDE,
    };
  });
  const words = drawings.map((_, i) => [i % 6]);

  it('with encodings has places in its states, and without them none', async () => {
    const found = await analyseModel({ engine, model: tinyModel(), drawings, words });
    expect(found).toMatchObject({
      model: 'tiny',
      pictures: 40,
      t: 0.5,
      size: { width: SIDE, height: SIDE },
    });
    const [block] = found.blocks;
    expect(block!.probe.chance).toBeCloseTo(1, 10);
    expect(block!.probe.error).toBeLessThan(0.8);
    expect(block!.heads).toHaveLength(2);
    expect(block!.frequencies!.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    for (const entropy of block!.entropy) expect(entropy > 0 && entropy <= 1).toBe(true);
    // Room for the attention of five pictures: eight parts say what the whole says.
    const kept = 5 * 2 * 2 * 2 * T ** 2;
    const inParts = await analyseModel({ engine, model: tinyModel(), drawings, words, kept });
    const numbers = ({ blocks }: typeof found) =>
      blocks.flatMap(({ distance, entropy, similarity, probe, residual, variance }) => [
        ...[...distance, ...entropy, ...similarity, probe.error, residual, variance],
      ]);
    expectClose(numbers(inParts), numbers(found), { rtol: 1e-4 }); // sums of float32 in another order
    const blind = await analyseModel({
      engine,
      model: tinyModel({ positions: {} }),
      drawings,
      words,
    });
    for (const { probe } of blind.blocks) expect(probe.error).toBeGreaterThan(0.95);
    expect(blind.blocks[0]!.heads).toBeUndefined();
    const masked = tinyModel({ positions: { bias: CAUSAL } });
    const causal = await analyseModel({ engine, model: masked, drawings, words });
    // Attention is not uniform and what is alike in all tokens stays, so the law shows, but not whole.
    expect(causal.blocks[0]!.variance).toBeLessThan(-0.3);
    expect(Math.abs(blind.blocks[0]!.variance)).toBeLessThan(0.1);
  });
});
