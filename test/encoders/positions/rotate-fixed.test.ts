/** Rotations without weights: MRoPE-I, MHRoPE, VRoPE, GTA and HoPE; GRAPE's bias. */
import { expect, it } from 'vitest';
import { alibi } from '../../../encoders/positions/bias/alibi.ts';
import { grapeA } from '../../../encoders/positions/bias/grape-a.ts';
import type { Options, RotateMethod } from '../../../encoders/positions/contract.ts';
import { cellsOf, raster } from '../../../encoders/positions/grid.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { gta } from '../../../encoders/positions/rotate/gta.ts';
import { hopeHybrid } from '../../../encoders/positions/rotate/hope-hybrid.ts';
import { mhrope } from '../../../encoders/positions/rotate/mhrope.ts';
import { mropeI } from '../../../encoders/positions/rotate/mrope-i.ts';
import { spectrum } from '../../../encoders/positions/rotate/tables.ts';
import { vrope } from '../../../encoders/positions/rotate/vrope.ts';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, floats, inside, normals, onBothEngines } from './evaluate.ts';
import { attend, expectOffsetsOnly, GRID, indices, tokensOf } from './rotations.ts';

const BASE = { base: 100 };
const [T, H, D] = [12, 2, 16];
const ones = floats(new Float32Array(2 * T * H * D).fill(1), [2, T, H, D]);
/** Token n of the grid among the tokens of another grid, where `place` says that it lies. */
const order = (grid: typeof GRID, place: (y: number, x: number) => readonly [number, number]) =>
  cellsOf(GRID).map((cell) => {
    const [y, x] = place(cell.y, cell.x);
    return cellsOf(grid).findIndex((other) => other.y === y && other.x === x);
  });
const TRANSPOSED = raster(4, 3);
const transposed = order(TRANSPOSED, (y, x) => [x, y]);
/** Logits [B, h, T, T] with tokens, and heads, in another order. */
const reordered = (
  { data }: HostTensor,
  tokens: readonly number[],
  heads: readonly number[] = [0, 1],
) =>
  Float32Array.from(data, (_, i) => {
    const [b, h, m, n] = [
      Math.floor(i / (H * T * T)),
      Math.floor(i / (T * T)) % H,
      Math.floor(i / T) % T,
      i % T,
    ];
    return data[((b * H + heads[h]!) * T + tokens[m]!) * T + tokens[n]!]!;
  });

it('MRoPE-I: both axes span the whole spectrum, which contiguous chunks do not', () => {
  const all = spectrum(10000, 8);
  const { y, x } = mropeI.frequencies!(16, { base: 10000, first: 'y' });
  const spans = (axis: readonly number[]) =>
    all.indexOf(axis[0]!) <= 1 && all.indexOf(axis.at(-1)!) >= all.length - 2;
  expect([y, x].map(spans)).toEqual([true, true]);
  expect([all.slice(0, 4), all.slice(4)].map(spans)).toEqual([false, false]);
  expect(() => mropeI.frequencies!(6, { base: 100, first: 'y' })).toThrow(/got 6/);
});

