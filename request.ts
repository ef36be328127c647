/**
 * What a client asks for, as plain data: one schema for API, queue, page and command line. Names of
 * models, solvers, schedules and words are checked against the model's card where it is loaded.
 */
import { type Static, Type } from 'typebox';
import { checkSchema } from './schema.ts';

const exact = { additionalProperties: false } as const;
const Name = Type.String({ pattern: '^\\w[\\w .+-]{0,63}$', description: 'a name' });
const Side = Type.Integer({ minimum: 1, maximum: 8192 });
const Unit = Type.Number({ minimum: 0, maximum: 1 });
/** An id in the image store, never a path or an address. */
const StoredImage = Type.String({ pattern: '^[\\w-]{1,128}$', description: 'the id of an image' });
/** Options of a method by name, such as a schedule's shift or a solver's eta. */
const Options = Type.Record(
  Type.String({ maxLength: 64 }),
  Type.Union([
    Type.Number(),
    Type.Boolean(),
    Type.String({ maxLength: 200 }),
    Type.Array(Type.Number(), { maxItems: 1024 }),
  ]),
);
/** A position extension by name, or with its options: `{ method: 'yarn', beta: 2 }`. */
const Extension = Type.Union([Name, Options]);

/** A cut of a larger picture, in pixels. */
const Cut = Type.Object(
  {
    /** The size of the picture that this one is a cut of. Default: this one's. */
    original: Type.Optional(Type.Object({ width: Side, height: Side }, exact)),
    /** Where in it the cut begins. Default: at its corner. */
    crop: Type.Optional(
      Type.Object(
        {
          top: Type.Integer({ minimum: 0, maximum: 8192 }),
          left: Type.Integer({ minimum: 0, maximum: 8192 }),
        },
        exact,
      ),
    ),
  },
  exact,
);
/**
 * What a model with micro-conditioning is told of the picture, in place of what its card says: that it is a
 * whole one of this size ('asked'), a whole one of the trained size ('trained'), 'nothing', or a cut.
 */
const Micro = Type.Union([
  Type.Literal('asked'),
  Type.Literal('trained'),
  Type.Literal('nothing'),
  Cut,
]);

/** A word of the model's vocabulary; weight 1 is the word as trained. */
export const ConditionWord = Type.Union([
  Type.String({ minLength: 1, maxLength: 200 }),
  Type.Object(
    {
      word: Type.String({ minLength: 1, maxLength: 200 }),
      weight: Type.Number({ minimum: -10, maximum: 10 }),
    },
    exact,
  ),
]);
export type ConditionWord = Static<typeof ConditionWord>;

const Condition = Type.Array(ConditionWord, { maxItems: 256 });

export const Guidance = Type.Object(
  {
    /** 1 is no guidance. */
    scale: Type.Number({ minimum: 0, maximum: 100 }),
    /** Guided while from <= t <= to; t = 1 is pure noise. */
    from: Type.Optional(Unit),
    to: Type.Optional(Unit),
  },
  exact,
);

export const DiffusionOptions = Type.Object(
  {
    kind: Type.Literal('diffusion'),
    solver: Name,
    solverOptions: Type.Optional(Options),
    steps: Type.Integer({ minimum: 1, maximum: 1000 }),
    guidance: Type.Optional(Guidance),
    schedule: Type.Optional(Name),
    scheduleOptions: Type.Optional(Options),
  },
  exact,
);
export type DiffusionOptions = Static<typeof DiffusionOptions>;

export const TokenOptions = Type.Object(
  {
    kind: Type.Literal('tokens'),
    decoder: Name,
    /** Options of the decoder by name, such as its window. */
    decoderOptions: Type.Optional(Options),
    /** 0 takes the likeliest. Default: the model's. */
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    /** Only this many of the likeliest. */
    topK: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Only the likeliest that together have this share. */
    topP: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    /** Only those at least this share as likely as the likeliest. */
    minP: Type.Optional(Unit),
    /** 1 is none. Default: the model's. */
    guidance: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    guidanceOptions: Type.Optional(
      Type.Object(
        {
          /** How it grows from 1 at the first token to `guidance` at the last. Default: the same throughout. */
          schedule: Type.Optional(Name),
          /** Guided from this part of the tokens on, before that one; 0 is the first token, 1 the end. */
          from: Type.Optional(Unit),
          to: Type.Optional(Unit),
        },
        exact,
      ),
    ),
  },
  exact,
);
export type TokenOptions = Static<typeof TokenOptions>;

const fields = {
  version: Type.Literal(1),
  model: Type.String({
    pattern: '^[A-Za-z0-9][\\w.-]{0,63}$',
    description: 'an id of letters, digits, points and dashes',
  }),
  condition: Condition,
  /** In place of the null condition. */
  negative: Type.Optional(Condition),
  /** Of the first picture; picture i has seed + i. */
  seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 10_000 }),
  count: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
  size: Type.Object({ width: Side, height: Side }, exact),
  /**
   * Changes to what the model is told of places in this picture; `extend` is for a size never trained,
   * in place of the model's own: one, several that change different things, or none of an empty list.
   */
  position: Type.Optional(
    Type.Object(
      {
        extend: Type.Optional(Type.Union([Name, Options, Type.Array(Extension, { maxItems: 8 })])),
        /** Options in place of those of the model's own coordinates, such as `{ inference: 'contiguous' }` of RPE-2D. */
        coordinates: Type.Optional(Options),
        micro: Type.Optional(Micro),
      },
      exact,
    ),
  ),
  input: Type.Optional(
    Type.Object(
      {
        image: StoredImage,
        mask: Type.Optional(StoredImage),
        /** 1 starts from pure noise, 0 returns the input. */
        strength: Unit,
      },
      exact,
    ),
  ),
};

