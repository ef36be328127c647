/** The API of AUTOMATIC1111's web UI (1.10; modules/api/models.py there): what it takes and answers. */
import { type Static, Type } from 'typebox';
import { describeError } from './errors.ts';

const Text = Type.String({ maxLength: 4000 });
const Any = Type.Record(Type.String(), Type.Unknown());

/** Fields of theirs that are not named here are taken and left alone, as they do. */
export const Txt2ImgBody = Type.Object({
  prompt: Type.Optional({ ...Text, default: '' }),
  negative_prompt: Type.Optional({ ...Text, default: '' }),
  styles: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 20 })),
  /** -1 lets chance choose. */
  seed: Type.Optional(
    Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER - 10_000, default: -1 }),
  ),
  subseed: Type.Optional(Type.Integer({ default: -1 })),
  subseed_strength: Type.Optional(Type.Number({ default: 0 })),
  sampler_name: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  sampler_index: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  scheduler: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  batch_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 1 })),
  n_iter: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 1 })),
  /** Default here: the model's, as of all that follow. */
  steps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  cfg_scale: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  width: Type.Optional(Type.Integer({ minimum: 1, maximum: 8192 })),
  height: Type.Optional(Type.Integer({ minimum: 1, maximum: 8192 })),
  restore_faces: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  tiling: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  enable_hr: Type.Optional(Type.Boolean({ default: false })),
  refiner_checkpoint: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  script_name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  alwayson_scripts: Type.Optional(Any),
  override_settings: Type.Optional(Type.Union([Any, Type.Null()])),
  send_images: Type.Optional(Type.Boolean({ default: true })),
});
export type Txt2ImgBody = Static<typeof Txt2ImgBody>;

export const Txt2ImgAnswer = Type.Object({
  images: Type.Array(Type.String({ description: 'PNG in base64' })),
  parameters: Any,
  info: Type.String({ description: 'JSON: prompt, seed, all_seeds, infotexts ...' }),
});

export const ProgressAnswer = Type.Object({
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  eta_relative: Type.Number(),
  state: Type.Object({
    skipped: Type.Boolean(),
    interrupted: Type.Boolean(),
    stopping_generation: Type.Boolean(),
    job: Type.String(),
    job_count: Type.Integer(),
    job_timestamp: Type.String(),
    job_no: Type.Integer(),
    sampling_step: Type.Integer(),
    sampling_steps: Type.Integer(),
  }),
  current_image: Type.Union([Type.String(), Type.Null()]),
  textinfo: Type.Union([Type.String(), Type.Null()]),
});

export const Samplers = Type.Array(
  Type.Object({
    name: Type.String(),
    aliases: Type.Array(Type.String()),
    options: Type.Record(Type.String(), Type.String()),
  }),
);
export const Checkpoints = Type.Array(
  Type.Object({
    title: Type.String(),
    model_name: Type.String(),
    hash: Type.Union([Type.String(), Type.Null()]),
    sha256: Type.Union([Type.String(), Type.Null()]),
    filename: Type.String(),
    config: Type.Union([Type.String(), Type.Null()]),
  }),
);
export const PngInfoAnswer = Type.Object({
  info: Type.String(),
  items: Type.Record(Type.String(), Type.String()),
  parameters: Type.Record(Type.String(), Type.String()),
});

/** FastAPI's: a sentence, or where in the body something is wrong. */
export const Detail = Type.Object({
  detail: Type.Union([
    Type.String(),
    Type.Array(
      Type.Object({ loc: Type.Array(Type.String()), msg: Type.String(), type: Type.String() }),
    ),
  ]),
});

/** Names of ours that are others there. */
const FIELDS: Readonly<Record<string, string>> = {
  condition: 'prompt',
  negativePrompt: 'negative_prompt',
  negative: 'negative_prompt',
  model: 'override_settings',
  count: 'batch_size',
  'size.width': 'width',
  'size.height': 'height',
  'sampling.solver': 'sampler_name',
  'sampling.decoder': 'sampler_name',
  'sampling.schedule': 'scheduler',
  'sampling.steps': 'steps',
  'sampling.guidance.scale': 'cfg_scale',
  'sampling.guidance': 'cfg_scale',
};

/** Any error in FastAPI's form: 422 for a body that is wrong. */
export function toDetail(error: unknown): {
  status: number;
  retryAfter?: number;
  body: Static<typeof Detail>;
} {
  const { status, message, field, retryAfter } = describeError(error);
  const msg = message.replace(/^request: /, '');
  if (status !== 400)
    return { status, ...(retryAfter !== undefined && { retryAfter }), body: { detail: msg } };
  const loc = ['body', ...(field === undefined ? [] : [FIELDS[field] ?? field])];
  return { status: 422, body: { detail: [{ loc, msg, type: 'value_error' }] } };
}
