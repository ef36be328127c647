/** The charts of a comparison. */
import { type HeatMap, type LineChart, rangeOf, type Series } from '../charts.ts';
import { MEASURES, type MeasureName } from './measures.ts';
import type { Report, Row } from './report.ts';

/** Measures that curves are drawn of, the first ones first on the page. */
const CURVES: readonly MeasureName[] = [
  'kid',
  'attributes',
  'style',
  'heldOut',
  'copies',
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
const unique = (values: readonly string[]): string[] => [...new Set(values)];
export const sizesOf = ({ rows }: Report): string[] => unique(rows.map(({ size }) => size));
export const methodsOf = ({ rows }: Report): string[] => unique(rows.map(({ extend }) => extend));
/** What models are shown with beside each other: none, or the first where none was not drawn. */
export function plainMethod(report: Report): string {
  const methods = methodsOf(report);
  return methods.includes('none') ? 'none' : methods[0]!;
}
export const modelsOf = ({ rows }: Report): string[] => unique(rows.map(({ model }) => model));
const isSquare = (size: string): boolean => {
  const [width, height] = size.split('x');
  return width === height;
};

export type Named<Chart> = { readonly name: string; readonly chart: Chart };

/** A chart's curves: of methods with one model, or of models. */
export type Curves = Named<LineChart> & { readonly of: 'methods' | 'models' };

/**
 * Of every measure: models as curves, without extension and each with its best method of a size, where there are
 * several; and methods as curves, a chart a model, where it was drawn with several. All charts of a measure have one axis.
 */
export function curvesOf(report: Report): Curves[] {
  const places = sizesOf(report);
  const alone = new Set(places.filter((size) => !isSquare(size)));
  return CURVES.flatMap((measure) => {
    const level = levelOf(measure);
    const charts = groupsOf(report)
      .map(({ curves, ...group }) => ({ ...group, series: seriesOf(curves, measure) }))
      .filter(({ series }) => series.some(({ points }) => points.some((point) => point)));
    const all = charts.flatMap(({ series }) => series);
    return charts.map(({ name, of, title, series }) => ({
      ...{ name: `${measure}-${name}`, of },
      chart: {
        title: `${title}: ${MEASURES[measure].title}`,
        ...{ places, series, alone, range: rangeOf(all, level?.value) },
        ...(level ? { level } : {}),
      },
    }));
  });
}

/** Names in the order of their colours. */
export const legendsOf = (report: Report): { of: Curves['of']; names: string[] }[] => {
  const kinds = new Set(groupsOf(report).map(({ of }) => of));
  const names = { models: modelsOf(report), methods: methodsOf(report) };
  return [...kinds].map((of) => ({ of, names: names[of] }));
};

type Group = {
  readonly name: string;
  readonly of: Curves['of'];
  readonly title: string;
  /** The rows of each curve, one a size. */
  readonly curves: readonly {
    readonly name: string;
    readonly rows: readonly (Row | undefined)[];
  }[];
};

function groupsOf(report: Report): Group[] {
  const [models, methods, sizes] = [modelsOf(report), methodsOf(report), sizesOf(report)];
  const at = (model: string, extend: string) =>
    sizes.map((size) => {
      const row = findRow(report.rows, { model, extend, size });
      return row?.unchanged ? undefined : row;
    });
  const plain = plainMethod(report);
  const several = models.length > 1;
  const ofModels = (
    name: string,
    title: string,
    rowsOf: (model: string) => Group['curves'][number]['rows'],
  ): Group => ({
    ...{ name, title, of: 'models' },
    curves: models.map((model) => ({ name: model, rows: rowsOf(model) })),
  });
  const extended = models.filter((model) =>
    methods.some((extend) => extend !== plain && at(model, extend).some((row) => row)),
  );
  return [
    ...(several
      ? [ofModels('models', plain === 'none' ? 'no extension' : plain, (model) => at(model, plain))]
      : []),
    ...(several && extended.length > 0
      ? [
          ofModels('best', 'best method', (model) =>
            sizes.map((size) => bestRow(report, model, size)),
          ),
        ]
      : []),
    ...(several ? extended : models).map(
      (model): Group => ({
        ...{ name: model, title: model, of: 'methods' },
        curves: methods.map((extend) => ({ name: extend, rows: at(model, extend) })),
      }),
    ),
  ];
}

/** A model's row of the least KID at a size. */
export const bestRow = ({ rows }: Report, model: string, size: string): Row | undefined =>
  rows.find((row) => row.model === model && row.size === size && row.best);

const seriesOf = (curves: Group['curves'], measure: MeasureName): Series[] =>
  curves.map(({ name, rows }) => ({ name, points: rows.map((row) => row?.numbers[measure]) }));

/** Where real drawings are, in measures relative to them. */
function levelOf(measure: MeasureName): LineChart['level'] {
  if (measure === 'duplication') return { name: 'real drawings', value: 0 };
  const relative = ['attributes', 'style', 'heldOut', 'copies', 'seams', 'spread'];
  return relative.includes(measure) ? { name: 'real drawings', value: 1 } : undefined;
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
      ...{ better: MEASURES[measure].better, within: 'columns' },
    },
  }));
}

const findRow = (
  rows: readonly Row[],
  { model, extend, size }: Pick<Row, 'model' | 'extend' | 'size'>,
): Row | undefined =>
  rows.find((row) => row.model === model && row.extend === extend && row.size === size);
