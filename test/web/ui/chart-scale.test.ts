import { describe, expect, it } from 'vitest';
import { placeOn, roundTicks, scaleOf, short, spreadLabels } from '../../../web/ui/charts/scale.ts';

describe('scaleOf', () => {
  it('holds all values, with round ticks inside', () => {
    const scale = scaleOf([0.13, 0.94]);
    expect(scale.low).toBeLessThan(0.13);
    expect(scale.high).toBeGreaterThan(0.94);
    expect(scale.ticks).toEqual([0.2, 0.4, 0.6, 0.8]);
  });

  it('is logarithmic where asked: equal ratios are equal distances', () => {
    const scale = scaleOf([10, 1000], { log: true });
    const [a, b, c] = [10, 100, 1000].map((value) => placeOn(scale, value));
    expect(b! - a!).toBeCloseTo(c! - b!, 12); // exact but for rounding
    expect(scale.ticks).toContain(100);
    expect(scale.ticks.every((tick) => tick >= scale.low && tick <= scale.high)).toBe(true);
  });

  it('leaves out what has no place on a logarithmic scale', () => {
    expect(scaleOf([0, -1, 2, 8, Number.NaN], { log: true }).low).toBeGreaterThan(1);
  });

  it('gives one value, or none, a range of its own', () => {
    const one = scaleOf([5]);
    expect(placeOn(one, 5)).toBeCloseTo(0.5, 12);
    expect(scaleOf([0]).high).toBeGreaterThan(scaleOf([0]).low);
    expect(scaleOf([]).ticks.length).toBeGreaterThan(1);
    expect(placeOn(scaleOf([3], { log: true }), 3)).toBeCloseTo(0.5, 12);
  });
});

describe('roundTicks', () => {
  it('are multiples of 1, 2 or 5 times a power of ten, without rounding dirt', () => {
    expect(roundTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(roundTicks(-0.03, 0.03, 3)).toEqual([-0.02, 0, 0.02].map((tick) => tick + 0));
    expect(roundTicks(100, 12_600, 5)).toEqual([5000, 10_000]);
    expect(roundTicks(1.02, 1.11, 4)).toEqual([1.05, 1.1]);
  });
});

describe('spreadLabels', () => {
  const room = { gap: 14, low: 0, high: 200 };

  it('leaves labels that are far enough apart where they are, in the order given', () => {
    expect(spreadLabels([150, 20, 80], room)).toEqual([150, 20, 80]);
  });

  it('moves near ones apart and keeps all inside', () => {
    const placed = spreadLabels([199, 198, 197, 5], room);
    const sorted = [...placed].sort((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++)
      expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThanOrEqual(14);
    expect(Math.max(...placed)).toBeLessThanOrEqual(200);
    expect(placed[0]).toBeGreaterThan(placed[1]!);
    expect(placed[3]).toBe(5);
  });
});

describe('short', () => {
  it('has three digits that count', () => {
    expect([0.041_23, 12.345, 999.6, 12_345.6, 0, Number.NaN, 3e-7].map(short)).toEqual([
      ...['0.0412', '12.3', '1000', '12,346', '0', '–', '3.0e-7'],
    ]);
  });
});
