/**
 * The axes of a grid: which there are is read from the model, what a person types becomes their values. A new solver,
 * extension or decoder of a card appears as a choice without a change here.
 */
import type { ModelView } from '../../services.ts';
import type { Draft } from '../api.ts';

export type AxisName =
  | 'prompt'
  | 'style'
  | 'size'
  | 'extension'
  | 'seed'
  | 'guidance'
  | 'solver'
  | 'steps'
  | 'shift'
  | 'decoder'
  | 'temperature';

/** How an axis is filled in: phrases and numbers are typed, choices are ticked. */
export type Axis = {
  readonly name: AxisName;
  readonly title: string;
  readonly kind: 'phrases' | 'numbers' | 'choices';
  readonly choices: readonly AxisChoice[];
  /** Values that it starts with. */
  readonly first: readonly string[];
  /** Limits of numbers. */
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
};
export type AxisChoice = { readonly value: string; readonly title: string };
/** Values by axis; an axis without values takes what the card says. */
export type AxisValues = Readonly<Partial<Record<AxisName, readonly string[]>>>;

const choicesOf = (names: readonly string[]): AxisChoice[] =>
  names.map((value) => ({ value, title: value }));

export function axesOf(model: ModelView): Axis[] {
  const styles = stylesOf(model);
  return [
    { name: 'prompt', title: 'Prompts', kind: 'phrases', choices: [], first: [] },
    ...(styles.length > 1 ? [choiceAxis('style', 'Styles', choicesOf(styles), [])] : []),
    ...(model.size.fixed ? [] : [choiceAxis('size', 'Sizes', sizesOf(model), [trainedOf(model)])]),
    ...samplingAxes(model),
  ];
}

const choiceAxis = (
  name: AxisName,
  title: string,
  choices: readonly AxisChoice[],
  first: readonly string[],
): Axis => ({ name, title, kind: 'choices', choices, first });

const numberAxis = (
  name: AxisName,
  title: string,
  first: number | undefined,
  limits: Pick<Axis, 'least' | 'most' | 'whole'>,
): Axis => ({
  ...{ name, title, kind: 'numbers', choices: [], ...limits },
  first: first === undefined ? [] : [String(first)],
});

function samplingAxes({ sampling }: ModelView): Axis[] {
  const seeds = numberAxis('seed', 'Seeds', 1, { least: 0, whole: true });
  const guidance = numberAxis('guidance', 'Guidance', sampling.guidance, { least: 0, most: 100 });
  if (sampling.kind === 'tokens')
    return [
      seeds,
      guidance,
      choiceAxis('decoder', 'Decoders', titled(sampling.decoders), [sampling.decoder]),
      numberAxis('temperature', 'Temperature', sampling.temperature, { least: 0, most: 100 }),
    ];
  return [
    ...(sampling.extensions.length > 0
      ? [choiceAxis('extension', 'Positions', extensionsOf(sampling.extensions), [])]
      : []),
    seeds,
    guidance,
    choiceAxis('solver', 'Solvers', choicesOf(sampling.solvers), [sampling.solver]),
    numberAxis('steps', 'Steps', sampling.steps, { least: 1, most: 1000, whole: true }),
    numberAxis('shift', 'Time shift', undefined, { least: 0.01, most: 100 }),
  ];
}

const titled = (all: readonly { name: string; title: string }[]): AxisChoice[] =>
  all.map(({ name, title }) => ({ value: name, title }));

/** `none` draws without any extension, where the card may have its own. */
const extensionsOf = (all: readonly { name: string; title: string }[]): AxisChoice[] => [
  { value: 'none', title: 'none' },
  ...titled(all.filter(({ name }) => name !== 'none')),
];

/** Styles by name, from the words `style=...`. */
export function stylesOf({ vocabulary, styles }: ModelView): string[] {
  const named = [...vocabulary, ...Object.keys(styles ?? {})].filter((word) =>
    /^style=/.test(word),
  );
  return [...new Set(named)].map((word) => word.replace(/^style=/, '')).sort();
}

export const trainedOf = ({ trained }: ModelView): string => `${trained.width}x${trained.height}`;

/** Sides beside the trained one, in its multiples. */
const FACTORS = [0.75, 1, 1.5, 2, 3, 4];

/** Squares from three quarters to four times the trained side, and one picture twice as wide as high. */
export function sizesOf({ trained, size }: ModelView): AxisChoice[] {
  const allowed = ({ width, height }: Size) =>
    Math.max(width, height) <= size.largestSide &&
    width % size.multiple === 0 &&
    height % size.multiple === 0;
  const sizes = [
    ...FACTORS.map((times) => ({ width: trained.width * times, height: trained.height * times })),
    { width: trained.width * 2, height: trained.height },
  ];
  return sizes.filter(allowed).map((one) => ({ value: sizeValue(one), title: sizeTitle(one) }));
}

export type Size = { readonly width: number; readonly height: number };
export const sizeValue = ({ width, height }: Size): string => `${width}x${height}`;
export const sizeTitle = ({ width, height }: Size): string =>
  width === height ? `${width}` : `${width} × ${height}`;

export function readSize(value: string): Size | undefined {
  const found = /^(\d+)(?:\s*[x×*]\s*(\d+))?$/i.exec(value.trim());
  if (!found) return undefined;
  const width = Number(found[1]);
  return { width, height: found[2] === undefined ? width : Number(found[2]) };
}

