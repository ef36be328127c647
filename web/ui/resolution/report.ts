/**
 * The report of `evaluate resolution` as the page reads it, and the best method of each size with those that the pictures
 * do not tell from it. curves.ts draws it.
 */

import { short } from '../charts/scale.ts';
import type { ChartPoint } from '../charts/spec.ts';

export type ReportPoint = Required<ChartPoint> & { readonly real?: number };
export type ReportRow = {
  readonly model: string;
  readonly extend: string;
  /** Such as `64x96`. */
  readonly size: string;
  readonly trained: boolean;
  /** The extension changes nothing at this size: the pictures are those of `none`. */
  readonly unchanged: boolean;
  readonly sets: number;
  readonly samples: number;
  readonly numbers: Readonly<Record<string, ReportPoint>>;
  readonly warnings: readonly string[];
};
export type ResolutionReport = {
  readonly rows: readonly ReportRow[];
  readonly best: readonly {
    readonly size: string;
    readonly arm: string;
    readonly kid: ReportPoint;
    readonly alike: readonly string[];
  }[];
  readonly made: readonly string[];
};

/** Throws one sentence unless the value has what is shown. */
export function checkReport(value: unknown): ResolutionReport {
  const report = value as Partial<ResolutionReport> | null;
  const whole =
    Array.isArray(report?.rows) &&
    report.rows.length > 0 &&
    report.rows.every(({ model, extend, size, numbers }) => model && extend && size && numbers) &&
    Array.isArray(report.best) &&
    Array.isArray(report.made);
  if (!whole) throw new TypeError('report: expected rows, best and made, got something else');
  return report as ResolutionReport;
}

/** Measures by name, as `evaluate resolution` names them. */
export const MEASURES: Readonly<
  Record<string, { readonly title: string; readonly hint: string; readonly log?: boolean }>
> = {
  kid: { title: 'KID × 1000', hint: 'lower is better', log: true },
  frechet: { title: 'Fréchet distance', hint: 'lower is better', log: true },
  attributes: { title: 'Attributes found', hint: 'relative to real drawings, higher is better' },
  style: { title: 'Style found', hint: 'relative to real drawings, higher is better' },
  heldOut: {
    title: 'Combinations never trained on',
    hint: 'found relative to real drawings, higher is better',
  },
  seenAlike: {
    title: 'Combinations of the same attributes that were trained on',
    hint: 'found relative to real drawings, higher is better',
  },
  nearest: {
    title: 'Nearest training drawing',
    hint: 'relative to real drawings, near 0 is copied',
  },
  copies: {
    title: 'Nearest training drawing, 5 % quantile',
    hint: 'relative to real drawings, near 0 is copied',
  },
  duplication: { title: 'Repeated objects', hint: 'above real drawings, 0 is right' },
  consistency: { title: 'Same seed, other size', hint: '0 is the same picture, 1 another' },
  spatial: { title: 'Fréchet distance in places', hint: 'lower is better', log: true },
  crops: { title: 'KID × 1000 of crops', hint: 'lower is better', log: true },
  seams: { title: 'Seams', hint: 'relative to real drawings, 1 is right' },
  spread: { title: 'Size of the figure', hint: 'relative to real drawings, 1 is right' },
  seconds: { title: 'Seconds a picture', hint: 'lower is faster', log: true },
};

const unique = (values: readonly string[]): string[] => [...new Set(values)];
export const modelsOf = ({ rows }: ResolutionReport): string[] =>
  unique(rows.map(({ model }) => model));
export const methodsOf = ({ rows }: ResolutionReport): string[] =>
  unique(rows.map(({ extend }) => extend));
/** Measures of which there is at least one number, in the order of the table above. */
export const measuresOf = ({ rows }: ResolutionReport): string[] =>
  Object.keys(MEASURES).filter((name) => rows.some(({ numbers }) => numbers[name]));

const sidesOf = (size: string): [number, number] => {
  const [width = 0, height = 0] = size.split('x').map(Number);
  return [width, height];
};
/** Square sides, smallest first: the places of the curves. */
export function squaresOf({ rows }: ResolutionReport): number[] {
  const squares = rows.map(({ size }) => sidesOf(size)).filter(([w, h]) => w === h);
  return [...new Set(squares.map(([side]) => side))].sort((a, b) => a - b);
}
export const trainedSide = ({ rows }: ResolutionReport, model: string): number | undefined => {
  const row = rows.find((one) => one.model === model && one.trained);
  return row && sidesOf(row.size)[0];
};

export type QualityPoint = ReportPoint & { readonly side: number };

