/** The OpenAI Images API as of its `openai` client 6 (images.ts there), and its errors. */
import { type Static, type TSchema, Type } from 'typebox';
import { describeError } from './errors.ts';
import { oneOf } from './schemas.ts';

const exact = { additionalProperties: false } as const;
const orNull = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const FORMATS = ['png', 'jpeg', 'webp'] as const;
export type Format = (typeof FORMATS)[number];

export const GenerateBody = Type.Object(
  {
    prompt: Type.String({ maxLength: 4000 }),
    model: orNull(Type.String({ maxLength: 64 })),
    n: orNull(Type.Integer({ minimum: 1, maximum: 10 })),
    size: orNull(
      Type.String({ pattern: '^(auto|\\d{1,4}x\\d{1,4})$', description: 'auto or WIDTHxHEIGHT' }),
    ),
    /** Of a diffusion model: `low` takes half of its steps, `high` and `hd` twice as many. */
    quality: orNull(oneOf(['auto', 'low', 'medium', 'high', 'standard', 'hd'])),
    background: orNull(oneOf(['transparent', 'opaque', 'auto'])),
    output_format: orNull(oneOf(FORMATS)),
    output_compression: orNull(Type.Integer({ minimum: 0, maximum: 100 })),
    moderation: orNull(oneOf(['low', 'auto'])),
    response_format: orNull(oneOf(['url', 'b64_json'])),
    style: orNull(oneOf(['vivid', 'natural'])),
    user: Type.Optional(Type.String({ maxLength: 200 })),
    stream: orNull(Type.Boolean()),
    partial_images: orNull(Type.Integer({ minimum: 0, maximum: 3 })),
    // Ours:
    seed: orNull(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 10_000 })),
    steps: orNull(Type.Integer({ minimum: 1, maximum: 1000 })),
    guidance: orNull(Type.Number({ minimum: 0, maximum: 100 })),
    negative_prompt: orNull(Type.String({ maxLength: 4000 })),
  },
  exact,
);
export type GenerateBody = Static<typeof GenerateBody>;

const Count = Type.Integer({ minimum: 0 });
export const Usage = Type.Object(
  {
    input_tokens: Count,
    output_tokens: Count,
    total_tokens: Count,
    input_tokens_details: Type.Object({ text_tokens: Count, image_tokens: Count }, exact),
  },
  exact,
);
export type Usage = Static<typeof Usage>;

const about = {
  background: Type.Literal('opaque'),
  output_format: oneOf(FORMATS),
  quality: oneOf(['low', 'medium', 'high']),
  size: Type.String(),
};
export const Generated = Type.Object(
  {
    created: Count,
    data: Type.Array(
      Type.Object(
        { b64_json: Type.Optional(Type.String()), url: Type.Optional(Type.String()) },
        exact,
      ),
    ),
    ...about,
    usage: Usage,
  },
  exact,
);
export type Generated = Static<typeof Generated>;

export const Model = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('model'),
    created: Count,
    owned_by: Type.String(),
  },
  exact,
);
export const Models = Type.Object({ object: Type.Literal('list'), data: Type.Array(Model) }, exact);

const Text = Type.Union([Type.String(), Type.Null()]);
export const OpenAIError = Type.Object(
  {
    error: Type.Object(
      { message: Type.String(), type: Type.String(), param: Text, code: Text },
      exact,
    ),
  },
  exact,
);
export type OpenAIError = Static<typeof OpenAIError>;

/** Names of ours that are others there. */
const PARAMS: Readonly<Record<string, string>> = {
  condition: 'prompt',
  negative: 'negative_prompt',
  negativePrompt: 'negative_prompt',
  count: 'n',
  'sampling.steps': 'steps',
  'sampling.guidance': 'guidance',
  'sampling.guidance.scale': 'guidance',
};

/** Any error in OpenAI's form. */
export function toOpenAIError(error: unknown): {
  status: number;
  retryAfter?: number;
  body: OpenAIError;
} {
  const { status, code, message, field, retryAfter } = describeError(error);
  const unknown = /: expected no key '([^']+)'/.exec(message)?.[1];
  const missing = /: expected '([^']+)', got nothing/.exec(message)?.[1];
  const root = field?.split('.')[0];
  const param = unknown ?? missing ?? PARAMS[field ?? ''] ?? PARAMS[root ?? ''] ?? root ?? null;
  const known = {
    invalid: unknown
      ? 'unknown_parameter'
      : missing
        ? 'missing_required_parameter'
        : 'invalid_value',
    unauthorized: 'invalid_api_key',
    not_found: param === 'model' ? 'model_not_found' : 'not_found',
    method_not_allowed: 'method_not_supported',
    queue_full: 'rate_limit_exceeded',
    too_many: 'rate_limit_exceeded',
  } as Readonly<Record<string, string>>;
  const kinds: Readonly<Record<number, string>> = {
    429: 'requests',
    500: 'server_error',
    503: 'server_error',
  };
  return {
    status,
    ...(retryAfter !== undefined && { retryAfter }),
    body: {
      error: {
        message: message.replace(/^request: /, ''),
        type: kinds[status] ?? 'invalid_request_error',
        param,
        code: known[code] ?? code,
      },
    },
  };
}
