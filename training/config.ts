/** The configuration of a training run: one JSON file, checked by one schema. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { ObjectiveSchema, PositionSchema, SamplingSchema } from '../generators/model.ts';
import { checkSchema } from '../schema.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });
const Rate = Type.Number({ exclusiveMinimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });

const AdamWSchema = Type.Object(
  {
    rate: Rate,
    betas: Type.Optional(Type.Tuple([Share, Share])),
    decay: Type.Optional(Type.Number({ minimum: 0 })),
    /** Rate of embedding tables; default the same. */
    embeddings: Type.Optional(Rate),
  },
  exact,
);

const RunName = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' });

export const DataSchema = Type.Object(
  {
    set: Type.Union([Type.Literal('avatars'), Type.Literal('emoji'), Type.Literal('folder')]),
    /** Side in pixels. */
    size: Count,
    /** Pictures to draw (avatars). */
    count: Type.Optional(Count),
    /** Where pictures lie (folder). */
    path: Type.Optional(Type.String()),
  },
  exact,
);

/** Pictures of a folder by buckets of about the same area (data/own-shapes.ts). */
const BucketDataSchema = Type.Object(
  {
    ...DataSchema.properties,
    buckets: Type.Optional(
      Type.Object({ multiple: Count, ratio: Type.Number({ minimum: 1, default: 2 }) }, exact),
    ),
  },
  exact,
);

/** A view of pictures (views.ts): sizes in pixels, of a square or [height, width]. */
const ViewSchema = Type.Object(
  {
    how: Type.Union([
      Type.Literal('full'),
      Type.Literal('crop'),
      Type.Literal('window'),
      Type.Literal('rows'),
    ]),
    /** Default: `data.size`. */
    size: Type.Optional(Type.Union([Count, Type.Tuple([Count, Count])])),
    /** Side of the larger picture that a view other than 'full' is taken from. */
    of: Type.Optional(Count),
    share: Type.Number({ exclusiveMinimum: 0 }),
    /** The first and last step that may show it (stages). Default: all of the run's. */
    from: Type.Optional(Count),
    until: Type.Optional(Count),
    /** Pictures of a step, at most the run's. Default: the run's. */
    batch: Type.Optional(Count),
  },
  exact,
);

/** How the rate ends: `decay` is the share of the steps over which it falls linearly to 0. */
const RateSchema = Type.Union([
  Type.Object({ kind: Type.Literal('constant'), decay: Share }, exact),
  Type.Object({ kind: Type.Literal('cosine') }, exact),
]);

/** Steps between checkpoints, held-out losses and sheets of samples. */
const EverySchema = Type.Object({ checkpoint: Count, heldOut: Count, sheet: Count }, exact);

/** What runs of every kind have. */
export const RUN_FIELDS = {
  name: RunName,
  title: Type.String(),
  licence: Type.String(),
  data: DataSchema,
  batch: Count,
  accumulate: Type.Integer({ minimum: 1, default: 1 }),
  steps: Count,
  warmup: Type.Integer({ minimum: 0, default: 100 }),
  rate: RateSchema,
  clip: Type.Optional(Rate),
  ema: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.999 }),
  seed: Type.Integer({ minimum: 0 }),
  every: EverySchema,
};
/** With a rate for it, matrices of blocks are trained by Muon and the rest by AdamW. */
export const OPTIMISER_FIELDS = {
  muon: Type.Optional(Type.Object({ rate: Rate }, exact)),
  adamw: AdamWSchema,
};

export const TrainingConfig = Type.Object(
  {
    ...RUN_FIELDS,
    data: BucketDataSchema,
    model: Type.Object(
      {
        preset: Type.String(),
        /** Fields of the architecture that differ from the preset. */
        config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        positions: PositionSchema,
      },
      exact,
    ),
    objective: ObjectiveSchema,
    time: Type.Union([
      Type.Literal('uniform'),
      Type.Object({ mean: Type.Number(), std: Rate }, exact),
    ]),
    optimiser: Type.Object(
      {
        ...OPTIMISER_FIELDS,
        /** Weights whose names start with `prefix` stay as they are up to a step. */
        hold: Type.Optional(Type.Object({ prefix: Type.String(), until: Count }, exact)),
      },
      exact,
    ),
    /** What is seen of pictures, one view a step. Default: whole pictures of `data.size`. */
    views: Type.Optional(Type.Array(ViewSchema, { minItems: 1 })),
    /** Chances to leave out all words, each attribute, and what is said of a picture's size (0.1). */
    drop: Type.Object(
      { all: Share, some: Share, size: Type.Number({ minimum: 0, maximum: 1, default: 0.1 }) },
      exact,
    ),
    flip: Type.Boolean({ default: false }),
    sampling: SamplingSchema,
  },
  exact,
);
export type TrainingConfig = Static<typeof TrainingConfig>;

export const parseTrainingConfig = (value: unknown, where: string): TrainingConfig =>
  checkSchema(TrainingConfig, value, where);

/**
 * The JSON of a configuration file, not checked. One with `extends` is another file beside it with
 * changes: objects are joined key by key, all else is replaced.
 */
export async function readConfigFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`train: expected a configuration file, got '${path}', which cannot be read`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${path}: expected JSON, got ${(error as Error).message}`);
  }
  if (!isRecord(value) || typeof value.extends !== 'string') return value;
  const { extends: base, ...changes } = value;
  return joined(await readConfigFile(join(dirname(path), base as string)), changes);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function joined(base: unknown, changes: unknown): unknown {
  if (!isRecord(base) || !isRecord(changes)) return changes;
  const both = { ...base };
  for (const [key, value] of Object.entries(changes)) both[key] = joined(base[key], value);
  return both;
}

/** The share of the full learning rate at a step counted from 1. */
export function rateAt(
  { steps, warmup, rate }: Pick<TrainingConfig, 'steps' | 'warmup' | 'rate'>,
  step: number,
): number {
  const rise = Math.min(1, step / Math.max(1, warmup));
  if (rate.kind === 'cosine')
    return rise * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps));
  const falling = Math.max(1, steps * rate.decay);
  return rate.decay === 0 ? rise : rise * Math.min(1, Math.max(0, (steps - step + 1) / falling));
}