/** KID of a model by square side, with an extension or, where that changes nothing, without; empty below two sides. */
export function qualityBySide(
  report: ResolutionReport,
  model: string,
  extend: string,
): readonly QualityPoint[] {
  const found = squaresOf(report).flatMap((side) => {
    const here = report.rows.filter((row) => row.model === model && row.size === `${side}x${side}`);
    const own = here.find((row) => row.extend === extend);
    const row = own?.unchanged ? here.find((one) => one.extend === 'none') : own;
    const kid = row?.numbers.kid;
    return kid ? [{ ...kid, side }] : [];
  });
  return found.length < 2 ? [] : found;
}

/** Extensions that were measured best at a size: the best, and those that the pictures do not tell from it. */
export function bestExtensions(
  { best }: ResolutionReport,
  model: string,
  size: string,
): readonly string[] {
  const found = best.find((one) => one.size === size);
  return [...(found ? [found.arm, ...found.alike] : [])].flatMap((arm) =>
    arm.startsWith(`${model}, `) ? [arm.slice(model.length + 2)] : [],
  );
}

export const methodTitle = (extend: string): string =>
  extend === 'none' ? 'no extension' : extend === 'own' ? "the model's own" : extend;

export type BestRow = {
  readonly size: string;
  /** `1.5×`, or `trained`. */
  readonly times: string;
  readonly best: string;
  /** What cannot be told from it, or by how much the next one is worse. */
  readonly beside: string;
  readonly kid: string;
  readonly error: string;
  readonly attributes: string;
  readonly seconds: string;
};

/** The best of each size. A tie: arms that the pictures do not tell from it. */
export function bestRows(report: ResolutionReport): BestRow[] {
  const oneModel = modelsOf(report).length === 1;
  const shown = (arm: string) => armTitle(arm, oneModel);
  return report.best.map(({ size, arm, kid, alike }) => {
    const rows = report.rows.filter((row) => row.size === size);
    const row = rows.find((one) => armOf(one) === arm);
    return {
      ...{ size: sizeLabel(size), times: timesOf(report, size, row), best: shown(arm) },
      beside:
        alike.length > 0 ? `tie with ${alike.map(shown).join(', ')}` : nextOf(rows, arm, shown),
      kid: short(kid.value),
      error: kid.high > kid.low ? `± ${Number(((kid.high - kid.low) / 2).toPrecision(1))}` : '',
      attributes: row?.numbers.attributes ? short(row.numbers.attributes.value) : '–',
      seconds: row?.numbers.seconds ? short(row.numbers.seconds.value) : '–',
    };
  });
}

/** As `armName` of evaluation/resolution names it. */
export const armOf = ({ model, extend }: Pick<ReportRow, 'model' | 'extend'>): string =>
  `${model}, ${extend}`;

function armTitle(arm: string, oneModel: boolean): string {
  const comma = arm.indexOf(', ');
  if (comma < 0) return arm;
  const [model, extend] = [arm.slice(0, comma), methodTitle(arm.slice(comma + 2))];
  return oneModel ? extend : `${model}, ${extend}`;
}

export const sizeLabel = (size: string): string => {
  const [width, height] = sidesOf(size);
  return width === height ? `${width} px` : `${width} × ${height}`;
};

function timesOf({ rows }: ResolutionReport, size: string, row: ReportRow | undefined): string {
  if (!row) return '';
  if (row.trained) return 'trained';
  const home = rows.find((one) => one.model === row.model && one.trained);
  if (!home) return '';
  const [[w, h], [tw, th]] = [sidesOf(size), sidesOf(home.size)];
  const times = (value: number) => Number(value.toFixed(2));
  return w / tw === h / th ? `${times(w / tw)}×` : `${times(w / tw)} × ${times(h / th)}`;
}

function nextOf(rows: readonly ReportRow[], arm: string, shown: (arm: string) => string): string {
  const best = rows.find((row) => armOf(row) === arm)?.numbers.kid?.value;
  const next = rows
    .filter((row) => armOf(row) !== arm && !row.unchanged && row.numbers.kid)
    .sort((a, b) => a.numbers.kid!.value - b.numbers.kid!.value)[0];
  if (!next || best === undefined) return '';
  return `next: ${shown(armOf(next))} +${short(next.numbers.kid!.value - best)}`;
}

/** Sheets that `evaluate resolution` writes: the real drawing and methods (of ALL_MODELS: models) down, sizes across, one seed each. */
export const SHEETS = [1, 2, 3, 4];
export const sheetFile = (model: string, sheet: number): string => `sheet-${model}-${sheet}.png`;
/** In place of a model's name: all of them in one picture. */
export const ALL_MODELS = 'models';