onBothEngines('fixed rotations', (engine) => {
  const logits = async (method: RotateMethod, options: Options, grid = GRID) => {
    const turning = { options, grid, tokens: { q: ones, k: ones } };
    return (await attend(engine, method, turning)).logits;
  };

  it.each([mropeI, mhrope, vrope, gta, hopeHybrid])(
    '$name: logits depend on offsets only',
    (method) => expectOffsetsOnly(engine, method, { options: BASE }),
  );

  it('MRoPE-I, MHRoPE: a transposed grid with exchanged pairs or heads is transposed attention', async () => {
    const ours = await logits(mropeI, { ...BASE, first: 'y' });
    const theirs = await logits(mropeI, { ...BASE, first: 'x' }, TRANSPOSED);
    expectClose(reordered(theirs, transposed), ours.data, { atol: 1e-5 });
    const same = await logits(mropeI, { ...BASE, first: 'y' }, TRANSPOSED);
    expect(largestDifference(reordered(same, transposed), ours.data)).toBeGreaterThan(0.1);
    const heads = await logits(mhrope, BASE);
    const other = await logits(mhrope, BASE, TRANSPOSED);
    expectClose(reordered(other, transposed, [1, 0]), heads.data, { atol: 1e-5 });
  });

  it('MHRoPE: leaves still heads alone, and wants a head for each axis', async () => {
    const turning = { options: { ...BASE, still: 1 }, heads: 3 };
    const { q } = await attend(engine, mhrope, turning);
    const given = tokensOf(T, 3, D).q!;
    const last = (_: number, i: number) => Math.floor(i / D) % 3 === 2;
    expect([...q.data].filter(last)).toEqual([...given.data].filter(last));
    await expect(attend(engine, mhrope, { ...turning, heads: 2 })).rejects.toThrow(
      /got 1 still of 2/,
    );
  });

  it('VRoPE: is the four indices of the paper', async () => {
    const { logits: ours } = await attend(engine, vrope, { options: BASE });
    const { q, k } = tokensOf(T, H, D) as { q: HostTensor; k: HostTensor };
    const f = spectrum(100, 8);
    const places = cellsOf(GRID).map(({ y, x }) => [x + y, x + 2 - y, 3 - x + y, 5 - x - y]);
    const turned = (x: HostTensor, row: number, c: number) => {
      const angle = places[Math.floor(row / H) % T]![(c >> 1) % 4]! * f[c >> 1]!;
      const [a, b] = [x.data[row * D + 2 * (c >> 1)]!, x.data[row * D + 2 * (c >> 1) + 1]!];
      return c % 2 === 0
        ? a * Math.cos(angle) - b * Math.sin(angle)
        : b * Math.cos(angle) + a * Math.sin(angle);
    };
    const expected = Array.from(ours.data, (_, i) => {
      const [b, h, m, n] = [
        Math.floor(i / (H * T * T)),
        Math.floor(i / (T * T)) % H,
        Math.floor(i / T) % T,
        i % T,
      ];
      let sum = 0;
      for (let c = 0; c < D; c++)
        sum += turned(q, (b * T + m) * H + h, c) * turned(k, (b * T + n) * H + h, c);
      return sum;
    });
    expectClose(ours.data, expected, { atol: 2e-5 });
  });

  it('VRoPE: mirrored pictures are treated alike where four pairs share a frequency', async () => {
    const flips = [order(GRID, (y, x) => [2 - y, x]), order(GRID, (y, x) => [y, 3 - x])];
    const difference = async (spectrumOf: string, flip: number) => {
      const ours = await logits(vrope, { ...BASE, spectrum: spectrumOf });
      return largestDifference(reordered(ours, flips[flip]!), ours.data);
    };
    for (const flip of [0, 1]) {
      expect(await difference('shared', flip)).toBeLessThan(1e-5);
      expect(await difference('cyclic', flip)).toBeGreaterThan(0.1);
    }
  });

  it('HoPE: is MRoPE-I of the higher pairs; the lowest stand still', async () => {
    const options = { ...BASE, first: 'x' };
    const whole = await attend(engine, mropeI, { options });
    const all = await attend(engine, hopeHybrid, { options: { ...BASE, still: 0 } });
    expect(all.q.data).toEqual(whole.q.data);
    const { q } = await attend(engine, hopeHybrid, { options: BASE });
    const given = tokensOf(T, H, D).q!.data;
    const expected = q.data.map((_, i) => (i % D < 12 ? whole.q.data[i]! : given[i]!));
    expect(q.data).toEqual(expected);
  });

  it('GTA: is axial RoPE without its values', async () => {
    const plain = await attend(engine, axial, { options: BASE });
    const off = await attend(engine, gta, { options: { ...BASE, values: false } });
    const on = await attend(engine, gta, { options: BASE });
    for (const name of ['q', 'k', 'v', 'out'] as const)
      expect(off[name].data).toEqual(plain[name].data);
    expect(on.logits.data).toEqual(plain.logits.data);
    expect(largestDifference(on.out.data, plain.out.data)).toBeGreaterThan(0.05);
  });

  it('GTA: its output does not depend on where the picture lies; one token says what it is', async () => {
    const { restore: _, ...oneWay } = gta;
    const output = async (method: RotateMethod, by: readonly [number, number]) =>
      (await attend(engine, method, { options: BASE, coordinates: indices(GRID, by) })).out.data;
    // Angles of 10 radians in float32, in the values and back.
    expectClose(await output(gta, [5, -3]), await output(gta, [0, 0]), { atol: 2e-5 });
    expect(
      largestDifference(await output(oneWay, [5, -3]), await output(oneWay, [0, 0])),
    ).toBeGreaterThan(0.1);
    const grid = raster(1, 1);
    const alone = { options: BASE, grid, coordinates: indices(grid, [5, -3]) };
    expectClose((await attend(engine, gta, alone)).out.data, tokensOf(1, H, D).v!.data, {
      atol: 2e-6,
    });
  });

  it('condition tokens are not turned by any of them', async () => {
    for (const method of [mropeI, mhrope, vrope, gta, hopeHybrid]) {
      const { q } = await attend(engine, method, { options: BASE, where: { prefix: 2 } });
      const given = tokensOf(T + 2, H, D).q!.data;
      expect(q.data.subarray(0, 2 * H * D), method.name).toEqual(given.subarray(0, 2 * H * D));
    }
  });

  it('GRAPE-A: is ALiBi whose slope the key opens', async () => {
    const weights = grapeA.init!(
      { width: H * D, heads: H, headSize: D, depth: 1, trained: GRID },
      {},
      createRng(1),
    );
    const bias = async (own: HostTensors, coordinates = indices(), prefix = 0) => {
      const k = normals('k', [2, T + prefix, H, D]);
      const given = { coordinates, k, w: own['blocks.0.w']!, u: own['blocks.0.u']! };
      return evaluate(engine, given, (input) => {
        const where = at(GRID, { heads: H, headSize: D, prefix });
        const named = { 'blocks.0.w': input.w!, 'blocks.0.u': input.u! };
        const slope = { distance: 'manhattan', slope: 1 };
        const tokens = { x: input.k!, q: input.k!, k: input.k! };
        return {
          ours: grapeA.bias!({ ...inside(input.coordinates!, where, {}, named), ...tokens })!,
          plain: alibi.bias!({ ...inside(input.coordinates!, where, slope), ...tokens })!,
        };
      });
    };
    const first = await bias(weights);
    expectClose(first.ours!.data.subarray(0, H * T * T), first.plain!.data, { rtol: 1e-5 });
    const u = normals('u', [H, D]);
    const opened = await bias({ ...weights, 'blocks.0.u': u });
    expectClose(
      (await bias({ ...weights, 'blocks.0.u': u }, indices(GRID, [5, -3]))).ours!.data,
      opened.ours!.data,
    );
    const k = normals('k', [2, T, H, D]).data;
    const softplus = (value: number) => Math.log1p(Math.exp(value));
    const expected = Array.from(opened.ours!.data, (_, i) => {
      const [b, h, n] = [Math.floor(i / (H * T * T)), Math.floor(i / (T * T)) % H, i % T];
      let dot = 0;
      for (let c = 0; c < D; c++) dot += k[((b * T + n) * H + h) * D + c]! * u.data[h * D + c]!;
      return (first.plain!.data[i % (H * T * T)]! * softplus(dot / 4)) / Math.LN2;
    });
    expectClose(opened.ours!.data, expected, { rtol: 2e-5 });
    const padded = await bias({ ...weights, 'blocks.0.u': u }, indices(), 1);
    expect([...padded.ours!.data.subarray(0, T + 1)].every((value) => Math.abs(value) === 0)).toBe(
      true,
    );
  });
});
