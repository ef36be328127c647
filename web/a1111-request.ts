/** What a `txt2img` of AUTOMATIC1111 asks of us, and the answer in its form. */
import { formatParameters, type ImageRequest, parseRecipe, solverKnownAs } from '../request.ts';
import { VERSION } from '../version.ts';
import type { Txt2ImgBody } from './a1111-schemas.ts';
import { checkedRequest, chooseModel, type Draft } from './draft.ts';
import { HttpError, refuse } from './errors.ts';
import type { filesOfRender } from './renders.ts';
import type { ModelView, Services } from './services.ts';

/** Changes to a picture that no model here makes: better refused than left out. */
const REFUSED: readonly [keyof Txt2ImgBody, (body: Txt2ImgBody) => boolean][] = [
  ['enable_hr', ({ enable_hr }) => enable_hr === true],
  ['restore_faces', ({ restore_faces }) => restore_faces === true],
  ['tiling', ({ tiling }) => tiling === true],
  ['subseed_strength', ({ subseed_strength = 0 }) => subseed_strength !== 0],
  ['refiner_checkpoint', ({ refiner_checkpoint }) => Boolean(refiner_checkpoint)],
  ['script_name', ({ script_name }) => Boolean(script_name)],
  ['alwayson_scripts', ({ alwayson_scripts = {} }) => Object.keys(alwayson_scripts).length > 0],
  ['styles', ({ styles = [] }) => styles.length > 0],
];

/** They are held in memory, in base64, until all are there. */
const MOST_PICTURES = 100;

export async function understand(
  body: Txt2ImgBody,
  { models }: Services,
): Promise<{ request: ImageRequest; model: ModelView }> {
  for (const [field, asks] of REFUSED)
    if (asks(body))
      throw new HttpError(
        'invalid',
        `request: '${field}': expected none, got one; it is not known here`,
        { field },
      );
  const { n_iter = 1, batch_size = 1 } = body;
  if (n_iter * batch_size > MOST_PICTURES)
    throw new HttpError(
      'invalid',
      `request: 'n_iter': expected at most ${MOST_PICTURES} pictures at a time, got ${n_iter} * ${batch_size}`,
      { field: 'n_iter' },
    );
  const known = await models.list();
  const named = body.override_settings?.sd_model_checkpoint;
  return refuse(async () => {
    const model = chooseModel(known, named ? idOf(String(named)) : (known[0]?.id ?? ''));
    return { request: await checkedRequest(draftOf(body, model), model, models), model };
  });
}

/** A checkpoint's title is `id [hash]`, as theirs. */
export const titleOf = ({ id, digest }: ModelView) => `${id} [${digest.slice(0, 10)}]`;
const idOf = (title: string) => title.replace(/ \[\w+\]$/, '').replace(/\.safetensors$/, '');

function draftOf(body: Txt2ImgBody, model: ModelView): Draft {
  const { prompt = '', negative_prompt = '', seed = -1, n_iter = 1, batch_size = 1 } = body;
  const { width, height } = body;
  return {
    model: model.id,
    prompt,
    ...(negative_prompt !== '' && { negativePrompt: negative_prompt }),
    ...(seed >= 0 && { seed }),
    count: n_iter * batch_size,
    size: { ...(width !== undefined && { width }), ...(height !== undefined && { height }) },
    sampling: samplingOf(body, model),
  };
}

function samplingOf(body: Txt2ImgBody, { sampling }: ModelView): NonNullable<Draft['sampling']> {
  const { steps, cfg_scale, scheduler } = body;
  const name = body.sampler_name || body.sampler_index;
  if (sampling.kind === 'tokens') {
    const decoder =
      name &&
      samplerNamed(
        name,
        sampling.decoders.map((choice) => choice.name),
      );
    return {
      ...(decoder && { decoder }),
      ...(cfg_scale !== undefined && { guidance: cfg_scale }),
    };
  }
  const solver = name && samplerNamed(name, sampling.solvers);
  const schedule = /^(|automatic)$/i.test(scheduler ?? '') ? undefined : scheduler?.toLowerCase();
  return {
    ...(solver && { solver }),
    ...(steps !== undefined && { steps }),
    ...(cfg_scale !== undefined && { guidance: { scale: cfg_scale } }),
    ...(schedule !== undefined && { schedule }),
  };
}

/** By our name or by theirs: 'dpmpp-2m' and 'DPM++ 2M'. */
function samplerNamed(name: string, known: readonly string[]): string {
  const found = known.find((one) => one === name.toLowerCase() || one === solverKnownAs(name));
  if (found === undefined) throw new HttpError('not_found', 'Sampler not found');
  return found;
}

type Made = Awaited<ReturnType<typeof filesOfRender>>;

/** Keys and order of their `Processed.js`. */
export function infoOf(
  body: Txt2ImgBody,
  { request, model, files }: { request: ImageRequest; model: ModelView; files: Made },
): Record<string, unknown> {
  const { prompt = '', negative_prompt = '', batch_size = 1 } = body;
  const { sampling, seed, size } = request;
  const recipes = files.map(({ picture }) => parseRecipe(picture.recipe));
  const scale = sampling.kind === 'diffusion' ? sampling.guidance?.scale : sampling.guidance;
  return {
    prompt,
    all_prompts: files.map(() => prompt),
    negative_prompt,
    all_negative_prompts: files.map(() => negative_prompt),
    seed,
    all_seeds: files.map(({ picture }) => picture.seed),
    subseed: seed,
    all_subseeds: files.map(({ picture }) => picture.seed),
    subseed_strength: 0,
    ...size,
    sampler_name: sampling.kind === 'diffusion' ? sampling.solver : sampling.decoder,
    cfg_scale: scale ?? 1,
    steps: sampling.kind === 'diffusion' ? sampling.steps : 1,
    batch_size,
    restore_faces: false,
    face_restoration_model: null,
    sd_model_name: model.id,
    sd_model_hash: model.digest.slice(0, 10),
    sd_vae_name: null,
    sd_vae_hash: null,
    seed_resize_from_w: -1,
    seed_resize_from_h: -1,
    denoising_strength: null,
    extra_generation_params: {},
    index_of_first_image: 0,
    infotexts: recipes.map(formatParameters),
    styles: [],
    job_timestamp: timestamp(files[0]?.picture.createdAt ?? Date.now()),
    clip_skip: 1,
    is_using_inpainting_conditioning: false,
    version: `ropewalk ${VERSION}`,
  };
}

/** '20260131235959', in UTC. */
export const timestamp = (time: number): string =>
  new Date(time).toISOString().replace(/\D/g, '').slice(0, 14);
