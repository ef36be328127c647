/** An evaluation in words: its bars, a table for a terminal and flat numbers for a model card. */
import type { Interval } from './bootstrap.ts';
import type { Evaluation } from './evaluate-model.ts';

/** What a model that ships must reach. */
export const BARS = {
  style: 0.98,
  attributes: 0.9,
  heldOut: 0.8,
  /** Seam ratio relative to real drawings: at most this far from 1. */
  seams: 0.1,
  /** Roughness of the background above that of real drawings, colours in [0, 1]. */
  speckle: 0.01,
  /** Permuted conditions: at most this far above chance, if chance is outside the interval. */
  control: 0.02,
} as const;

export type Bar = {
  readonly name: string;
  readonly measured: number;
  readonly wanted: string;
  readonly passed: boolean;
};

/** The bars are held against the measured values; the intervals say how sure they are. */
export function barsOf(evaluation: Evaluation): Bar[] {
  const { style, attributes, heldOut, seams, speckle, control, memorisation } = evaluation;
  const atLeast = (name: string, { value }: Interval, bar: number): Bar => ({
    name,
    measured: value,
    wanted: `>= ${bar}`,
    passed: value >= bar,
  });
  const nearChance = ({ value, low }: Interval, chance: number) =>
    low <= chance || value - chance <= BARS.control;
  const { chance } = control;
  return [
    atLeast('style, relative to real', style.relative, BARS.style),
    atLeast('attributes, relative to real', attributes.relative, BARS.attributes),
    ...(heldOut
      ? [atLeast('held-out combinations, relative', heldOut.combination.relative, BARS.heldOut)]
      : []),
    {
      name: 'seams, relative to real',
      measured: seams.relative.value,
      wanted: `within ${BARS.seams} of 1`,
      passed: Math.abs(seams.relative.value - 1) <= BARS.seams,
    },
    {
      name: 'speckle, above real',
      measured: speckle.difference.value,
      wanted: `<= ${BARS.speckle}`,
      passed: speckle.difference.value <= BARS.speckle,
    },
    ...(memorisation
      ? (['median', 'low'] as const).map((what): Bar => {
          const { value, high } = memorisation.full.relative[what];
          const name = what === 'low' ? '5 % quantile' : what;
          return {
            name: `distance to training, ${name}, relative`,
            measured: value,
            wanted: 'not below 1 (interval)',
            passed: high >= 1,
          };
        })
      : []),
    ...(['style', 'attributes'] as const).map(
      (what): Bar => ({
        name: `permuted conditions, ${what}`,
        measured: control[what].value,
        wanted: `chance (${chance[what].toFixed(3)})`,
        passed: nearChance(control[what], chance[what]),
      }),
    ),
  ];
}

const number = (value: number) => value.toFixed(4);
const interval = ({ value, low, high }: Interval) =>
  `${number(value)} [${number(low)}, ${number(high)}]`;

/** Name, generated, real and both compared. */
type Row = [string, string, string, string];

export function rowsOf(evaluation: Evaluation): Row[] {
  const { style, attributes, heldOut, seams, speckle, memorisation, kid } = evaluation;
  const row = (
    name: string,
    { generated, real }: { generated: Interval; real: Interval },
    compared: Interval,
  ): Row => [name, interval(generated), interval(real), interval(compared)];
  const nearness = (name: string, of: NonNullable<typeof memorisation>['full']) =>
    (['median', 'low'] as const).map((what) =>
      row(
        `${name}, ${what === 'low' ? '5 % quantile' : what}`,
        { generated: of.generated[what], real: of.real[what] },
        of.relative[what],
      ),
    );
  return [
    row('style found', style, style.relative),
    row('attributes found', attributes, attributes.relative),
    ...(heldOut
      ? [
          row('held-out: style found', heldOut.style, heldOut.style.relative),
          row('held-out: attributes found', heldOut.attributes, heldOut.attributes.relative),
          row(
            'held-out: whole combination found',
            heldOut.combination,
            heldOut.combination.relative,
          ),
        ]
      : []),
    ...(kid ? [kidRow(kid)] : []),
    row('seams: step at borders / inside', seams, seams.relative),
    row('speckle: |Laplacian| of background', speckle, speckle.difference),
    ...(memorisation
      ? [
          ...nearness('nearest training drawing', memorisation.full),
          ...nearness('the same, averaged over blocks', memorisation.averaged),
        ]
      : []),
  ];
}

