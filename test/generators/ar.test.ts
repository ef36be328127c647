/** A cache is only a way to compute the full pass: in any window, batch, thread count, order and tree. */
import { afterAll, describe, expect, test } from 'vitest';
import { bagOfWords } from '../../encoders/conditioning/attributes.ts';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { forwardAR } from '../../generators/ar.ts';
import { AR_PRESETS, type ARConfig, attributeSlots } from '../../generators/ar-config.ts';
import { createARSession } from '../../generators/ar-session.ts';
import { initAR, shapesOfAR } from '../../generators/ar-weights.ts';
import { placedConstants } from '../../generators/compile.ts';
import { cacheBytes, createCache } from '../../generators/compile-ar.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { expectClose } from '../close.ts';

const CONFIG: ARConfig = {
  codes: 24,
  width: 32,
  depth: 2,
  heads: 2,
  hidden: 48,
  condition: { words: 5, tokens: 3 },
};
const GRID = raster(3, 4);
const T = 12;
const positions = composePositions(
  { embed: 'sincos2d', rotate: { method: 'axial', prefix: 'identity' } },
  { width: 32, heads: 2, trained: GRID },
);
/** Ten times as large as new weights, so that every part of the input matters. */
const WEIGHTS: HostTensors = Object.fromEntries(
  Object.entries(shapesOfAR(CONFIG)).map(([name, shape]) => {
    const draw = createRng(2).stream(name);
    return [name, { data: draw.normals(sizeOf(shape)).map((v) => 0.2 * v + 0.01), shape }];
  }),
);
const engine = createEngine({ threads: 1 });
const two = createEngine({ threads: 2 });
afterAll(() => expect([engine.open, two.open]).toEqual([0, 0]));

const bag = (row: number) => [{ id: row % 5 }, { id: (row + 2) % 5, weight: 0.5 }];
const conditionOf = (rows: readonly number[]): HostTensor => bagOfWords(rows.map(bag), 5);
const sequence = (row: number): number[] =>
  Array.from({ length: T }, (_, i) => (7 * i + 5 * row) % 24);

function open(batch: number, { on = engine, extra = 0, config = CONFIG } = {}) {
  const shape = { config, grid: GRID, batch, extra };
  const cache = createCache(on, shape);
  return createARSession(on, { ...shape, positions, weights: WEIGHTS, cache });
}
type Session = ReturnType<typeof open>;

const logitsOf = (
  { window, logits }: { window: number; logits: Float32Array },
  row: number,
  index: number,
) => logits.slice((row * window + index) * 24, (row * window + index + 1) * 24);

/** Logits [T, codes] of each row by windows of these sizes, over and over. */
async function decode(session: Session, rows: readonly number[], windows: readonly number[]) {
  session.condition(conditionOf(rows));
  const first = await session.start();
  const found = rows.map((_, i) => [first.slice(i * 24, (i + 1) * 24)]);
  for (let at = 0, turn = 0; at < T - 1; turn++) {
    const n = Math.min(windows[turn % windows.length]!, T - 1 - at);
    const answer = await session.forward(
      rows.map((row) => ({ tokens: sequence(row).slice(at, at + n) })),
    );
    for (const [i] of rows.entries()) {
      for (let j = 0; j < n; j++) found[i]!.push(logitsOf(answer, i, j));
      session.commit(i, n);
    }
    at += n;
  }
  return found.map((all) => Float32Array.from(all.flatMap((one) => [...one])));
}

async function decoded(rows: readonly number[], windows: readonly number[], on = engine) {
  const session = open(rows.length, { on });
  const found = await decode(session, rows, windows);
  await session.dispose();
  return found;
}

async function fullPass(rows: readonly number[], config = CONFIG, weights = WEIGHTS) {
  const program = await engine.compile(
    ({ inputs, weights: w }) => ({
      outputs: {
        logits: forwardAR(config, positions, w, {
          tokens: inputs.tokens!,
          condition: inputs.condition!,
          placed: placedConstants(positions.place(GRID, 'sample')),
          grid: GRID,
        }),
      },
    }),
    {
      inputs: {
        tokens: { shape: [rows.length, T], dtype: 'int32' },
        condition: { shape: [rows.length, 5] },
      },
      weights,
    },
  );
  const tokens = { data: Int32Array.from(rows.flatMap(sequence)), shape: [rows.length, T] };
  const { logits } = await program.run({ tokens, condition: conditionOf(rows) });
  await program.dispose();
  return rows.map((_, i) => logits!.data.slice(i * T * 24, (i + 1) * T * 24) as Float32Array);
}

