/** The settings of Generate as plain data: defaults from a model's card, faults with their repairs, the request. */

import type { ModelView } from '../../services.ts';
import type { Draft } from '../api.ts';
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
};

export const RATIOS = ['1:1', '4:3', '3:4', '16:9', '9:16'] as const;
export type Ratio = (typeof RATIOS)[number] | 'free';

export const MOST_PICTURES = 10_000;
export const LARGEST_SEED = Number.MAX_SAFE_INTEGER - MOST_PICTURES;

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
      ? { solver: sampling.solver, steps: sampling.steps, decoder: '', temperature: 1 }
      : { solver: '', steps: 1, decoder: sampling.decoder, temperature: sampling.temperature }),
    decoderOptions: {},
  };
}

/** A form that was kept by an earlier visit, which may be of another version or damaged. */
export function readForm(value: unknown, model: ModelView): Form {
  const fresh = formFor(model);
  if (typeof value !== 'object' || value === null) return fresh;
  const kept = Object.entries(value).filter(
    ([key, entry]) => key === 'exact' || typeof entry === typeof fresh[key as keyof Form],
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

/** How many times the trained side a picture's longer side is. */
export const reachOf = (form: Pick<Form, 'width' | 'height'>, { trained }: ModelView): number =>
  Math.max(form.width / trained.width, form.height / trained.height);

export type Problem = {
  readonly field: 'width' | 'height' | 'steps' | 'guidance' | 'seed' | 'count' | 'temperature';
  readonly message: string;
  readonly repairs: readonly { readonly label: string; readonly change: Partial<Form> }[];
};

export function problemsOf(form: Form, model: ModelView): readonly Problem[] {
  const isSquare = form.ratio === '1:1' && form.width === form.height;
  const fields = isSquare ? (['width'] as const) : (['width', 'height'] as const);
  const sides = fields.flatMap((field) => sideProblem(field, form, model));
  const limits = [
    ...(model.sampling.kind === 'diffusion'
      ? [limit('steps', form.steps, 1, 1000, true)]
      : [limit('temperature', form.temperature, 0, 100, false)]),
    limit('guidance', form.guidance, 0, 100, false),
    limit('seed', form.seed, 0, LARGEST_SEED, true),
    limit('count', form.count, 1, MOST_PICTURES, true),
  ];
  return [...sides, ...limits.filter((found) => found !== undefined)];
}

function sideProblem(
  field: 'width' | 'height',
  form: Form,
  { size, trained }: ModelView,
): Problem[] {
  const value = form[field];
  const name = field === 'width' ? 'Width' : 'Height';
  const use = (side: number) => ({
    label: `Use ${side}`,
    change: form.ratio === '1:1' ? { width: side, height: side } : { [field]: side },
  });
  if (size.fixed)
    return value === trained[field]
      ? []
      : [
          {
            field,
            message: `${name} ${value} is not what this model draws: ${trained[field]}.`,
            repairs: [use(trained[field])],
          },
        ];
  const { multiple, largestSide } = size;
  if (!(value >= multiple && value <= largestSide)) {
    const message = `${name} ${value} is not between ${multiple} and ${largestSide}.`;
    return [{ field, message, repairs: [use(value > largestSide ? largestSide : multiple)] }];
  }
  if (value % multiple === 0) return [];
  const below = Math.floor(value / multiple) * multiple;
  return [
    {
      field,
      message: `${name} ${value} is not a multiple of the patch (${multiple}).`,
      repairs: [below, below + multiple].filter((side) => side <= largestSide).map(use),
    },
  ];
}

function limit(
  field: Problem['field'],
  value: number,
  least: number,
  most: number,
  whole: boolean,
): Problem | undefined {
  const name = field[0]!.toUpperCase() + field.slice(1);
  const inside = Math.min(most, Math.max(least, whole ? Math.round(value) : value));
  if (value === inside) return undefined;
  const usable = Number.isFinite(inside) ? inside : least;
  return {
    field,
    message: `${name} ${value} is not ${whole ? 'a whole number ' : ''}between ${least} and ${most}.`,
    repairs: [{ label: `Use ${usable}`, change: { [field]: usable } }],
  };
}

/** What is sent; the server reads the prompt by the same code as the page. */
export function draftOf(form: Form, model: ModelView): Draft {
  const { exact } = form;
  const isExact = exact?.prompt === form.prompt && exact.negative === form.negative;
  return {
    model: form.model,
    ...(isExact
      ? {
          condition: [...exact.condition],
          ...(exact.negativeCondition && { negative: [...exact.negativeCondition] }),
        }
      : {
          prompt: form.prompt,
          ...(form.negative.trim() !== '' && { negativePrompt: form.negative }),
        }),
    seed: form.seed,
    count: form.count,
    size: { width: form.width, height: form.height },
    ...(form.extend !== '' && model.sampling.kind === 'diffusion' && { position: extendOf(form) }),
    sampling: samplingOf(form, model),
  };
}

function extendOf({ extend, extendOptions }: Form): { extend: string | Options | [] } {
  if (extend === 'none') return { extend: [] };
  const plain = Object.keys(extendOptions).length === 0;
  return { extend: plain ? extend : { method: extend, ...extendOptions } };
}

function samplingOf(form: Form, { sampling }: ModelView): NonNullable<Draft['sampling']> {
  if (sampling.kind === 'tokens')
    return {
      kind: 'tokens',
      decoder: form.decoder,
      ...(Object.keys(form.decoderOptions).length > 0 && {
        decoderOptions: { ...form.decoderOptions },
      }),
      temperature: form.temperature,
      guidance: form.guidance,
    };
  return {
    kind: 'diffusion',
    solver: form.solver,
    steps: form.steps,
    guidance: { scale: form.guidance },
  };
}

/** The form after a render was asked for: with `vary` the next one goes on where this one ends. */
export const afterRender = (form: Form): Form =>
  form.next === 'vary' ? { ...form, seed: (form.seed + form.count) % LARGEST_SEED } : form;

/** One of 2^32, from the browser's generator. */
export const anySeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0]!;