/** The unbiased distance is about 0 between two sets of real drawings. */
const kidRow = ({ features, value, error }: NonNullable<Evaluation['kid']>): Row => [
  `kernel distance in ${features}, x 1000`,
  `${number(1000 * value)} ± ${number(1000 * error)}`,
  '',
  '',
];

const drawnBy = ({ made }: Evaluation): string =>
  'solver' in made
    ? `${made.solver}, ${made.steps} steps`
    : `${made.decoder} decoder, temperature ${made.temperature}`;

/** How the numbers were made, one statement a line. */
export function conditionsOf(evaluation: Evaluation): string[] {
  const { made, samples, heldOut, reader, control, size, patch, speckle, kid } = evaluation;
  const { chance } = control;
  return [
    `${samples} pictures of ${size.width} x ${size.height} px${heldOut ? ` and ${heldOut.samples} of held-out combinations` : ''}; one a condition, seeds from the weights' digest; ${drawnBy(evaluation)}, guidance ${made.guidance}, ${made.dtype}, ${made.engine}.`,
    `Reader ${reader.id} (trained on real drawings only): on ${reader.pictures} real drawings it never saw it finds ${number(reader.style)} of styles and ${number(reader.attributes)} of attributes (always the commonest value: ${number(reader.guessed)}).`,
    `Permuted conditions: style ${interval(control.style)} where chance is ${number(chance.style)}, attributes ${interval(control.attributes)} where chance is ${number(chance.attributes)}.`,
    `Intervals: 95 %, bootstrap over pictures. Relative: generated / real; of speckle: generated - real. Seams at borders of ${patch} px squares.${kid ? ` Kernel distance: KID (unbiased) of ${kid.samples} pictures from real drawings of the same words, ± standard error over blocks.` : ''} Speckle: colours in [0, 1] (in [-1, 1] twice as much), background found in ${speckle.measured.generated} generated and ${speckle.measured.real} real pictures. Distances: root mean squared difference, colours in [0, 1], to drawings of the same style${evaluation.memorisation ? ` among ${evaluation.memorisation.drawings}` : ''}; averaged: over 32 x 32 blocks.`,
  ];
}

export function formatEvaluation(evaluation: Evaluation): string {
  const rows = [['', 'generated', 'real drawings', 'compared'], ...rowsOf(evaluation)];
  const widths = [0, 1, 2, 3].map((c) => Math.max(...rows.map((row) => row[c]!.length)));
  const table = rows.map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd(),
  );
  const bars = barsOf(evaluation).map(
    ({ name, measured, wanted, passed }) =>
      `${passed ? 'pass' : 'FAIL'}  ${name}: ${number(measured)}, wanted ${wanted}`,
  );
  const { id, digest } = evaluation.model;
  return [
    `${id} (weights ${digest.slice(0, 12)})`,
    ...conditionsOf(evaluation),
    '',
    ...table,
    '',
    ...bars,
    '',
  ].join('\n');
}

/** For the `numbers` of a model card. */
export function numbersOf(evaluation: Evaluation): Record<string, number | string> {
  const { made, samples, heldOut, reader, style, attributes, seams, speckle } = evaluation;
  const { memorisation, kid } = evaluation;
  const short = (value: number) => Number(value.toPrecision(4));
  return {
    samples,
    ...made,
    'reader: style on real drawings': short(reader.style),
    'reader: attributes on real drawings': short(reader.attributes),
    'style relative to real': short(style.relative.value),
    'attributes relative to real': short(attributes.relative.value),
    ...(heldOut
      ? {
          'held-out samples': heldOut.samples,
          'held-out combinations relative to real': short(heldOut.combination.relative.value),
          'held-out attributes relative to real': short(heldOut.attributes.relative.value),
        }
      : {}),
    ...(kid
      ? {
          [`KID in ${kid.features}`]: short(kid.value),
          'KID, standard error': short(kid.error),
          'KID, pictures': kid.samples,
        }
      : {}),
    'seams relative to real': short(seams.relative.value),
    'speckle above real': short(speckle.difference.value),
    ...(memorisation
      ? {
          'nearest training drawing relative to real, median': short(
            memorisation.full.relative.median.value,
          ),
          'nearest training drawing relative to real, 5 % quantile': short(
            memorisation.full.relative.low.value,
          ),
        }
      : {}),
  };
}