/** Values typed at most in one go. */
const MOST_VALUES = 1000;

/** "1 to 64, 77" or "1-4" or "2 3 4.5"; an error of one sentence. */
export function readNumbers(
  text: string,
  {
    title,
    least = Number.NEGATIVE_INFINITY,
    most = Number.MAX_SAFE_INTEGER,
    whole = false,
  }: Pick<Axis, 'title' | 'least' | 'most' | 'whole'>,
): string[] {
  const parts = text
    .replace(/(\d)\s*(?:to|\.\.|–|-)\s*(\d)/gi, '$1~$2')
    .split(/[\s,;]+/)
    .filter((part) => part !== '');
  const numbers = parts.flatMap((part) => {
    const [from, to, ...more] = part.split('~').map(Number);
    if (from === undefined || more.length > 0 || [from, to ?? 0].some(Number.isNaN))
      throw new RangeError(
        `${title}: expected numbers or ranges like 1 to 8, got '${part.replace('~', ' to ')}'`,
      );
    return to === undefined ? [from] : rangeOf(from, to, title);
  });
  const wrong = numbers.find(
    (value) => value < least || value > most || (whole && !Number.isInteger(value)),
  );
  if (wrong !== undefined)
    throw new RangeError(
      `${title}: expected ${whole ? 'whole numbers' : 'numbers'} of ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ' or more'}, got ${wrong}`,
    );
  return [...new Set(numbers)].map(String);
}

function rangeOf(from: number, to: number, title: string): number[] {
  if (!(Number.isInteger(from) && Number.isInteger(to) && to >= from && to - from < MOST_VALUES))
    throw new RangeError(
      `${title}: expected a range of up to ${MOST_VALUES} whole numbers, the lower first, got ${from} to ${to}`,
    );
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** One prompt a line; a line may have commas, also at its end, where a completion leaves one. */
export const readPhrases = (text: string): string[] => [
  ...new Set(
    text
      .split('\n')
      .map((line) => line.trim().replace(/[\s,;]+$/, ''))
      .filter((line) => line !== ''),
  ),
];

/** Values as chips: runs of whole numbers together, so that 64 seeds are one chip. */
export function chipsOf(values: readonly string[]): { title: string; values: readonly string[] }[] {
  const chips: { title: string; values: string[] }[] = [];
  for (const value of values) {
    const last = chips.at(-1);
    const follows = last && /^\d+$/.test(value) && Number(last.values.at(-1)) + 1 === Number(value);
    if (follows) last.values.push(value);
    else chips.push({ title: value, values: [value] });
  }
  return chips.flatMap((chip) =>
    chip.values.length > 2
      ? [{ ...chip, title: `${chip.values[0]} to ${chip.values.at(-1)}` }]
      : chip.values.map((value) => ({ title: value, values: [value] })),
  );
}

/** The body of a grid: axes with two values or more are axes, single values belong to the base. */
export type GridBody = {
  readonly title: string;
  readonly grid: {
    readonly base: Draft;
    readonly axes: readonly { readonly name: AxisName; readonly values: readonly string[] }[];
  };
};

/** All axes that have values, in the order of the form, the seeds last: they turn fastest. */
export function gridOf(
  model: ModelView,
  values: AxisValues,
  { title, negative }: { title: string; negative?: string },
): GridBody {
  const named = axesOf(model).map(({ name }) => name);
  const order = [...named.filter((name) => name !== 'seed'), 'seed' as const];
  const axes = order.flatMap((name) => {
    const own = values[name] ?? [];
    return own.length > 0 ? [{ name, values: own }] : [];
  });
  return {
    title: title.trim() || titleOf(axes),
    grid: { base: { model: model.id, ...(negative ? { negativePrompt: negative } : {}) }, axes },
  };
}

/** Before the server has counted: the product of what was chosen. */
export const productOf = ({ grid: { axes } }: GridBody): number =>
  axes.reduce((product, { values }) => product * values.length, 1);

/** "prompt × size × seed, 24 pictures": axes that have more than one value. */
export function titleOf(axes: GridBody['grid']['axes']): string {
  const wide = axes.filter(({ values }) => values.length > 1);
  if (wide.length === 0) return 'one picture';
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  return `${wide.map(({ name, values }) => `${values.length} ${plural(name, values.length)}`).join(' × ')}, ${count.toLocaleString('en')} pictures`;
}

const plural = (name: string, count: number): string =>
  count === 1 || name === 'steps' || name === 'guidance' ? name : `${name}s`;

/** What stands beside sizes that were never trained. */
export function sizeHint(model: ModelView, values: readonly string[]): string | undefined {
  const beyond = values.flatMap((value) => {
    const size = readSize(value);
    if (!size || value === trainedOf(model)) return [];
    const times = Math.max(size.width / model.trained.width, size.height / model.trained.height);
    return [{ title: sizeTitle(size), times: `${Number(times.toFixed(2))}×` }];
  });
  if (beyond.length === 0) return undefined;
  const list = (all: readonly string[]) =>
    all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
  const was = beyond.length === 1 ? 'was' : 'were';
  return `${list(beyond.map(({ title }) => title))} ${was} never trained: ${list(beyond.map(({ times }) => times))}.`;
}
