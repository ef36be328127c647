/** The charts and sheets of a comparison. */
import { contactSheet, type Picture } from '../../png.ts';
import { type HeatMap, type LineChart, rangeOf, type Series } from '../charts.ts';
import { MEASURES, type MeasureName } from './measures.ts';
import { sizeName } from './plan.ts';
import type { Report, Row } from './report.ts';
import { type Resolution, SHOWN } from './run.ts';

/** Measures that curves are drawn of, the first ones first on the page. */
const CURVES: readonly MeasureName[] = [
  'kid',
  'attributes',
  'duplication',
  'consistency',
  'frechet',
  'spatial',
  'crops',
  'spread',
  'seams',
  'seconds',
];
const MAPS: readonly MeasureName[] = [
  'kid',
  'attributes',
  'style',
  'duplication',
  'coverage',
  'seconds',
];
/** Pictures of which there is a sheet. */
const SHEETS = 4;

const unique = (values: readonly string[]): string[] => [...new Set(values)];
export const sizesOf = ({ rows }: Report): string[] => unique(rows.map(({ size }) => size));
export const methodsOf = ({ rows }: Report): string[] => unique(rows.map(({ extend }) => extend));
const modelsOf = ({ rows }: Report): string[] => unique(rows.map(({ model }) => model));
const isSquare = (size: string): boolean => {
  const [width, height] = size.split('x');
  return width === height;
};

export type Named<Chart> = { readonly name: string; readonly chart: Chart };

/** One chart a measure and model, a curve a method; all models' charts of a measure have one axis. */
export function curvesOf(report: Report): Named<LineChart>[] {
  const places = sizesOf(report);
  const alone = new Set(places.filter((size) => !isSquare(size)));
  return CURVES.flatMap((measure) => {
    const seriesOf = (model: string): Series[] =>
      methodsOf(report).map((extend) => ({
        name: extend,
        points: places.map((size) => {
          const row = findRow(report.rows, { model, extend, size });
          return row?.unchanged ? undefined : row?.numbers[measure];
        }),
      }));
    const all = modelsOf(report).map((model) => ({ model, series: seriesOf(model) }));
    const known = all.some(({ series }) => series.some(({ points }) => points.some((p) => p)));
    if (!known) return [];
    const level = levelOf(measure);
    const range = rangeOf(
      all.flatMap(({ series }) => series),
      level?.value,
    );
    return all.map(({ model, series }) => ({
      name: `${measure}-${model}`,
      chart: {
        title: `${model}: ${MEASURES[measure].title}`,
        ...{ places, series, alone, range },
        ...(level ? { level } : {}),
      },
    }));
  });
}

/** Where real drawings are, in measures relative to them. */
function levelOf(measure: MeasureName): LineChart['level'] {
  if (measure === 'duplication') return { name: 'real drawings', value: 0 };
  const relative = ['attributes', 'style', 'seams', 'spread'].includes(measure);
  return relative ? { name: 'real drawings', value: 1 } : undefined;
}

/** Models and methods down, sizes across. */
export function heatMapsOf(report: Report): Named<HeatMap>[] {
  const columns = sizesOf(report);
  const arms = modelsOf(report).flatMap((model) =>
    methodsOf(report).map((extend) => ({ model, extend })),
  );
  return MAPS.map((measure) => ({
    name: `map-${measure}`,
    chart: {
      title: MEASURES[measure].title,
      rows: arms.map(({ model, extend }) => `${model}, ${extend}`),
      columns,
      values: arms.map((arm) =>
        columns.map((size) => findRow(report.rows, { ...arm, size })?.numbers[measure]?.value),
      ),
      better: MEASURES[measure].better,
    },
  }));
}

const findRow = (
  rows: readonly Row[],
  { model, extend, size }: Pick<Row, 'model' | 'extend' | 'size'>,
): Row | undefined =>
  rows.find((row) => row.model === model && row.extend === extend && row.size === size);

/** One sheet a model and picture: the real drawing and every method down, sizes across, one seed. */
export async function sheetsOf({ cells, sizes }: Resolution): Promise<Named<Picture>[]> {
  const first = cells.filter(({ cell }) => cell.seeds === 0);
  const models = [...new Set(first.map(({ cell }) => cell.model))];
  const methods = [...new Set(first.map(({ cell }) => cell.extend))];
  const count = Math.min(SHEETS, SHOWN, first[0]!.pictures.length);
  const sheets: Named<Picture>[] = [];
  for (const model of models)
    for (let k = 0; k < count; k++) {
      const rows = methods.flatMap((extend) =>
        sizes.map(({ size }) => {
          const found = first.find(
            ({ cell }) => cell.model === model && cell.extend === extend && cell.size === size,
          );
          return found!.pictures[k]!;
        }),
      );
      const chart = await contactSheet([...sizes.map(({ real }) => real[k]!), ...rows], {
        columns: sizes.length,
        gap: 4,
        background: '#e8e8e8',
        rowLabels: ['real drawing', ...methods],
        columnLabels: sizes.map(({ size }) => sizeName(size)),
      });
      sheets.push({ name: `sheet-${model.id}-${k + 1}`, chart });
    }
  return sheets;
}
