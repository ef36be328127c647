/** The strip of estimates, and words for numbers. */
import { describe, expect, it } from 'vitest';
import { filmOf } from '../../../web/ui/state/film.ts';
import { bytes, duration, plural } from '../../../web/ui/state/words.ts';

const shot = (step: number) => ({ index: 0, step, png: `at ${step}` });

describe('filmOf', () => {
  it('has the latest estimate of each sixth, and none of what lies ahead', () => {
    const shots = [1, 2, 5, 6, 9, 13, 15].map(shot);
    expect(filmOf(shots, 15, 24)).toEqual([
      { step: 2, png: 'at 2', isNow: false },
      { step: 6, png: 'at 6', isNow: false },
      { step: 9, png: 'at 9', isNow: false },
      { step: 15, png: 'at 15', isNow: true },
      { step: 20, isNow: false },
      { step: 24, isNow: false },
    ]);
  });

  it('has no more frames than steps, the last of them the last step', () => {
    expect(filmOf([], 1, 1)).toEqual([{ step: 1, isNow: true }]);
    for (const steps of [2, 5, 7, 25, 1000]) {
      const film = filmOf([], 0, steps);
      expect(film).toHaveLength(Math.min(6, steps));
      expect(film.at(-1)!.step).toBe(steps);
      expect(film.filter(({ isNow }) => isNow)).toEqual([]);
    }
  });
});

describe('words', () => {
  it('say durations as people do', () => {
    expect([0.04, 2.84, 9.96, 23.4, 89, 95, 3540, 3600, 14_280].map(duration)).toEqual([
      ...['0 s', '2.8 s', '10 s', '23 s', '89 s', '2 min', '59 min', '1 h', '3 h 58 min'],
    ]);
  });
  it('say sizes and counts', () => {
    expect([0, 999, 1000, 11_300, 999_700, 1.44e9].map(bytes)).toEqual([
      ...['0 B', '999 B', '1 kB', '11 kB', '1 MB', '1.4 GB'],
    ]);
    expect(plural(1, 'picture')).toBe('1 picture');
    expect(plural(52_318, 'picture')).toBe('52,318 pictures');
  });
});
