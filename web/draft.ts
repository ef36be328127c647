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
import type { ModelView, Services } from './services.ts';

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
export function chooseModel(
  models: readonly ModelView[],
  id: string,
  { where = 'request' }: { where?: string } = {},
): ModelView {
  if (models.length === 0)
    throw new RangeError(`${where}: 'model': expected a model, got none here`);
  const Known = Type.Object({ model: Type.Union(models.map((model) => Type.Literal(model.id))) });
  const { model } = checkSchema(Known, { model: id }, where) as { model: string };
  return models.find((known) => known.id === model)!;
}

/** The whole request, checked by its schema and by the model's card. */
export async function checkedRequest(
  draft: Draft,
  model: ModelView,
  models: Services['models'],
  { where = 'request' }: { where?: string } = {},
): Promise<ImageRequest> {
  const request = completeDraft(draft, model, { where });
  try {
    await models.check(request);
  } catch (error) {
    throw namingField(error, where);
  }
  return request;
}

/** The field that a card's sentence begins with: `sampling.solver: expected ...`, `position.extend 'yarn'.beta: ...`. */
const FIELD = new RegExp(`^((?:${Object.keys(ImageRequest.properties).join('|')})(?:\\.\\w+)*):? `);

/** In the words of the schema's check: `request: 'sampling.solver': expected ...`. */
function namingField(error: unknown, where: string): unknown {
  const isSentence = error instanceof TypeError || error instanceof RangeError;
  if (!isSentence || !FIELD.test(error.message)) return error;
  const sentence = error.message.replace(FIELD, "'$1': ");
  return new RangeError(`${where}: ${sentence}`, { cause: error });
}

/** The whole request, checked by its schema alone. */
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
      scheduleOptions: { shift: sampling.shift },
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
