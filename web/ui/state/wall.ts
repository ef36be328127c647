/** Rows of the gallery: a heading for each day, then pictures side by side; what is not loaded yet is open space. */
import type { StoredPicture } from '../api.ts';
import { dayOf } from './words.ts';

export type Row =
  | {
      readonly kind: 'day';
      readonly title: string;
      /** Known once the whole day is loaded. */
      readonly count?: number;
    }
  /** Pictures `from` up to, not including, `to` of the list. */
  | { readonly kind: 'pictures'; readonly from: number; readonly to: number }
  | { readonly kind: 'open'; readonly count: number };

export type Wall = {
  readonly rows: readonly Row[];
  /** Of each loaded picture: its row. */
  readonly rowOf: readonly number[];
};

export function wallOf(
  pictures: readonly Pick<StoredPicture, 'createdAt'>[],
  total: number,
  columns: number,
  today = Date.now(),
): Wall {
  const rows: Row[] = [];
  const rowOf: number[] = [];
  const isWhole = pictures.length >= total;
  for (let from = 0; from < pictures.length; ) {
    const first = pictures[from]!.createdAt;
    const title = dayOf(first, today);
    const [begin, over] = limitsOf(first);
    const isThatDay = (time: number) => time >= begin && time < over;
    let end = from;
    while (end < pictures.length && isThatDay(pictures[end]!.createdAt)) end++;
    const isDone = end < pictures.length || isWhole;
    rows.push({ kind: 'day', title, ...(isDone && { count: end - from }) });
    for (; from < end; from += columns) {
      const to = Math.min(end, from + columns);
      for (let at = from; at < to; at++) rowOf[at] = rows.length;
      rows.push({ kind: 'pictures', from, to });
    }
    from = end;
  }
  for (let left = total - pictures.length; left > 0; left -= columns)
    rows.push({ kind: 'open', count: Math.min(left, columns) });
  return { rows, rowOf };
}

/** When the day of a time begins, and when the next one does. */
function limitsOf(time: number): readonly [number, number] {
  const begin = new Date(time);
  begin.setHours(0, 0, 0, 0);
  const over = new Date(begin);
  over.setDate(over.getDate() + 1);
  return [begin.getTime(), over.getTime()];
}

/** As many columns of at least `least` pixels as fit, and how wide they are then. */
export function columnsFor(
  width: number,
  least: number,
  gap: number,
): { readonly columns: number; readonly side: number } {
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  return { columns, side: (width - gap * (columns - 1)) / columns };
}

/** Where an arrow leads from picture `at`; up and down stay in the column where a row has it. */
export function neighbour(
  { rows, rowOf }: Wall,
  at: number,
  key: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown' | 'Home' | 'End',
): number {
  const last = rowOf.length - 1;
  if (last < 0) return -1;
  if (at < 0 || key === 'Home') return 0;
  if (key === 'End') return last;
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'ArrowRight') return Math.min(last, at + 1);
  const here = rows[rowOf[at]!]! as Extract<Row, { kind: 'pictures' }>;
  const by = key === 'ArrowUp' ? -1 : 1;
  for (let row = rowOf[at]! + by; rows[row]; row += by) {
    const next = rows[row]!;
    if (next.kind === 'open') return last;
    if (next.kind === 'pictures') return Math.min(next.to - 1, next.from + at - here.from);
  }
  return at;
}
