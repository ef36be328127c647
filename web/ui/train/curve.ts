/** Losses of training runs as curves: means over stretches, as many as there are pixels to draw them. */
import type { Point } from '../../../jobs/job.ts';
import { short } from '../charts/scale.ts';
import type { ChartPoint, ChartSeries, ChartSpec } from '../charts/spec.ts';

export type RunCurve = { readonly name: string; readonly points: readonly Point[] };

/** Places on the x axis at most. */
const MOST = 300;

/** Adds points that came after those that are known; a point that is known already is not taken twice. */
export function joinPoints(known: readonly Point[], more: readonly Point[]): readonly Point[] {
  const last = known.at(-1)?.step ?? Number.NEGATIVE_INFINITY;
  const later = more.filter(({ step }) => step > last);
  return later.length === 0 ? known : [...known, ...later];
}

/** Measures that at least one point has. */
export const measuresIn = (runs: readonly RunCurve[]): string[] => [
  ...new Set(runs.flatMap(({ points }) => points.flatMap(({ values }) => Object.keys(values)))),
];

/** Steps that all runs are shown at: ends of equal stretches up to the longest run's last step. */
function stepsOf(runs: readonly RunCurve[]): number[] {
  const last = Math.max(1, ...runs.map(({ points }) => points.at(-1)?.step ?? 1));
  const count = Math.min(MOST, last);
  return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * last) / count));
}

/** Means of a measure over the stretches that end at `steps`. */
export function meansAt(
  points: readonly Point[],
  measure: string,
  steps: readonly number[],
): (ChartPoint | undefined)[] {
  let at = 0;
  return steps.map((end) => {
    let [sum, count] = [0, 0];
    for (; at < points.length && points[at]!.step <= end; at++) {
      const value = points[at]!.values[measure];
      if (value === undefined || !Number.isFinite(value)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? undefined : { value: sum / count };
  });
}

/** Training loss thin, held-out loss with marks; runs in the same chart by colour and mark. */
export function lossChart(runs: readonly RunCurve[]): ChartSpec {
  const steps = stepsOf(runs);
  const many = runs.length > 1;
  const series = runs.flatMap(({ name, points }, index): ChartSeries[] => {
    const look = { colour: COLOURS[index % COLOURS.length]! };
    const held = meansAt(points, 'heldOutLoss', steps);
    const own: ChartSeries[] = [
      {
        ...look,
        name: many ? `${name}, training` : 'training',
        points: meansAt(points, 'loss', steps),
      },
      {
        ...look,
        ...{ mark: HELD_MARKS[index % HELD_MARKS.length]!, dashed: true, strong: true },
        name: many ? `${name}, held out` : 'held out',
        points: held,
      },
    ];
    return own.filter((one) => one.points.some(Boolean));
  });
  return {
    title: many ? 'Losses of runs' : 'Loss',
    description: describe(runs),
    x: { name: 'step', places: steps },
    y: { name: 'loss, lower is better', log: true },
    ...{ series, endLabels: true },
  };
}

const COLOURS = [1, 3, 4, 5, 7, 6, 8];
const HELD_MARKS = ['square', 'circle', 'triangle', 'diamond'] as const;

function describe(runs: readonly RunCurve[]): string {
  const parts = runs.flatMap(({ name, points }) => {
    const last = points.at(-1);
    if (!last) return [];
    const heldOut = lastOf(points, 'heldOutLoss');
    const loss = lastOf(points, 'loss');
    return [
      `${name}: step ${last.step}, loss ${loss === undefined ? 'unknown' : short(loss)}${heldOut === undefined ? '' : `, held out ${short(heldOut)}`}`,
    ];
  });
  return parts.length === 0 ? 'No step has been measured yet.' : `${parts.join('. ')}.`;
}

/** The latest value of a measure. */
export function lastOf(points: readonly Point[], measure: string): number | undefined {
  for (let i = points.length - 1; i >= 0; i--) {
    const value = points[i]!.values[measure];
    if (value !== undefined) return value;
  }
  return undefined;
}
