/** Curves of a report over square sizes: a method a line, or a model a line. */
import { short } from '../charts/scale.ts';
import { type ChartSeries, type ChartSpec, lookOf } from '../charts/spec.ts';
import {
  MEASURES,
  methodsOf,
  methodTitle,
  modelsOf,
  type ReportRow,
  type ResolutionReport,
  squaresOf,
  trainedSide,
} from './report.ts';

/** Order of the methods: the best at the largest size first, so that it has the yarn. */
export function rankedMethods(report: ResolutionReport, model: string): string[] {
  const largest = squaresOf(report).at(-1);
  const kid = (extend: string) => {
    const row = report.rows.find(
      (one) => one.model === model && one.extend === extend && one.size === `${largest}x${largest}`,
    );
    return row?.unchanged
      ? Number.POSITIVE_INFINITY
      : (row?.numbers.kid?.value ?? Number.POSITIVE_INFINITY);
  };
  const methods = methodsOf(report);
  const rank = new Map(methods.map((name) => [name, kid(name)]));
  return [...methods].sort(
    (a, b) => rank.get(a)! - rank.get(b)! || methods.indexOf(a) - methods.indexOf(b),
  );
}

type Look = { readonly endLabels?: boolean; readonly height?: number };
type Named = { readonly name: string; rowAt(size: string): ReportRow | undefined };

/** Curves of one measure: a method a line, left out where it changes nothing. */
export const chartOf = (
  report: ResolutionReport,
  model: string,
  measure: string,
  look: Look = {},
): ChartSpec =>
  curvesOf(report, measure, {
    ...look,
    trained: trainedSide(report, model),
    lines: rankedMethods(report, model).map((extend) => ({
      name: methodTitle(extend),
      rowAt: (size) => findRow(report, model, extend, size),
    })),
  });

/** A model a line, all with the first method, which is none where that was measured. */
export function chartOfModels(
  report: ResolutionReport,
  measure: string,
  look: Look = {},
): ChartSpec {
  const [models, methods] = [modelsOf(report), methodsOf(report)];
  const extend = methods.includes('none') ? 'none' : methods[0]!;
  return curvesOf(report, measure, {
    ...look,
    trained: trainedSide(report, models[0]!),
    lines: models.map((model) => ({
      name: model,
      rowAt: (size) => findRow(report, model, extend, size),
    })),
  });
}

const findRow = ({ rows }: ResolutionReport, model: string, extend: string, size: string) =>
  rows.find((one) => one.model === model && one.extend === extend && one.size === size);

function curvesOf(
  report: ResolutionReport,
  measure: string,
  {
    lines,
    trained,
    ...look
  }: Look & { readonly lines: readonly Named[]; readonly trained: number | undefined },
): ChartSpec {
  const { title, hint, log } = MEASURES[measure] ?? { title: measure, hint: '' };
  const sides = squaresOf(report);
  const series = lines.map(
    ({ name, rowAt }, index): ChartSeries => ({
      ...{ ...lookOf(index), name },
      points: sides.map((side) => {
        const row = rowAt(`${side}x${side}`);
        return row?.unchanged ? undefined : row?.numbers[measure];
      }),
    }),
  );
  const level = levelOf(measure);
  return {
    title: `${title} against size`,
    description: describe(series, sides, title),
    x: { name: 'side, px', places: sides, log: true, labels: sides.map(String) },
    y: { name: [title, hint].filter(Boolean).join(', '), ...(log ? { log } : {}) },
    series: series.filter(({ points }) => points.some(Boolean)),
    ...(trained === undefined ? {} : { trained }),
    ...(level ? { level } : {}),
    ...look,
  };
}

/** Where real drawings are, in measures relative to them. */
function levelOf(measure: string): ChartSpec['level'] {
  if (measure === 'duplication') return { name: 'real drawings', value: 0 };
  const relative = ['attributes', 'style', 'seams', 'spread'].includes(measure);
  return relative ? { name: 'real drawings', value: 1 } : undefined;
}

function describe(series: readonly ChartSeries[], sides: readonly number[], title: string): string {
  const ends = series.flatMap(({ name, points }) => {
    const value = points.at(-1)?.value;
    return value === undefined ? [] : [{ name, value }];
  });
  if (ends.length === 0) return `${title} by picture side.`;
  const sorted = ends.sort((a, b) => a.value - b.value);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const at = `At ${sides.at(-1)} pixels`;
  return ends.length === 1
    ? `${title} by picture side. ${at} ${least.name} has ${short(least.value)}.`
    : `${title} by picture side. ${at} ${least.name} is lowest at ${short(least.value)}, ${most.name} highest at ${short(most.value)}.`;
}
