/** Rows of the gallery. */
import { describe, expect, it } from 'vitest';
import { columnsFor, neighbour, wallOf } from '../../../web/ui/state/wall.ts';

const noon = new Date(2026, 10, 26, 12).getTime();
const day = 86_400_000;
const pictures = (...ages: number[]) => ages.map((age) => ({ createdAt: noon - age }));
const some = pictures(0, 1, 2, 3, 4, day, day + 1, 40 * day);

describe('wallOf', () => {
  it('heads each day, and counts it once it is whole', () => {
    expect(wallOf(some, 8, 3, noon).rows).toEqual([
      { kind: 'day', title: 'Today', count: 5 },
      { kind: 'pictures', from: 0, to: 3 },
      { kind: 'pictures', from: 3, to: 5 },
      { kind: 'day', title: 'Yesterday', count: 2 },
      { kind: 'pictures', from: 5, to: 7 },
      { kind: 'day', title: '17 October 2026', count: 1 },
      { kind: 'pictures', from: 7, to: 8 },
    ]);
  });

  it('keeps open space for what is not loaded, whose day may go on', () => {
    const { rows } = wallOf(some.slice(0, 5), 12, 3, noon);
    expect(rows[0]).toEqual({ kind: 'day', title: 'Today' });
    expect(rows.slice(3)).toEqual([
      { kind: 'open', count: 3 },
      { kind: 'open', count: 3 },
      { kind: 'open', count: 1 },
    ]);
  });

  it('ends a day at midnight, not after 24 hours', () => {
    const late = new Date(2026, 10, 26, 0, 5).getTime();
    const { rows } = wallOf([{ createdAt: late }, { createdAt: late - 600_000 }], 2, 4, noon);
    expect(rows.map((row) => ('title' in row ? row.title : row.kind))).toEqual([
      ...['Today', 'pictures', 'Yesterday', 'pictures'],
    ]);
  });

  it('lays fifty thousand, each in the row that it says', () => {
    const many = Array.from({ length: 50_000 }, (_, at) => ({ createdAt: noon - at * 60_000 }));
    const { rows, rowOf } = wallOf(many, many.length, 7, noon);
    expect(rowOf).toHaveLength(50_000);
    const wrong = rowOf.filter((row, at) => {
      const found = rows[row]!;
      return found.kind !== 'pictures' || at < found.from || at >= found.to;
    });
    expect(wrong).toEqual([]);
  });
});

describe('columnsFor', () => {
  it('fills the width', () => {
    expect(columnsFor(1232, 148, 10)).toEqual({ columns: 7, side: 1172 / 7 });
    expect(columnsFor(80, 148, 10)).toEqual({ columns: 1, side: 80 });
  });
});

describe('neighbour', () => {
  const wall = wallOf(some, 8, 3, noon);
  it('walks along and between rows, over the headings', () => {
    expect(neighbour(wall, 1, 'ArrowRight')).toBe(2);
    expect(neighbour(wall, 1, 'ArrowDown')).toBe(4);
    expect(neighbour(wall, 2, 'ArrowDown')).toBe(4);
    expect(neighbour(wall, 4, 'ArrowDown')).toBe(6);
    expect(neighbour(wall, 6, 'ArrowUp')).toBe(4);
    expect(neighbour(wall, 5, 'ArrowLeft')).toBe(4);
  });
  it('stops at both ends, and begins at the first', () => {
    expect(neighbour(wall, 0, 'ArrowUp')).toBe(0);
    expect(neighbour(wall, 7, 'ArrowDown')).toBe(7);
    expect(neighbour(wall, 7, 'ArrowRight')).toBe(7);
    expect(neighbour(wall, -1, 'ArrowDown')).toBe(0);
    expect(neighbour(wallOf([], 0, 3, noon), -1, 'ArrowDown')).toBe(-1);
  });
});