describe('a cache', () => {
  test('gives the logits of the full pass', async () => {
    const [full, cached] = [await fullPass([0, 3]), await decoded([0, 3], [1])];
    // One network in float32 whose logits are up to 10: sums in another order.
    for (const row of [0, 1]) expectClose(cached[row]!, full[row]!, { rtol: 1e-4, atol: 2e-5 });
    expect(Math.max(...full[0]!)).toBeGreaterThan(0.5);
  });

  test('holds words in tokens of their own as the full pass does', async () => {
    const slots = [2, 0, 1, 0, 2];
    const config = { ...CONFIG, condition: { words: 5, tokens: 3, slots } };
    const full = await fullPass([0, 3], config);
    const session = open(2, { config });
    const cached = await decode(session, [0, 3], [2]);
    await session.dispose();
    for (const row of [0, 1]) expectClose(cached[row]!, full[row]!, { rtol: 1e-4, atol: 2e-5 });
    const [together] = await fullPass([0]); // every token holds all words
    expect(Math.max(...full[0]!.map((v, i) => Math.abs(v - together![i]!)))).toBeGreaterThan(0.1);
    const elsewhere = { words: 5, tokens: 3, slots: [1, 0, 1, 0, 2] }; // a word of row 0 has moved
    const [moved] = await fullPass([0], { ...CONFIG, condition: elsewhere });
    expect(Math.max(...full[0]!.map((v, i) => Math.abs(v - moved![i]!)))).toBeGreaterThan(0.1);
  });

  test('gives the same bits in any window, batch and number of threads', async () => {
    const [alone] = await decoded([2], [1]);
    for (const windows of [[2], [3, 1], [5], [8], [16]])
      expect(await decoded([2], windows)).toEqual([alone]);
    const together = await decoded([0, 2, 1], [4, 1], two);
    expect(together[1]).toEqual(alone);
    expect(together[0]).not.toEqual(alone);
  });

  test('forgets what is rolled back, and what is never committed', async () => {
    const session = open(1);
    session.condition(conditionOf([1]));
    const tokens = sequence(1);
    await session.start();
    const wanted = await session.forward([{ tokens: tokens.slice(0, 4) }]);
    session.commit(0, 2);
    const [third] = [logitsOf(await session.forward([{ tokens: [tokens[2]!] }]), 0, 0)];
    expect(third).toEqual(logitsOf(wanted, 0, 2));
    await session.forward([{ tokens: [9, 9, 9] }]);
    session.commit(0, 3);
    expect(session.lengths[0]).toBe(5);
    session.rollBack(0, 2);
    const again = await session.forward([{ tokens: tokens.slice(2, 4) }]);
    expect(logitsOf(again, 0, 0)).toEqual(third);
    expect(logitsOf(again, 0, 1)).toEqual(logitsOf(wanted, 0, 3));
    await session.dispose();
  });

  test('lets rows have lengths of their own', async () => {
    const [a, b] = await decoded([0, 1], [1]);
    const session = open(2);
    session.condition(conditionOf([0, 1]));
    await session.start();
    await session.forward([{ tokens: sequence(0).slice(0, 5) }, { tokens: [] }]);
    session.commit(0, 5);
    const ragged = await session.forward([
      { tokens: sequence(0).slice(5, 6) },
      { tokens: sequence(1).slice(0, 3) },
    ]);
    expect(logitsOf(ragged, 0, 0)).toEqual(a!.slice(6 * 24, 7 * 24));
    expect(logitsOf(ragged, 1, 2)).toEqual(b!.slice(3 * 24, 4 * 24));
    session.commit(0, 1);
    session.commit(1, 2);
    expect([...Array.from(session.lengths)]).toEqual([6, 2]);
    const next = await session.forward([{ tokens: [] }, { tokens: sequence(1).slice(2, 3) }]);
    expect(logitsOf(next, 1, 0)).toEqual(b!.slice(3 * 24, 4 * 24));
    await session.dispose();
  });

  test('takes trees of drafts and keeps a path', async () => {
    const tokens = sequence(4);
    const [chain] = await decoded([4], [1]);
    const session = open(1, { extra: 8 });
    session.condition(conditionOf([4]));
    await session.start();
    // 0 and 1 are siblings; the sequence is 1, 3, 4; 2 is a child of 0.
    const tree = {
      tokens: [23, tokens[0]!, 22, tokens[1]!, tokens[2]!],
      parents: [-1, -1, 0, 1, 3],
    };
    const answer = await session.forward([tree]);
    const at = (i: number) => chain!.slice(i * 24, (i + 1) * 24);
    expect([1, 3, 4].map((i) => logitsOf(answer, 0, i))).toEqual([at(1), at(2), at(3)]);
    expect(logitsOf(answer, 0, 2)).not.toEqual(at(2));
    expect(() => session.commit(0, [1, 2])).toThrow('expected a path');
    session.commit(0, [1, 3, 4]);
    const next = await session.forward([{ tokens: [tokens[3]!] }]);
    expect(logitsOf(next, 0, 0)).toEqual(at(4));
    await session.dispose();
  });

  test('takes as many bytes as its formula says', () => {
    const shape = { config: CONFIG, grid: GRID, batch: 3, extra: 5 };
    const { state, bytes } = createCache(engine, shape);
    const held = Object.values(state.values).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(held).toBe(bytes);
    // 2 (keys, values) L B S C 4 bytes; S: 3 of the condition, 12 tokens, 5 extra.
    expect(cacheBytes(shape)).toBe(2 * 2 * 3 * 20 * 32 * 4);
  });

  test('refuses what does not fit, naming the row', async () => {
    const session = open(1);
    session.condition(conditionOf([1]));
    await session.start();
    const asks = (tokens: number[], parents?: number[]) =>
      session.forward([{ tokens, ...(parents ? { parents } : {}) }]);
    await expect(asks(Array(12).fill(1))).rejects.toThrow(
      'window: expected at most the 11 tokens that are left, got 12 in row 0',
    );
    await expect(asks([24])).rejects.toThrow('window: expected tokens from 0 to 23, got 24');
    await expect(asks([1, 2], [-1, 1])).rejects.toThrow('expected parents before 1 or -1, got 1');
    await expect(asks(Array(65).fill(1))).rejects.toThrow('expected at most 64 tokens, got 65');
    const about = (...targets: number[]) =>
      session.forward([{ tokens: [1, 2], positions: [3, 7], targets }]);
    await expect(about(4, 9)).rejects.toThrow(
      'window: expected 8 as the target of cell 7, for the network predicts row by row, got 9',
    );
    await about(4, 8);
    expect(() => session.rollBack(0, 1)).toThrow('expected a length from 0 to 0, got 1');
    await session.dispose();
  });
});

