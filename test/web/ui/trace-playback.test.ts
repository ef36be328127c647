import { describe, expect, it } from 'vitest';
import type { TracePass, TraceReport } from '../../../jobs/job.ts';
import {
  boardLabel,
  decidedByPass,
  frameAt,
  keyed,
  passAt,
  placesOf,
  played,
  raceOf,
} from '../../../web/ui/decoding/playback.ts';

const pass = (about: Partial<TracePass>): TracePass => ({
  ...{ at: 0, start: 0, drafted: [], accepted: 0, decided: [], redrawn: false },
  ...about,
});

/** Six places in two rows: drafts of four; one token, then three, then two. */
const chosen = {
  decoder: 'fixed-noise',
  seconds: 0.4,
  png: '',
  passes: [
    pass({ at: 0.1, drafted: [7, 8, 9, 9], decided: [5], redrawn: true }),
    pass({ at: 0.2, start: 1, drafted: [8, 9, 1, 4], accepted: 2, decided: [8, 9, 2] }),
    pass({ at: 0.4, start: 4, drafted: [4, 4], accepted: 1, decided: [4, 6] }),
  ],
};
const sequential = {
  decoder: 'sequential',
  seconds: 0.9,
  png: '',
  passes: [0, 1, 2, 3, 4, 5].map((start) =>
    pass({ at: 0.15 * (start + 1), start, decided: [start] }),
  ),
};
const report: TraceReport = {
  request: {} as TraceReport['request'],
  exactness: 'identical',
  grid: { height: 2, width: 3 },
  chosen,
  sequential,
};

describe('frameAt', () => {
  it('is empty before the first pass', () => {
    const { cells, decided } = frameAt(chosen, 0, 6);
    expect(cells).toEqual(new Array(6).fill('none'));
    expect(decided).toBe(0);
  });

  it('tells drafts that the next pass drafts again from those that it does not', () => {
    // after pass 1: place 0 decided; drafts of 1 and 2 come again, that of 3 becomes another token
    expect(frameAt(chosen, 1, 6).cells).toEqual(['new', 'kept', 'kept', 'redrawn', 'none', 'none']);
    expect(frameAt(chosen, 2, 6).cells).toEqual([
      ...['accepted', 'new', 'new', 'new', 'kept', 'none'],
    ]);
  });

  it('counts every place once', () => {
    for (let at = 0; at <= 3; at++) {
      const { counts } = frameAt(chosen, at, 6);
      expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(6);
    }
    expect(frameAt(chosen, 3, 6).decided).toBe(6);
  });

  it('follows decoders that decide places out of order, and drafts beyond the end', () => {
    const zipar = { ...chosen, passes: [pass({ decided: [1, 2], places: [0, 3], drafted: [] })] };
    expect(frameAt(zipar, 1, 6).cells[3]).toBe('new');
    expect(placesOf(zipar.passes[0]!)).toEqual([0, 3]);
    const late = { ...chosen, passes: [pass({ start: 5, drafted: [1, 2, 3], decided: [1] })] };
    expect(frameAt(late, 1, 6).cells).toHaveLength(6);
  });
});

describe('the moment of the other run', () => {
  it('is the last pass that had ended', () => {
    expect([0, 0.14, 0.15, 0.44, 0.45, 9].map((at) => passAt(sequential, at))).toEqual([
      ...[0, 0, 1, 2, 3, 6],
    ]);
  });
});

describe('playing', () => {
  it('takes each pass as long as it took, times the speed', () => {
    expect(played(chosen, 0, 0.1, 1)).toBe(1);
    expect(played(chosen, 1, 0.1, 1)).toBe(2);
    expect(played(chosen, 0, 0.1, 4)).toBe(3);
    expect(played(chosen, 2, 0.1, 0.5)).toBe(2);
  });

  it('is steered by Space, comma and full stop', () => {
    expect(keyed(' ', { pass: 1, playing: false }, 3)).toEqual({ pass: 1, playing: true });
    expect(keyed(' ', { pass: 3, playing: false }, 3)).toEqual({ pass: 0, playing: true });
    expect(keyed(' ', { pass: 2, playing: true }, 3)).toEqual({ pass: 2, playing: false });
    expect(keyed('.', { pass: 3, playing: true }, 3)).toEqual({ pass: 3, playing: false });
    expect(keyed(',', { pass: 0, playing: false }, 3)).toEqual({ pass: 0, playing: false });
    expect(keyed('a', { pass: 0, playing: false }, 3)).toBeUndefined();
  });
});

it('says what came of it, and what the board shows', () => {
  expect(raceOf(report)).toEqual({ fewerPasses: 2, lessTime: 0.9 / 0.4, tokensPerPass: 2 });
  expect(decidedByPass(chosen)).toEqual([1, 3, 2]);
  expect(boardLabel(frameAt(chosen, 1, 6), 6, 3)).toBe(
    'Token grid after pass 1 of 3: 1 of 6 tokens accepted, 1 of them in this pass, 1 drafts redrawn, 2 drafts kept',
  );
});
