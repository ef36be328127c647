/** Recipes of pictures: as a form again, and as rows to read and to compare. */
import type { DiffusionOptions, ImageRequest } from '../../../request.ts';
import type { ModelView } from '../../services.ts';
import type { StoredPicture } from '../api.ts';
import { beyondOf } from './beyond.ts';
import { type Form, formFor, type Options, ratioOf, reachOf } from './form.ts';
import { lexiconOf, promptOf, type Weighted } from './lexicon.ts';
import { bytes } from './words.ts';

export type RecipeView = {
  readonly request: ImageRequest;
  readonly digest?: string;
  readonly software?: string;
  readonly engine?: string;
  readonly provider?: string;
};

/** What is inside a picture's row or file, as far as it looks like a recipe; anyone may have written it. */
export function recipeOf(value: unknown): RecipeView | undefined {
  const recipe = value as RecipeView | null | undefined;
  const request = recipe?.request;
  const usable =
    typeof request === 'object' &&
    typeof request?.model === 'string' &&
    Array.isArray(request.condition) &&
    typeof request.size?.width === 'number' &&
    typeof request.size.height === 'number' &&
    typeof request.seed === 'number' &&
    typeof request.sampling?.kind === 'string';
  return usable ? recipe! : undefined;
}

/** The form that asks for this picture again, with the model it was made by. */
export function formOfRecipe({ request }: RecipeView, model: ModelView, old?: Form): Form {
  const lexicon = lexiconOf(model);
  const prompt = promptOf(lexicon, request.condition);
  const negative = promptOf(lexicon, request.negative ?? []);
  const fresh = formFor(model, old);
  return {
    ...fresh,
    prompt,
    negative,
    exact: {
      prompt,
      negative,
      condition: request.condition as readonly Weighted[],
      ...(request.negative && { negativeCondition: request.negative as readonly Weighted[] }),
    },
    width: request.size.width,
    height: request.size.height,
    ratio: ratioOf(request.size.width, request.size.height),
    seed: request.seed,
    next: 'lock',
    count: 1,
    ...extensionOf(request.position?.extend),
    ...samplingOf(request.sampling, fresh, model),
    beyond: beyondOf(request, model),
  };
}

function extensionOf(extend: unknown): Pick<Form, 'extend' | 'extendOptions'> {
  const one = Array.isArray(extend) ? (extend.length === 0 ? 'none' : extend[0]) : extend;
  if (one === undefined) return { extend: '', extendOptions: {} };
  if (typeof one === 'string') return { extend: one, extendOptions: {} };
  const { method = '', ...options } = one as { method?: string };
  return { extend: String(method), extendOptions: options };
}

function samplingOf(
  sampling: ImageRequest['sampling'],
  fresh: Form,
  model: ModelView,
): Partial<Form> {
  if (sampling.kind !== model.sampling.kind) return {};
  if (sampling.kind === 'tokens')
    return {
      decoder: sampling.decoder,
      decoderOptions: (sampling.decoderOptions ?? {}) as Options,
      temperature: sampling.temperature ?? fresh.temperature,
      guidance: sampling.guidance ?? fresh.guidance,
    };
  return {
    solver: sampling.solver,
    steps: sampling.steps,
    shift: shiftOf(sampling) ?? fresh.shift,
    guidance: sampling.guidance?.scale ?? 1,
  };
}

/** The only option that a schedule has. */
function shiftOf({ scheduleOptions }: DiffusionOptions): number | undefined {
  const { shift } = scheduleOptions ?? {};
  return typeof shift === 'number' ? shift : undefined;
}

export type Fact = {
  readonly name: string;
  readonly value: string;
  readonly isCode?: boolean;
};

/** Everything that made a picture, as far as it is known. */
export function factsOf(picture: StoredPicture, model?: ModelView): readonly Fact[] {
  const recipe = recipeOf(picture.recipe);
  const { width, height, seed, prompt } = picture;
  const times = model && reachOf(picture, model);
  const facts: (Fact | undefined)[] = [
    { name: 'Prompt', value: saidOf(recipe, model) ?? (prompt || 'none') },
    recipe?.request.negative?.length
      ? { name: 'Left out', value: recipe.request.negative.map(wordOf).join(', ') }
      : undefined,
    { name: 'Model', value: picture.model },
    recipe?.digest
      ? {
          name: 'Weights',
          value: `${recipe.digest.slice(0, 4)}…${recipe.digest.slice(-4)}`,
          isCode: true,
        }
      : undefined,
    {
      name: 'Size',
      value: `${width} × ${height}${times && times > 1 ? ` (${+times.toFixed(2)}×)` : ''}`,
    },
    ...(recipe ? samplingFacts(recipe.request) : []),
    { name: 'Seed', value: String(seed), isCode: true },
    recipe?.engine
      ? { name: 'Engine', value: [recipe.engine, recipe.provider].filter(Boolean).join(', ') }
      : undefined,
    { name: 'File', value: bytes(picture.bytes) },
  ];
  return facts.filter((fact) => fact !== undefined);
}

const saidOf = (recipe?: RecipeView, model?: ModelView): string | undefined =>
  recipe && model && recipe.request.condition.length > 0
    ? promptOf(lexiconOf(model), recipe.request.condition)
    : undefined;

function samplingFacts({ sampling, position }: ImageRequest): (Fact | undefined)[] {
  const { extend } = extensionOf(position?.extend);
  const positions = { name: 'Positions', value: extend === '' ? "the model's own" : extend };
  if (sampling.kind === 'tokens')
    return [
      { name: 'Decoder', value: sampling.decoder },
      sampling.temperature === undefined
        ? undefined
        : { name: 'Temperature', value: String(sampling.temperature) },
      sampling.guidance === undefined
        ? undefined
        : { name: 'Guidance', value: String(sampling.guidance) },
    ];
  return [
    positions,
    { name: 'Solver', value: `${sampling.solver}, ${sampling.steps} steps` },
    (shiftOf(sampling) ?? 1) === 1
      ? undefined
      : { name: 'Time shift', value: String(shiftOf(sampling)) },
    { name: 'Guidance', value: String(sampling.guidance?.scale ?? 1) },
  ];
}

const wordOf = (word: Weighted): string =>
  typeof word === 'string' ? word : `${word.word} (${word.weight})`;
