import { describe, expect, it } from 'vitest';
import { readConfig, typedValue, valueAt, withValue } from '../../../web/ui/train/config.ts';
import { joinPoints, lossChart, meansAt } from '../../../web/ui/train/curve.ts';
import { freshName } from '../../../web/ui/train/form.ts';

const point = (step: number, loss: number, heldOutLoss?: number) => ({
  step,
  values: { loss, ...(heldOutLoss === undefined ? {} : { heldOutLoss }) },
});

describe('curves of losses', () => {
  it('are means over stretches', () => {
    const points = [point(1, 4), point(2, 2), point(3, 1), point(4, 3)];
    expect(meansAt(points, 'loss', [2, 4])).toEqual([{ value: 3 }, { value: 2 }]);
    expect(meansAt(points, 'heldOutLoss', [2, 4])).toEqual([undefined, undefined]);
  });

  it('have as many places as there are pixels for, also for long runs', () => {
    const points = Array.from({ length: 5000 }, (_, i) =>
      point(i + 1, 1 / (i + 1), i % 250 ? undefined : 1),
    );
    const chart = lossChart([{ name: 'a', points }]);
    expect(chart.x.places).toHaveLength(300);
    expect(chart.x.places.at(-1)).toBe(5000);
    expect(chart.series.map(({ name }) => name)).toEqual(['training', 'held out']);
    expect(chart.description).toContain('a: step 5000');
  });

  it('of several runs tell them apart by name, colour and mark', () => {
    const runs = ['a', 'b'].map((name) => ({
      name,
      points: [point(10, 1, 1), point(20, 0.5, 0.7)],
    }));
    const { series } = lossChart(runs);
    expect(series).toHaveLength(4);
    expect(new Set(series.map(({ name }) => name)).size).toBe(4);
    const held = series.filter(({ dashed }) => dashed);
    expect(new Set(held.map(({ colour }) => colour)).size).toBe(2);
    expect(new Set(held.map(({ mark }) => mark)).size).toBe(2);
  });

  it('take points that came twice once', () => {
    const known = [point(1, 4), point(2, 2)];
    expect(joinPoints(known, [point(2, 2), point(3, 1)])).toHaveLength(3);
    expect(joinPoints(known, [point(1, 4)])).toBe(known);
  });
});

describe('a configuration', () => {
  it('takes a name that no model has', () => {
    expect(freshName('first-run', [])).toBe('first-run');
    expect(freshName('first-run', ['first-run'])).toBe('first-run-2');
    expect(freshName('first-run', ['first-run', 'first-run-2'])).toBe('first-run-3');
  });

  const config = { name: 'a', data: { set: 'avatars', size: 64 }, steps: 10 };

  it('changes in one value only', () => {
    const changed = withValue(config, 'data.size', 32);
    expect(changed).toEqual({ ...config, data: { set: 'avatars', size: 32 } });
    expect(config.data.size).toBe(64);
    expect(valueAt(changed, 'data.size')).toBe(32);
    expect(withValue(config, 'steps', undefined)).toEqual({ name: 'a', data: config.data });
    expect(withValue(config, 'every.sheet', 5)).toMatchObject({ every: { sheet: 5 } });
  });

  it('keeps what is no number as it was typed, for the server to refuse', () => {
    expect(typedValue({ kind: 'number' }, '12')).toBe(12);
    expect(typedValue({ kind: 'number' }, '12 px')).toBe('12 px');
    expect(typedValue({ kind: 'text' }, '12')).toBe('12');
    expect(typedValue({ kind: 'number' }, '')).toBeUndefined();
  });

  it('says in which line its text is broken', () => {
    expect(readConfig('{"a": 1}')).toEqual({ config: { a: 1 } });
    expect(readConfig('[1]')).toHaveProperty('error', expect.stringContaining('in braces'));
    const { error } = readConfig('{\n  "a": 1,\n  "b" 2\n}') as { error: string };
    expect(error).toMatch(/line 3/);
  });
});
