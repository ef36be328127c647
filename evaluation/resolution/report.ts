/** A comparison as plain data (JSON, CSV) and in sentences; report-page.ts and report-files.ts show it. */
import type { Rng } from '../../tensor/rng.ts';
import { short } from '../charts.ts';
import {
  type ArmAtSize,
  armName,
  armsOf,
  type Best,
  bestOf,
  type Comparison,
  compareArms,
  pointOf,
} from './compare.ts';
import { MEASURES, type MeasureName, type Point } from './measures.ts';
import { isTrained, sizeName } from './plan.ts';
import type { Resolution } from './run.ts';

/** One arm at one size. */
export type Row = {
  readonly model: string;
  readonly extend: string;
  readonly size: string;
  readonly trained: boolean;
  /** The extension changes nothing at this size: the pictures are those of `none`. */
  readonly unchanged: boolean;
  readonly sets: number;
  readonly samples: number;
  readonly numbers: Readonly<Partial<Record<MeasureName, Point & { readonly real?: number }>>>;
  readonly warnings: readonly string[];
};
export type Report = {
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
  readonly best: readonly {
    readonly size: string;
    readonly arm: string;
    readonly kid: Point;
    readonly alike: readonly string[];
  }[];
  /** How the numbers were made, a sentence each. */
  readonly made: readonly string[];
};

export type About = {
  readonly network: {
    readonly name: string;
    readonly sees: { height: number; width: number };
    readonly kernel: string;
    readonly dtype: string;
  };
  readonly reference: string;
};

const NAMES = Object.keys(MEASURES) as MeasureName[];

export function reportOf(resolution: Resolution, about: About, rng: Rng): Report {
  const arms = armsOf(resolution);
  const best = bestOf(arms, rng.stream('best'));
  return {
    rows: arms.map(rowOf),
    comparisons: compareArms(arms, rng.stream('ratios')),
    best: best.map(({ size, arm, alike }: Best) => ({
      ...{ size, arm: armName(arm), alike },
      kid: pointOf('kid', arm)!,
    })),
    made: sentences(resolution, about),
  };
}

function rowOf(arm: ArmAtSize): Row {
  const { model, extend, at, cells } = arm;
  const first = cells[0]!;
  const numbers = NAMES.flatMap((name) => {
    const point = pointOf(name, arm);
    const real = MEASURES[name].real?.(first);
    return point ? [[name, { ...point, ...(real === undefined ? {} : { real }) }]] : [];
  });
  const { frechet, spatial } = first.numbers.generated;
  const warnings = [frechet.warning, spatial?.warning].filter((text) => text !== undefined);
  return {
    ...{ model: model.id, extend, size: sizeName(at.size) },
    trained: isTrained({ model, size: at.size }),
    unchanged: extend !== 'none' && first.cell.drawnBy === 'none',
    sets: cells.length,
    samples: first.numbers.samples,
    numbers: Object.fromEntries(numbers) as Row['numbers'],
    warnings,
  };
}

function sentences({ cells, sizes }: Resolution, { network, reference }: About): string[] {
  const first = cells[0]!;
  const { samples, reference: count } = first.numbers;
  const sets = new Set(cells.map(({ cell }) => cell.seeds)).size;
  const models = [...new Map(cells.map((cell) => [cell.cell.model.id, cell])).values()];
  const readers = sizes.map(({ size }) => {
    const { reader, style, attributes } = cells.find(({ cell }) => cell.size === size)!.numbers;
    const how = reader.resized ? `brought to the ${reader.side} px of ${reader.id}` : reader.id;
    return `${sizeName(size)} ${how}: ${short(style.real.value)} of styles and ${short(attributes.real.value)} of attributes`;
  });
  return [
    `${samples} pictures a cell in ${sets === 1 ? 'one set' : `each of ${sets} sets`} of seeds; one a condition, conditions those of the first ${samples} drawings, seeds the same for every model, method and size.`,
    ...models.map(({ cell: { model }, drawing }) => {
      const { solver, steps, guidance, shift, engine, dtype } = drawing;
      return `${model.id} (weights ${model.digest.slice(0, 12)}, trained at ${sizeName(model.trained)}): ${solver}, ${steps} steps, guidance ${guidance}, shift ${shift}, ${dtype}, ${engine}.`;
    }),
    `Reference: ${count} other drawings, drawn at each size (${reference}); in a picture that is no square a drawing fills the shorter side in the middle of white.`,
    `Features: FD-${network.name} (not FID) and KID on ${network.name}, pictures seen at ${network.sees.width} x ${network.sees.height} by ${network.kernel}, ${network.dtype}; moments and distances in float64. Frechet distances on ${first.numbers.generated.frechet.dimensions} principal components of the reference, the same for all arms of a size. Crops: 64 x 64 at full resolution, where pictures are larger.`,
    `Readers find in real drawings: ${readers.join('; ')}.`,
    sets > 1
      ? `Intervals: the mean over ${sets} sets, plus and minus one standard error. Ratios: 95 %, bootstrap over pictures of the same seeds.`
      : 'Intervals: KID plus and minus one standard error over disjoint blocks; others 95 %, bootstrap over pictures; none for numbers without. Ratios: 95 %, bootstrap over pictures of the same seeds.',
  ];
}

/** One line an arm and size; a column a number, its interval and the same of real drawings. */
export function csvOf({ rows }: Report): string {
  const columns = NAMES.flatMap((name) => [name, `${name} low`, `${name} high`, `${name} real`]);
  const head = ['model', 'extend', 'size', 'unchanged', 'sets', 'samples', ...columns];
  const lines = rows.map(({ model, extend, size, unchanged, sets, samples, numbers }) => [
    ...[model, extend, size, unchanged, sets, samples],
    ...NAMES.flatMap((name) => {
      const { value, low, high, real } = numbers[name] ?? {};
      return [value, low, high, real].map((number) => number ?? '');
    }),
  ]);
  return [head, ...lines].map((line) => `${line.map(quoted).join(',')}\n`).join('');
}

const quoted = (value: string | number | boolean): string =>
  /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);

/** For a terminal: the best of each size, and the ratios that are told. */
export function formatReport({ best, comparisons, made }: Report): string {
  const told = comparisons.filter((one) => one.told);
  return [
    ...made,
    '',
    ...best.map(
      ({ size, arm, kid, alike }) =>
        `${size}: ${arm}, KID x 1000 ${short(kid.value)} [${short(kid.low)}, ${short(kid.high)}]${alike.length > 0 ? `; not told from ${alike.join('; ')}` : ''}`,
    ),
    '',
    ...told.map(
      ({ size, arm, against, ratio }) =>
        `${size}: KID of ${arm} is ${short(ratio.value)} [${short(ratio.low)}, ${short(ratio.high)}] of that of ${against}`,
    ),
    '',
  ].join('\n');
}
