import { describe, expect, it } from 'vitest';
import { ARMS, examples, nopeProtocol } from '../../../evaluation/positions/nope-protocol.ts';
import { createNetwork } from '../../../evaluation/positions/protocol-network.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';

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
async function said(name: string): Promise<number[][]> {
  const network = createNetwork(arm(name), 3, size);
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

describe('places', () => {
  it('are the same to blanks without encodings, unless a mask shows each another past', async () => {
    expect(apart(await said('none'))).toBeLessThan(1e-5); // rounding of sums in another order
    for (const name of ['none, causal', 'sin-cos', 'axial RoPE', 'ALiBi'])
      expect(apart(await said(name)), name).toBeGreaterThan(0.005);
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