const DiffusionRequest = Type.Object({ ...fields, sampling: DiffusionOptions }, exact);
const TokenRequest = Type.Object({ ...fields, sampling: TokenOptions }, exact);

const AnyKind = Type.Object({
  sampling: Type.Object({
    kind: Type.Union([DiffusionOptions.properties.kind, TokenOptions.properties.kind]),
  }),
});

export const ImageRequest = Type.Object(
  { ...fields, sampling: Type.Union([DiffusionOptions, TokenOptions]) },
  exact,
);
export type ImageRequest = Static<typeof ImageRequest>;

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });
const made = {
  version: Type.Literal(1),
  /** SHA-256 of the weights. */
  digest: Type.Optional(Digest),
  /** Of the drafter, where one that was made for the model drafted. */
  drafter: Type.Optional(Digest),
  software: Type.String({ maxLength: 100 }),
  engine: Type.String({ maxLength: 100 }),
  provider: Type.String({ maxLength: 100 }),
};
const MadeOf = Type.Object({ ...made, request: Type.Unknown() });

/** How one picture was made (count 1, its own seed): enough to make the same pixels again. */
export const Recipe = Type.Object({ ...made, request: ImageRequest });
export type Recipe = Static<typeof Recipe>;

/** The request with defaults filled in, or an error of one sentence naming field, expected and got. */
export function parseRequest(value: unknown, where = 'request'): ImageRequest {
  const request = checkSchema(variantOf(value), value, where) as ImageRequest;
  checkInterval(request.sampling, where);
  return request;
}

function checkInterval(sampling: ImageRequest['sampling'], where: string): void {
  const isDiffusion = sampling.kind === 'diffusion';
  const { from, to } = (isDiffusion ? sampling.guidance : sampling.guidanceOptions) ?? {};
  if (from !== undefined && to !== undefined && from > to)
    throw new RangeError(
      `${where}: 'sampling.${isDiffusion ? 'guidance' : 'guidanceOptions'}': expected from <= to, got ${from} and ${to}`,
    );
}

/** One variant is checked, so that an error speaks of the kind that was meant. */
function variantOf(value: unknown) {
  const { sampling } = (value ?? {}) as { sampling?: { kind?: unknown } | null };
  if (sampling?.kind === 'tokens') return TokenRequest;
  return sampling?.kind === undefined || sampling.kind === 'diffusion' ? DiffusionRequest : AnyKind;
}

/** The recipe found in a picture, which anyone may have written. */
export function parseRecipe(value: unknown, where = 'recipe'): Recipe {
  const recipe = checkSchema(MadeOf, value, where);
  return { ...recipe, request: parseRequest(recipe.request, `${where}: request`) };
}

/** Names that other tools know. */
const KNOWN: Readonly<Record<string, string>> = {
  euler: 'Euler',
  heun: 'Heun',
  ddim: 'DDIM',
  ddpm: 'DDPM',
  'dpmpp-2m': 'DPM++ 2M',
  karras: 'Karras',
};

const SCHEDULES = new Set(['karras']);

/** The solver that other tools call 'DPM++ 2M' or 'dpmpp_2m', if it is one of ours. */
export function solverKnownAs(name: string): string | undefined {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replaceAll('+', 'p')
      .replace(/[\s_-]+/g, '');
  return Object.keys(KNOWN).find((known) => !SCHEDULES.has(known) && plain(known) === plain(name));
}

/** What other tools call a solver of ours, if they know it. */
export const titleOfSolver = (name: string): string | undefined => KNOWN[name];

/**
 * A recipe as the `parameters` text of AUTOMATIC1111's web UI, which many tools read: the prompt, the
 * negative prompt, and a line of `Key: value` pairs.
 */
export function formatParameters({ request, digest, software }: Recipe): string {
  const { condition, negative = [], sampling, seed, size, model } = request;
  const pairs: [string, string | number | undefined][] = [
    ...samplingPairs(sampling),
    ['Seed', seed],
    ['Size', `${size.width}x${size.height}`],
    ['Model hash', digest?.slice(0, 10)],
    ['Model', model],
    ['Version', software],
  ];
  const line = pairs.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${quotedValue(String(value))}`],
  );
  return [
    prompt(condition),
    ...(negative.length > 0 ? [`Negative prompt: ${prompt(negative)}`] : []),
    line.join(', '),
  ].join('\n');
}

function samplingPairs(
  sampling: ImageRequest['sampling'],
): [string, string | number | undefined][] {
  if (sampling.kind === 'tokens')
    return [
      ['Sampler', sampling.decoder],
      ['Temperature', sampling.temperature],
      ['CFG scale', sampling.guidance],
    ];
  const { solver, steps, schedule, guidance } = sampling;
  return [
    ['Steps', steps],
    ['Sampler', KNOWN[solver] ?? solver],
    ['Schedule type', schedule && (KNOWN[schedule] ?? schedule)],
    ['CFG scale', guidance?.scale],
  ];
}

const prompt = (words: readonly ConditionWord[]) =>
  words
    .map((word) => (typeof word === 'string' ? word : `(${word.word}:${word.weight})`))
    .join(', ');

const quotedValue = (value: string) => (/[,:\n]/.test(value) ? JSON.stringify(value) : value);
