import { expect, it } from 'vitest';
import type { RotateMethod } from '../../../encoders/positions/contract.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { pRope } from '../../../encoders/positions/rotate/p-rope.ts';
import { largestDifference } from '../../close.ts';
import { onBothEngines } from './evaluate.ts';
import { attend, expectOffsetsOnly, tokensOf } from './rotations.ts';

it('keeps the highest frequencies of each axis', () => {
  const all = axial.frequencies!(20, { base: 100 });
  const { y, x } = pRope.frequencies!(20, { base: 100, p: 0.5 });
  expect(y).toEqual([...all.y.slice(0, 3), 0, 0]);
  expect(x).toEqual(y);
  expect(() => pRope.frequencies!(20, { base: 100, p: 1.5 })).toThrow(/from 0 to 1, got 1\.5/);
});

onBothEngines('p-RoPE', (engine) => {
  const attended = (p: number) => attend(engine, pRope, { options: { base: 100, p } });

  it('is axial RoPE with p = 1, to the bit', async () => {
    const { q, k } = await attend(engine, axial, { options: { base: 100 } });
    const ours = await attended(1);
    expect(ours.q.data).toEqual(q.data);
    expect(ours.k.data).toEqual(k.data);
    expect((await attended(0.5)).q.data).not.toEqual(q.data);
  });

  it('turns nothing with p = 0', async () => {
    const tokens = tokensOf(12, 2, 16);
    const { q, k } = await attended(0);
    expect(q.data).toEqual(tokens.q!.data);
    expect(k.data).toEqual(tokens.k!.data);
  });

  it('gives logits that depend on offsets only', () =>
    expectOffsetsOnly(engine, pRope, { options: { base: 100 } }));

  it('gives the same logit at every offset to channels that stand still', async () => {
    // The same token everywhere, in the lowest channels of both axes only.
    const lowest = tokensOf(12, 2, 16).q!;
    const data = Float32Array.from(lowest.data, (_, i) => (i % 8 < 6 ? 0 : 1));
    const tokens = { q: { ...lowest, data }, k: { ...lowest, data } };
    const spread = async (method: RotateMethod, options: { p?: number }) => {
      const all = { base: 100, ...options };
      const { logits } = await attend(engine, method, { options: all, tokens });
      return largestDifference(logits.data, new Float32Array(logits.data.length).fill(4));
    };
    expect(await spread(pRope, { p: 0.75 })).toBe(0);
    expect(await spread(axial, {})).toBeGreaterThan(0.01);
  });
});
