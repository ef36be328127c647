import { describe, expect, it } from 'vitest';
import { stopwatch } from '../../pipelines/stopwatch.ts';

/** Steps that end at these milliseconds; telling of each takes 1000. */
async function timed(steps: readonly { first: number; step: number; at: number }[], of: number) {
  let clock = 0;
  const taken = stopwatch(
    () => clock,
    () => {
      clock += 1000;
    },
  );
  let told = 0;
  for (const { at, ...one } of steps) {
    clock = at + 1000 * told++;
    await taken.onStep({ ...one, steps: of, preview: () => [] });
  }
  return taken.seconds(2);
}

describe('what a picture takes', () => {
  it('is the time between steps, times all of them: compiling before the first is left out', async () => {
    const one = [900, 1000, 1100].map((at, i) => ({ first: 0, step: i + 1, at }));
    expect(await timed(one, 3)).toBeCloseTo((3 * 0.1) / 2, 10);
    const two = [5000, 5200, 5400].map((at, i) => ({ first: 4, step: i + 4, at }));
    expect(await timed([...one, ...two], 6)).toBeCloseTo((6 * 0.15) / 2, 10);
  });

  it('counts steps where several are told at once, as of tokens', async () => {
    const passes = [
      { first: 0, step: 2, at: 500 },
      { first: 0, step: 8, at: 800 },
    ];
    expect(await timed(passes, 16)).toBeCloseTo((16 * 0.05) / 2, 10);
  });

  it('is all the time where there is a single step', async () => {
    expect(await timed([{ first: 0, step: 1, at: 600 }], 1)).toBeCloseTo(1.6 / 2, 10);
  });
});
