/** A comparison as plain data (JSON, CSV) and in sentences; report-page.ts and report-files.ts show it. */
import type { Rng } from '../../tensor/rng.ts';
import { short } from '../charts.ts';
import type { Drawing } from './cell-files.ts';
import {
  type ArmAtSize,
  armName,
  armsOf,
  type Best,
  bestOf,
  bestOfEach,
  type Comparison,
  compareArms,
  drawnArms,
  isOfModels,
  pointOf,
} from './compare.ts';
import { MEASURES, type MeasureName, type Point } from './measures.ts';
import { isTrained, sizeName } from './plan.ts';
import { truthLine, truthSentences } from './report-truth.ts';
import type { Resolution } from './run.ts';
import type { SeedComparison } from './seed-spread.ts';

/** One arm at one size. */
export type Row = {
  readonly model: string;
  readonly extend: string;
  readonly size: string;
  readonly trained: boolean;
  /** The extension changes nothing at this size: the pictures are those of `none`. */
  readonly unchanged: boolean;
  /** Its model's least KID at this size. */
  readonly best: boolean;
  readonly sets: number;
  readonly samples: number;
  /** Drawings that distances are measured to. */
  readonly reference: number;
  /** How its pictures were drawn. */
  readonly drawing: Drawing;
  readonly numbers: Readonly<Partial<Record<MeasureName, Point & { readonly real?: number }>>>;
  readonly warnings: readonly string[];
};
export type Report = {
  readonly rows: readonly Row[];
  /** What measures. */
  readonly features: Features;
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

type Features = { readonly name: string; readonly kernel: string; readonly dtype: string };
export type About = {
  readonly network: Features & { readonly sees: { height: number; width: number } };
  readonly reference: string;
};

const NAMES = Object.keys(MEASURES) as MeasureName[];

export function reportOf(resolution: Resolution, about: About, rng: Rng): Report {
  const arms = armsOf(resolution);
  const best = bestOf(arms, rng.stream('best'));
  const bestOfModels = new Set(bestOfEach(drawnArms(arms)));
  const { name, kernel, dtype } = about.network;
  return {
    rows: arms.map((arm) => rowOf(arm, bestOfModels.has(arm))),
    features: { name, kernel, dtype },
    comparisons: compareArms(arms, rng.stream('ratios')),
    best: best.map(({ size, arm, alike }: Best) => ({
      ...{ size, arm: armName(arm), alike },
      kid: pointOf('kid', arm)!,
    })),
    made: sentences(resolution, about),
  };
}

function rowOf(arm: ArmAtSize, best: boolean): Row {
  const { name: model, extend, at, cells } = arm;
  const first = cells[0]!;
  const numbers = NAMES.flatMap((name) => {
    const point = pointOf(name, arm);
    const real = MEASURES[name].real?.(first);
    return point ? [[name, { ...point, ...(real === undefined ? {} : { real }) }]] : [];
  });
  const { frechet, spatial } = first.numbers.generated;
  const warnings = [frechet.warning, spatial?.warning].filter((text) => text !== undefined);
  return {
    ...{ model, extend, size: sizeName(at.size) },
    trained: isTrained(first.cell),
    unchanged: extend !== 'none' && first.cell.drawnBy === 'none',
    best,
    sets: cells.length,
    ...{ samples: first.numbers.samples, reference: first.numbers.reference },
    drawing: first.drawing,
    numbers: Object.fromEntries(numbers) as Row['numbers'],
    warnings,
  };
}

function sentences({ cells, sizes }: Resolution, { network, reference }: About): string[] {
  const first = cells[0]!;
  const { samples, reference: count } = first.numbers;
  const setsOf = (some: Resolution['cells']) => new Set(some.map(({ cell }) => cell.seeds)).size;
  const sets = setsOf(cells);
  const extended = setsOf(cells.filter(({ cell }) => cell.extend !== 'none'));
  const fewer = extended > 0 && extended < sets ? ` (${extended} of methods other than none)` : '';
  const readers = sizes.map(({ size }) => {
    const { reader, style, attributes } = cells.find(({ cell }) => cell.size === size)!.numbers;
    const how = reader.resized ? `brought to the ${reader.side} px of ${reader.id}` : reader.id;
    return `${sizeName(size)} ${how}: ${short(style.real.value)} of styles and ${short(attributes.real.value)} of attributes`;
  });
  return [
    `${samples} pictures a cell in ${sets === 1 ? 'one set' : `each of ${sets} sets`} of seeds${fewer}; one a condition, conditions those of the first ${samples} drawings, seeds the same for every model, method and size.`,
    ...modelSentences(cells),
    `Reference: ${count} other drawings, drawn at each size (${reference}); in a picture that is no square a drawing fills the shorter side in the middle of white.`,
    `Features: FD-${network.name} (not FID) and KID on ${network.name}, pictures seen at ${network.sees.width} x ${network.sees.height} by ${network.kernel}, ${network.dtype}; moments and distances in float64. Frechet distances on ${first.numbers.generated.frechet.dimensions} principal components of the reference, the same for all arms of a size. Crops: 64 x 64 at full resolution, where pictures are larger.`,
    `Readers find in real drawings: ${readers.join('; ')}.`,
    ...truthSentences(cells),
    ...intervalsOf(sets),
  ];
}

/** What the bars of charts and the brackets of tables are, and the intervals of comparisons. */
function intervalsOf(sets: number): [string, string] {
  const one = `KID plus and minus one standard error over disjoint blocks, other numbers 95 % by bootstrap over pictures, none for numbers without`;
  const several =
    sets > 1
      ? `Bars and intervals of several sets: their mean, plus and minus one standard error over sets; of one set: ${one}.`
      : `Bars and intervals: ${one}.`;
  const differences =
    sets > 1 ? " Differences over seeds: 95 %, by Student's t over paired sets." : '';
  return [
    several,
    `Ratios: 95 %, by bootstrap over pictures of the same seeds, of these trainings.${differences}`,
  ];
}

/** How each training draws, and what the sets of a model are. */
function modelSentences(cells: Resolution['cells']): string[] {
  const names = [...new Set(cells.map(({ cell }) => cell.name))];
  return names.flatMap((name) => {
    const own = cells.filter(({ cell }) => cell.name === name);
    const trainings = [...new Map(own.map((one) => [one.cell.model.id, one])).values()];
    const [{ drawing, cell }] = trainings as [Resolution['cells'][number]];
    const { solver, steps, guidance, shift, micro, engine, dtype } = drawing;
    const told = micro === undefined ? '' : `told sizes: ${micro}, `;
    const weights = trainings.map(({ cell: { model } }) => {
      const digest = model.digest.slice(0, 12);
      return model.id === name ? `weights ${digest}` : `${model.id}, weights ${digest}`;
    });
    const several = trainings.length > 1 ? '; each set of seeds is drawn by another training' : '';
    return `${name} (${weights.join('; ')}; trained at ${sizeName(cell.model.trained)}): ${solver}, ${steps} steps, guidance ${guidance}, shift ${shift}, ${told}${dtype}, ${engine}${several}.`;
  });
}

/** One line an arm and size; a column a number, its interval and the same of real drawings. */
export function csvOf({ rows, features }: Report): string {
  const columns = NAMES.flatMap((name) => [name, `${name} low`, `${name} high`, `${name} real`]);
  const head = [
    ...['model', 'extend', 'size', 'unchanged', 'sets', 'samples', 'reference'],
    ...[
      'features',
      'kernel',
      'dtype',
      'solver',
      'steps',
      'guidance',
      'shift',
      'told sizes',
      'engine',
    ],
  ];
  const lines = rows.map((row) => {
    const { solver, steps, guidance, shift, micro = '', engine } = row.drawing;
    return [
      ...[row.model, row.extend, row.size, row.unchanged, row.sets, row.samples, row.reference],
      ...[features.name, features.kernel, features.dtype],
      ...[solver, steps, guidance, shift, micro, engine],
      ...NAMES.flatMap((name) => {
        const { value, low, high, real } = row.numbers[name] ?? {};
        return [value, low, high, real].map((number) => number ?? '');
      }),
    ];
  });
  return [[...head, ...columns], ...lines]
    .map((line) => `${line.map(quoted).join(',')}\n`)
    .join('');
}

const quoted = (value: string | number | boolean): string =>
  /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);

