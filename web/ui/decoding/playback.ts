/**
 * A trace of decoding as frames: what every place of the grid is after a pass, and how far sequential decoding was at the
 * same moment. Pass 0 is before the first.
 */
import type { TracePass, TraceReport, TraceRun } from '../../../jobs/job.ts';

/** kept: drafted and drafted again in the next pass; redrawn: drafted, and something else or nothing in the next. */
export type CellState = 'none' | 'accepted' | 'new' | 'kept' | 'redrawn';

export type Frame = {
  readonly pass: number;
  /** Seconds since the start. */
  readonly at: number;
  readonly cells: readonly CellState[];
  readonly counts: Readonly<Record<CellState, number>>;
  /** Places that are decided, also of earlier passes. */
  readonly decided: number;
};

/** Places that a pass decided. */
export const placesOf = ({ start, decided, places }: TracePass): readonly number[] =>
  places ?? decided.map((_, i) => start + i);

/** The picture's places after `pass` passes of a run. */
export function frameAt(run: TraceRun, pass: number, length: number): Frame {
  const cells: CellState[] = new Array(length).fill('none');
  for (const one of run.passes.slice(0, pass))
    for (const place of placesOf(one)) cells[place] = 'accepted';
  const now = run.passes[pass - 1];
  if (now) {
    for (const place of placesOf(now)) cells[place] = 'new';
    for (const { place, kept } of draftsLeft(run, pass, length))
      if (cells[place] === 'none') cells[place] = kept ? 'kept' : 'redrawn';
  }
  const counts = { none: 0, accepted: 0, new: 0, kept: 0, redrawn: 0 };
  for (const cell of cells) counts[cell]++;
  return { pass, at: now?.at ?? 0, cells, counts, decided: counts.accepted + counts.new };
}

/** Drafts of a pass that are not decided yet, and whether the next pass drafts the same token there. */
function draftsLeft(
  run: TraceRun,
  pass: number,
  length: number,
): { place: number; kept: boolean }[] {
  const now = run.passes[pass - 1]!;
  const next = run.passes[pass];
  return now.drafted.flatMap((token, i) => {
    const place = now.start + i;
    if (place >= length) return [];
    return [{ place, kept: next?.drafted[place - next.start] === token }];
  });
}

/** Tokens that each pass decided: the bars under the boards. */
export const decidedByPass = ({ passes }: TraceRun): number[] =>
  passes.map(({ decided }) => decided.length);

/** Passes of a run that had ended at a moment. */
export function passAt({ passes }: TraceRun, at: number): number {
  let [low, high] = [0, passes.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (passes[middle - 1]!.at <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const lengthOf = ({ grid }: TraceReport): number => grid.height * grid.width;

/** What the whole decoding came to, beside the sequential one. */
export type Race = {
  readonly fewerPasses: number;
  readonly lessTime: number;
  readonly tokensPerPass: number;
};

export function raceOf(report: TraceReport): Race {
  const { chosen, sequential } = report;
  return {
    fewerPasses: sequential.passes.length / chosen.passes.length,
    lessTime: sequential.seconds / chosen.seconds,
    tokensPerPass: lengthOf(report) / chosen.passes.length,
  };
}

export const SPEEDS = [0.25, 0.5, 1, 4] as const;

/**
 * Where a playback is after `elapsed` seconds from pass `from` on: the pass whose end was reached. Passes take as long as they
 * took, times the speed.
 */
export function played(run: TraceRun, from: number, elapsed: number, speed: number): number {
  const begun = from === 0 ? 0 : run.passes[from - 1]!.at;
  return Math.max(from, passAt(run, begun + elapsed * speed));
}

/** What a key does to the playback. */
export function keyed(
  key: string,
  state: { readonly pass: number; readonly playing: boolean },
  passes: number,
): { readonly pass: number; readonly playing: boolean } | undefined {
  const { pass, playing } = state;
  if (key === ' ') return { pass: !playing && pass >= passes ? 0 : pass, playing: !playing };
  if (key === ',') return { pass: Math.max(0, pass - 1), playing: false };
  if (key === '.') return { pass: Math.min(passes, pass + 1), playing: false };
  return undefined;
}

/** One sentence for those who do not see the board. */
export function boardLabel(
  { pass, counts, decided }: Frame,
  length: number,
  passes: number,
): string {
  const parts = [
    `${decided} of ${length} tokens accepted`,
    `${counts.new} of them in this pass`,
    ...(counts.redrawn > 0 ? [`${counts.redrawn} drafts redrawn`] : []),
    ...(counts.kept > 0 ? [`${counts.kept} drafts kept`] : []),
  ];
  return `Token grid after pass ${pass} of ${passes}: ${parts.join(', ')}`;
}
