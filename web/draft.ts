/**
 * A draft is an image request of which only the model must be there: its card fills in the rest, chance
 * the seed, and a prompt becomes words of its vocabulary.
 */
import { randomInt } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { describeUnmatched, understand } from '../prompt-condition.ts';
import {
  type ConditionWord,
  DiffusionOptions,
  ImageRequest,
  parseRequest,
  TokenOptions,
} from '../request.ts';
import { checkSchema } from '../schema.ts';
import type { ModelView } from './services.ts';

const exact = { additionalProperties: false } as const;
const { size, ...asked } = ImageRequest.properties;
const Prompt = Type.String({ maxLength: 4000 });

export const Draft = Type.Object(
  {
    ...Type.Partial(Type.Object(asked)).properties,
    model: asked.model,
    /** Words that people use; they join those of `condition`. */
    prompt: Type.Optional(Prompt),
    negativePrompt: Type.Optional(Prompt),
    size: Type.Optional(Type.Partial(size, exact)),
    sampling: Type.Optional(
      Type.Union([Type.Partial(DiffusionOptions, exact), Type.Partial(TokenOptions, exact)]),
    ),
    /** 1 comes first. */
    priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  },
  exact,
);
export type Draft = Static<typeof Draft>;

/** The model of that id; else one sentence with the nearest. */
export function chooseModel(models: readonly ModelView[], id: string): ModelView {
  if (models.length === 0)
    throw new RangeError(`request: 'model': expected a model, got none here`);
  const Known = Type.Object({ model: Type.Union(models.map((model) => Type.Literal(model.id))) });
  const { model } = checkSchema(Known, { model: id }, 'request') as { model: string };
  return models.find((known) => known.id === model)!;
}

/** The whole request, checked by its schema; the model's card is asked by `services.models.check`. */
export function completeDraft(
  draft: Draft,
  model: ModelView,
  {
    where = 'request',
    seed = () => randomInt(2 ** 32),
  }: { where?: string; seed?: () => number } = {},
): ImageRequest {
  const {
    prompt,
    negativePrompt,
    priority: _,
    condition,
    negative,
    size,
    sampling,
    ...rest
  } = draft;
  const words = wordsOf(`${where}: 'prompt'`, prompt, condition, model);
  const { kind } = model.sampling;
  if (sampling?.kind !== undefined && sampling.kind !== kind)
    throw new RangeError(
      `${where}: 'sampling.kind': expected '${kind}' for '${model.id}', got '${sampling.kind}'`,
    );
  const away = wordsOf(`${where}: 'negativePrompt'`, negativePrompt, negative, model);
  return parseRequest(
    {
      ...rest,
      version: 1,
      condition: words ?? [],
      ...(away && away.length > 0 && { negative: away }),
      seed: rest.seed ?? seed(),
      size: { ...model.trained, ...size },
      sampling: { ...defaultsOf(model), ...sampling },
    },
    where,
  );
}

function wordsOf(
  where: string,
  prompt: string | undefined,
  words: readonly ConditionWord[] | undefined,
  model: ModelView,
): ConditionWord[] | undefined {
  if (prompt === undefined) return words && [...words];
  const understood = understand(prompt, model);
  if (understood.unmatched.length > 0)
    throw new RangeError(
      `${where}: expected words of '${model.id}', got ${describeUnmatched(understood)}`,
    );
  const all = [...understood.condition, ...(words ?? [])];
  return [...new Map(all.map((word) => [textOf(word), word])).values()]; // the later one's weight holds
}

const textOf = (word: ConditionWord) => (typeof word === 'string' ? word : word.word);

function defaultsOf({ sampling }: ModelView): ImageRequest['sampling'] {
  if (sampling.kind === 'diffusion')
    return {
      kind: 'diffusion',
      solver: sampling.solver,
      steps: sampling.steps,
      guidance: { scale: sampling.guidance },
    };
  const { decoder, temperature, topK, topP, guidance } = sampling;
  return {
    kind: 'tokens',
    decoder,
    temperature,
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    guidance,
  };
}
