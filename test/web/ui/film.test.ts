/** The strip of estimates, and words for numbers. */
import { describe, expect, it } from 'vitest';
import { filmOf } from '../../../web/ui/state/film.ts';
import { bytes, duration, plural } from '../../../web/ui/state/words.ts';

const shot = (step: number) => ({ index: 0, share: step / 12, png: `at ${step}` });

describe('filmOf', () => {
  it('goes evenly from the first estimate to the latest', () => {
    const film = filmOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(shot));
    expect(film.map(({ share }) => 12 * share)).toEqual([1, 3, 5, 7, 9, 12]);
    expect(film.map(({ isNow }) => isNow)).toEqual([false, false, false, false, false, true]);
  });

  it('has no more frames than there are estimates', () => {
    expect(filmOf([])).toEqual([]);
    expect(filmOf([shot(4)])).toEqual([{ ...shot(4), isNow: true }]);
    expect(filmOf([4, 8].map(shot)).map(({ png }) => png)).toEqual(['at 4', 'at 8']);
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