describe('sizes', () => {
  const parameters = (config: ARConfig) =>
    Object.values(shapesOfAR(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);

  // Sun et al. 2024, table 1; B is 110.89 million with its class table, as its checkpoint has.
  test.each([
    ['gpt-b', 110.89, 0.005],
    ['gpt-l', 343, 0.5],
    ['gpt-xl', 775, 0.5],
    ['gpt-xxl', 1400, 50],
    ['gpt-3b', 3100, 50],
  ] as const)('%s has %d million weights', (name, millions, within) => {
    expect(Math.abs(parameters(AR_PRESETS[name]) / 1e6 - millions)).toBeLessThan(within);
  });

  test('the captions of XL take 777.68 million', () => {
    const captions = { ...AR_PRESETS['gpt-xl'], condition: { text: 2048, tokens: 120 } };
    const buffer = 120 * 2048; // the features of no text, which are not trained
    expect((parameters(captions) - buffer) / 1e6).toBeCloseTo(777.68, 2);
  });

  test('all words in the one token there is are their sum', async () => {
    const sum: ARConfig = { ...CONFIG, condition: { words: 5, tokens: 1 } };
    const apart: ARConfig = {
      ...CONFIG,
      condition: { words: 5, tokens: 1, slots: [0, 0, 0, 0, 0] },
    };
    const offsets = { data: WEIGHTS['cls_embedding.offsets']!.data.slice(0, 32), shape: [1, 32] };
    const weights = { ...WEIGHTS, 'cls_embedding.offsets': offsets };
    const one = await fullPass([1], sum, weights);
    const other = await fullPass([1], apart, weights);
    expectClose(other[0]!, one[0]!, { rtol: 1e-5, atol: 1e-6 });
  });

  test('slots: attributes take the tokens in turn, and every word needs one', () => {
    const vocabulary = ['hair color=red', 'hair color=blue', 'hair=bun', 'style=a', 'eyes=wink'];
    expect(attributeSlots(vocabulary, 3)).toEqual([2, 2, 1, 0, 0]); // eyes, hair, hair color, style
    const condition = { words: 5, tokens: 3, slots: [0, 1, 2, 3, 0] };
    expect(() => shapesOfAR({ ...CONFIG, condition })).toThrow(
      'condition.slots: expected one of 0 to 2 for each of 5 words, got 5 from 0 to 3',
    );
  });

  test('new weights predict every code alike', () => {
    const weights = initAR(CONFIG, createRng(1));
    expect(new Set(weights['output.weight']!.data)).toEqual(new Set([0]));
    expect(Object.keys(weights)).toEqual(Object.keys(shapesOfAR(CONFIG)));
  });
});