/** A difference over seeds, beside their spread. */
export const seedsText = ({ difference, spread, smaller, sets }: SeedComparison): string =>
  `${short(difference.value)} [${short(difference.low)}, ${short(difference.high)}], seeds' spread ${short(spread)}, less in ${smaller} of ${sets} sets`;

/** For a terminal: the best of each size, models compared, and methods and shapes that are told apart. */
export function formatReport({ rows, best, comparisons, made }: Report): string {
  const ratioOf = ({ size, arm, against, ratio }: Comparison) =>
    `${size}: KID of ${arm} is ${short(ratio.value)} [${short(ratio.low)}, ${short(ratio.high)}] of that of ${against}`;
  return [
    ...made,
    '',
    ...best.map(
      ({ size, arm, kid, alike }) =>
        `${size}: ${arm}, KID x 1000 ${short(kid.value)} [${short(kid.low)}, ${short(kid.high)}]${alike.length > 0 ? `; not told from ${alike.join('; ')}` : ''}`,
    ),
    '',
    ...rows.filter(({ unchanged }) => !unchanged).flatMap(truthLine),
    ...comparisons
      .filter(isOfModels)
      .map((one) =>
        one.seeds ? `${ratioOf(one)}; KID x 1000 apart ${seedsText(one.seeds)}` : ratioOf(one),
      ),
    ...comparisons.filter((one) => one.told && !isOfModels(one)).map(ratioOf),
    '',
  ].join('\n');
}
