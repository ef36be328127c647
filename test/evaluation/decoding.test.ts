import { expect, test } from 'vitest';
import { bestArm, pooledArms } from '../../evaluation/best-arm.ts';
import { evaluateDecoding, formatDecoding, isForeground } from '../../evaluation/decoding.ts';
import { decodingChart } from '../../evaluation/decoding-chart.ts';
import type { Picture } from '../../png.ts';
import { traceFrames, traceGif } from '../../png-trace.ts';
import type { Decoding, Property } from '../../sampling/tokens/decoder.ts';
import { createDecoder } from '../../sampling/tokens/registry.ts';
import { createRng } from '../../tensor/rng.ts';
import { lattice, oracle } from '../sampling/tokens/oracle.ts';

const TOY = lattice(6, { height: 4, width: 4 }, 41);
const OPTIONS: Record<string, object> = { 'fixed-noise': { window: 16 }, zipar: { lead: 2 } };
const decode = async (name: string) => [
  await createDecoder(name, { ...OPTIONS[name] }, { width: 4 }).decode(oracle(TOY, 3), {
    rngs: [1, 2, 3].map((seed) => createRng(seed)),
  }),
];

test('decoders side by side', async () => {
  let clock = 0;
  const decoders = ['sequential', 'fixed-noise', 'sjd', 'zipar'].map((name) => ({
    ...{ name, property: (name === 'sjd' ? 'lossless' : 'identical') as Property },
  }));
  const kid = async (tokens: readonly Int32Array[]) => tokens.length;
  const now = () => (clock += 500);
  const prepare = async () => {
    clock += 60_000; // what takes time before the clock is read is nobody's
  };
  const rows = await evaluateDecoding({ decoders, decode, prepare, kid, now });
  const [sequential, fixed, sjd, zipar] = rows as [
    (typeof rows)[0],
    (typeof rows)[0],
    (typeof rows)[0],
    (typeof rows)[0],
  ];
  expect(sequential).toMatchObject({
    passes: 16,
    equal: 1,
    tokensPerPass: 1,
    acceptedPerPass: 0,
    kid: 3,
  });
  expect(sequential!.seconds).toBe(0.5);
  expect(fixed!.equal).toBe(1);
  expect(fixed!.passes).toBeLessThan(16);
  expect(fixed!.tokensPerPass).toBeGreaterThan(1);
  expect(sjd!.equal).toBeLessThan(1);
  expect(zipar!.passes).toBe(10);
  expect(formatDecoding(rows).split('\n')).toHaveLength(6);
  expect(formatDecoding(rows)).toMatch(/equal +KID x 1000\nsequential .* 3000\.00\n/);
});

test('the best arm of a bandit is that of all pictures, and its share of all rounds', async () => {
  const decoder = createDecoder(
    'bandit',
    { limit: 4, drafter: 'uniform', second: 'left' },
    { width: 4 },
  );
  const seeds = [1, 2, 3];
  const all: Decoding[] = [];
  for (const seed of seeds)
    all.push(await decoder.decode(oracle(TOY, 1), { rngs: [createRng(seed)] }));
  const { arms } = pooledArms(all);
  expect(arms!.map(({ drafter, length }) => `${drafter} ${length}`)).toEqual([
    ...['uniform 1', 'uniform 2', 'uniform 4'],
    ...['left 1', 'left 2', 'left 4'],
  ]);
  // Each pass but the first is a round, and a round with an arm decides its reward times its cost.
  const passes = all.reduce((sum, one) => sum + one.passes - 1, 0);
  expect(arms!.reduce((sum, { rounds }) => sum + rounds, 0)).toBe(passes);
  const decided = arms!.map(({ length, rounds, reward }) => rounds * reward * (1 + 0.05 * length));
  expect(decided.reduce((a, b) => a + b)).toBeCloseTo(seeds.length * 15, 8);
  const best = bestArm(arms!);
  expect(best.reward).toBe(Math.max(...arms!.map(({ reward }) => reward)));
  expect(best.share).toBe(best.rounds / passes);

  const [row] = await evaluateDecoding({
    decoders: [{ name: 'bandit', property: 'lossless' }],
    decode: async (name) => (name === 'bandit' ? all : decodedAlone(seeds)),
    prepare: async () => {},
    now: () => 0,
  });
  expect(row!.arms).toEqual(arms);
  const said = `${best.drafter} ${best.length}: ${(100 * best.share).toFixed(0)} % of rounds`;
  expect(formatDecoding([row!])).toContain(said);
  expect(pooledArms(await decodedAlone(seeds))).toEqual({});
});
const decodedAlone = (seeds: readonly number[]) =>
  Promise.all(
    seeds.map((seed) =>
      createDecoder('sequential', {}, { width: 4 }).decode(oracle(TOY, 1), {
        rngs: [createRng(seed)],
      }),
    ),
  );

test('a chart has a bar for each number, as long as its share of the largest', () => {
  const shared = { acceptedPerPass: 0, tokensPerPass: 1, foregroundPerPass: 1, equal: 1 };
  const svg = decodingChart(
    [
      { ...shared, decoder: 'sequential', property: 'identical', passes: 256, seconds: 0.4 },
      { ...shared, decoder: 'a<b', property: 'lossless', passes: 64, seconds: 0.2 },
    ],
    'two pictures',
  );
  const lengths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)" height="14"/g)];
  expect(lengths.map(([, length]) => Number(length))).toEqual([220, 55, 220, 110]);
  expect(svg).toContain('a&#60;b');
});

test('the commonest token is the background', () => {
  const isInside = isForeground(Int32Array.of(4, 4, 1, 4));
  expect([0, 1, 2, 3].map(isInside)).toEqual([false, false, true, false]);
});

test('a trace has a frame a pass, ends with the picture, and becomes a GIF', async () => {
  const [{ trace }] = (await decode('fixed-noise')) as [Decoding];
  const picture = { data: new Uint8Array(16 * 16 * 3).fill(10), width: 16, height: 16 };
  const passes = trace.map((pass) => pass[0]!);
  const grid = { height: 4, width: 4 };
  const frames = traceFrames({ picture, passes, grid });
  expect(frames.length).toBe(passes.filter(({ decided }) => decided.length > 0).length + 1);
  expect(frames.at(-1)).toEqual(picture);
  // The first frame knows the first cell alone, whose border is coloured: its middle is the picture's.
  const at = (frame: Picture, x: number, y: number) => frame.data[(y * 16 + x) * 3];
  expect([at(frames[0]!, 1, 1), at(frames[0]!, 0, 0), at(frames[0]!, 5, 5)]).toEqual([
    10, 208, 216,
  ]);
  const gif = await traceGif({ picture, passes, grid });
  expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a');
  expect([gif.readUInt16LE(6), gif.readUInt16LE(8)]).toEqual([256, 256]);
  const graphicControls = gif.toString('latin1').split('\x21\xf9\x04').length - 1;
  expect(graphicControls).toBe(frames.length);
  const narrow = { height: 4, width: 5 };
  expect(() => traceFrames({ picture, passes, grid: narrow })).toThrow('trace: expected');
  const many = Array.from({ length: 2 ** 18 }, () => passes[0]!);
  expect(() => traceGif({ picture, passes: many, grid })).toThrow('at most 262144 frames');
});
