import { describe, expect, it } from 'vitest';
import type { PositionConfig } from '../../../encoders/positions/compose.ts';
import { ARMS, examples, nopeProtocol } from '../../../evaluation/positions/nope-protocol.ts';
import { createNetwork, type ProtocolArm } from '../../../evaluation/positions/protocol-network.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { largestDifference } from '../../close.ts';

const engine = createEngine({ threads: 1 });
const arm = (name: string) => ARMS.find((one) => one.name === name)!;
const size = { width: 32, heads: 2 };

describe('the tasks', () => {
  it('copy, flip and count', () => {
    const rows = (task: Parameters<typeof examples>[0]) => {
      const { symbols, answers } = examples(task, 3, 2, createRng(1));
      return { symbols: [...symbols!.data], answers: [...answers!.data] };
    };
    const copy = rows('copy');
    expect(copy.answers).toEqual(copy.symbols);
    const flip = rows('flip');
    for (const start of [0, 3, 6, 9])
      expect(flip.answers.slice(start, start + 3)).toEqual(
        flip.symbols.slice(start, start + 3).reverse(),
      );
    const { symbols, answers } = rows('count');
    const times = (symbol: number) => symbols.slice(0, 9).filter((one) => one === symbol).length;
    expect(new Set(answers.slice(0, 9)).size).toBe(1);
    expect([0, 1, 2, 3].every((symbol) => times(symbol) <= times(answers[0]!))).toBe(true);
  });
});

/** What an untrained network says at the blanks of one grid, [9, symbols]. */
async function said(one: ProtocolArm): Promise<number[][]> {
  const network = createNetwork(one, 3, size);
  const program = await engine.compile(
    ({ inputs, weights }) => ({ outputs: { y: network.forward(weights, inputs.symbols!, 3) } }),
    { inputs: { symbols: { shape: [1, 9], dtype: 'int32' } }, weights: network.init(createRng(2)) },
  );
  const { symbols } = examples('copy', 3, 1, createRng(3));
  const { y } = await program.run({ symbols: symbols! });
  await program.dispose();
  return Array.from({ length: 9 }, (_, i) => [
    ...(y!.data as Float32Array).subarray(4 * i, 4 * i + 4),
  ]);
}
const apart = (rows: number[][]) =>
  Math.max(...rows.flatMap((row) => row.map((value, c) => Math.abs(value - rows[0]![c]!))));

describe('rotations of values and copies of heads', () => {
  const with_ = (positions: PositionConfig) => said({ name: 'one', positions, causal: false });
  const difference = (a: number[][], b: number[][]) => largestDifference(a.flat(), b.flat());

  it('GTA does not see where the grid lies, and differs from axial RoPE', async () => {
    const gta = await with_({ rotate: 'gta' });
    // Values come back turned by the query's own angle, so that only offsets are left.
    const moved = await with_({ rotate: 'gta', coordinates: 'centred' });
    expect(difference(moved, gta)).toBeLessThan(1e-5); // float32 angles moved by half a grid
    expect(difference(await with_({ rotate: 'axial' }), gta)).toBeGreaterThan(0.005);
  });

  it('RoPE++ begins as axial RoPE, and 2D-TPE has two copies of the heads', async () => {
    const axial = await with_({ rotate: 'axial' });
    expect(difference(await with_({ rotate: 'rope-pp' }), axial)).toBeLessThan(1e-5);
    const half = await with_({ rotate: { method: 'rope-pp', form: 'eh' } });
    expect(difference(half, axial)).toBeGreaterThan(0.005);
    expect(difference(await with_({ rotate: '2d-tpe' }), axial)).toBeGreaterThan(0.005);
  });

  it('the factor of logits that an extension has is heard', async () => {
    // FiT's laws are above 1 on the trained grid already.
    const scaled = { rotate: 'axial', extend: { method: 'attention-scale', law: 'fit-side' } };
    expect(difference(await with_(scaled), await with_({ rotate: 'axial' }))).toBeGreaterThan(
      0.005,
    );
  });
});

describe('places', () => {
  it('are the same to blanks without encodings, unless a mask shows each another past', async () => {
    expect(apart(await said(arm('none')))).toBeLessThan(1e-5); // rounding of sums in another order
    for (const name of ['none, causal', 'sin-cos', 'axial RoPE', 'ALiBi'])
      expect(apart(await said(arm(name))), name).toBeGreaterThan(0.005);
  });

  it('can be copied by with encodings, and not without', async () => {
    const rows = await nopeProtocol({
      ...{ engine, rng: createRng(1), ...size },
      ...{ arms: [arm('none'), arm('axial RoPE')], tasks: ['copy'] },
      ...{ sides: [3, 4], steps: 80, batch: 16 },
    });
    expect(rows.map(({ tested }) => tested.map(({ grid }) => grid))).toEqual([
      ['3x3', '4x4'],
      ['3x3', '4x4'],
    ]);
    const [none, axial] = rows.map(({ tested }) => tested[0]!.accuracy);
    // All blanks say one symbol: at best the commonest of nine, 0.45 on average.
    expect(none).toBeLessThan(0.5);
    expect(axial).toBeGreaterThan(0.9);
  });
});
