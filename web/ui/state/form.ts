/** The settings of Generate as plain data, with their defaults from a model's card. */
import type { ModelView } from '../../services.ts';
import type { Beyond } from './beyond.ts';
import type { Weighted } from './lexicon.ts';

export type Options = Readonly<Record<string, number | boolean | string>>;

export type Form = {
  readonly model: string;
  readonly prompt: string;
  readonly negative: string;
  readonly width: number;
  readonly height: number;
  readonly ratio: Ratio;
  readonly seed: number;
  /** What the next render's seed is: this one, any, or the first that was not used. */
  readonly next: 'lock' | 'random' | 'vary';
  readonly count: number;
  /** '' is the model's own, 'none' is none. */
  readonly extend: string;
  readonly extendOptions: Options;
  readonly solver: string;
  readonly steps: number;
  /** Of the times of sampling: above 1 spends more steps near noise. */
  readonly shift: number;
  readonly guidance: number;
  readonly decoder: string;
  readonly decoderOptions: Options;
  readonly temperature: number;
  /** Of a restored recipe: its exact words, as long as the prompts are as they were restored. */
  readonly exact?: {
    readonly prompt: string;
    readonly negative: string;
    readonly condition: readonly Weighted[];
    readonly negativeCondition?: readonly Weighted[];
  };
  /** Of a restored recipe: what has no field here. */
  readonly beyond?: Beyond | undefined;
};

export const RATIOS = ['1:1', '4:3', '3:4', '16:9', '9:16'] as const;
export type Ratio = (typeof RATIOS)[number] | 'free';

export const MOST_PICTURES = 10_000;
export const LARGEST_SEED = Number.MAX_SAFE_INTEGER - MOST_PICTURES;

/** Of models of the other kind. */
const NO_DECODER = { decoder: '', temperature: 1 };
const NO_SOLVER = { solver: '', steps: 1, shift: 1 };

/** A form for a model: its card's defaults, and of an earlier form what does not belong to a model. */
export function formFor(model: ModelView, old?: Form): Form {
  const { sampling, trained } = model;
  return {
    model: model.id,
    prompt: old?.prompt ?? '',
    negative: old?.negative ?? '',
    width: trained.width,
    height: trained.height,
    ratio: ratioOf(trained.width, trained.height),
    seed: old?.seed ?? 0,
    next: old?.next ?? 'random',
    count: old?.count ?? 4,
    extend: '',
    extendOptions: {},
    guidance: sampling.guidance,
    ...(sampling.kind === 'diffusion'
      ? { ...NO_DECODER, solver: sampling.solver, steps: sampling.steps, shift: sampling.shift }
      : { ...NO_SOLVER, decoder: sampling.decoder, temperature: sampling.temperature }),
    decoderOptions: {},
  };
}

/** A form that was kept by an earlier visit, which may be of another version or damaged. */
export function readForm(value: unknown, model: ModelView): Form {
  const fresh = formFor(model);
  if (typeof value !== 'object' || value === null) return fresh;
  const kept = Object.entries(value).filter(
    ([key, entry]) =>
      key === 'exact' || key === 'beyond' || typeof entry === typeof fresh[key as keyof Form],
  );
  const form: Form = { ...fresh, ...Object.fromEntries(kept) };
  const { sampling } = model;
  const known =
    form.model === model.id &&
    (sampling.kind === 'diffusion'
      ? sampling.solvers.includes(form.solver)
      : sampling.decoders.some(({ name }) => name === form.decoder));
  return known ? form : { ...formFor(model, form) };
}

const toMultiple = (side: number, multiple: number): number =>
  Math.max(multiple, Math.round(side / multiple) * multiple);

export function ratioOf(width: number, height: number): Ratio {
  return RATIOS.find((ratio) => width * heightPart(ratio) === height * widthPart(ratio)) ?? 'free';
}
const widthPart = (ratio: Ratio) => Number(ratio.split(':')[0]);
const heightPart = (ratio: Ratio) => Number(ratio.split(':')[1]);

/** A size whose longer side is `side`, near a ratio, in whole patches. */
export function sizeFor(
  side: number,
  ratio: Ratio,
  { multiple, largestSide }: ModelView['size'],
): { readonly width: number; readonly height: number } {
  const [w, h] = ratio === 'free' ? [1, 1] : [widthPart(ratio), heightPart(ratio)];
  const longest = Math.min(largestSide, toMultiple(side, multiple));
  const sideOf = (part: number) => toMultiple((longest * part) / Math.max(w, h), multiple);
  return { width: sideOf(w), height: sideOf(h) };
}

/** Sides that the ruler stops at: parts and multiples of the trained side, in whole patches. */
export function stopsOf({ trained, size }: ModelView): readonly number[] {
  const side = Math.max(trained.width, trained.height);
  if (size.fixed) return [side];
  const stops = [0.5, 0.75, 1, 1.5, 2, 3, 4]
    .map((ratio) => toMultiple(side * ratio, size.multiple))
    .filter((stop) => stop <= size.largestSide);
  return [...new Set([...stops, size.largestSide])].sort((a, b) => a - b);
}

/** How many times the largest trained side a picture's longer side is. */
export const reachOf = (picture: Pick<Form, 'width' | 'height'>, { size }: ModelView): number =>
  Math.max(picture.width / size.trained.width, picture.height / size.trained.height);

/** The form after a render was asked for: with `vary` the next one goes on where this one ends. */
export const afterRender = (form: Form): Form =>
  form.next === 'vary' ? { ...form, seed: (form.seed + form.count) % LARGEST_SEED } : form;

/** One of 2^32, from the browser's generator. */
export const anySeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0]!;
