/**
 * What a PNG, JPEG or WebP file says of how it was made, by us or by other programs, as text: nothing in it is run,
 * followed or fetched. AUTOMATIC1111 and its forks write `parameters`, ComfyUI `prompt` and `workflow`,
 * InvokeAI `invokeai_metadata`, SwarmUI JSON in `parameters`.
 */
import { exifOf } from '../png.ts';
import { isPng, readText } from '../png-chunks.ts';
import { parseRecipe, type Recipe, solverKnownAs } from '../request.ts';
import type { PartialDraft } from './columns.ts';
import { comfyFacts } from './comfyui.ts';
import { readExifText } from './exif.ts';
import { type Facts, factsIn, parseInfotext } from './infotext.ts';

export type PngInfo = {
  readonly source: 'ropewalk' | 'a1111' | 'comfyui' | 'invokeai' | 'swarmui' | 'none';
  /** Of our own pictures. */
  readonly recipe?: Recipe;
  /** The text that AUTOMATIC1111's web UI would show. */
  readonly parameters?: string;
  /** What programs agree on, by AUTOMATIC1111's names: Prompt, Negative prompt, Steps, Sampler, Seed ... */
  readonly facts: Facts;
  /** Of another program's picture: what of it a request of ours can say. */
  readonly draft?: PartialDraft;
  /** All text in the file by keyword. */
  readonly items: Record<string, string>;
};

export async function readPngInfo(file: Uint8Array): Promise<PngInfo> {
  const items = isPng(file) ? { ...readText(file) } : readExifText((await exifOf(file)) ?? NONE);
  const read = ours(items) ?? invoke(items) ?? swarm(items) ?? a1111(items) ?? comfy(items);
  if (read === undefined) return { source: 'none', facts: {}, items };
  const draft = read.recipe ? undefined : draftOf(read.facts);
  return { ...read, ...(draft && { draft }), items };
}

const NONE = new Uint8Array();

type Items = PngInfo['items'];
type Read = Omit<PngInfo, 'items' | 'draft'>;

function ours(items: Items): Read | undefined {
  const recipe = recipeIn(items);
  if (!recipe) return undefined;
  const { parameters } = items;
  return {
    source: 'ropewalk',
    recipe,
    ...(parameters !== undefined && { parameters }),
    facts: parseInfotext(parameters ?? ''),
  };
}

/** A recipe that anyone may have written: one that does not fit is text like any other. */
function recipeIn({ ropewalk }: Items): Recipe | undefined {
  try {
    return ropewalk === undefined ? undefined : parseRecipe(JSON.parse(ropewalk));
  } catch {
    return undefined;
  }
}

function a1111({ parameters }: Items): Read | undefined {
  if (parameters === undefined) return undefined;
  return { source: 'a1111', parameters, facts: parseInfotext(parameters) };
}

function comfy({ prompt, workflow }: Items): Read | undefined {
  const graph = jsonObject(prompt);
  if (!graph && !jsonObject(workflow)) return undefined;
  return { source: 'comfyui', facts: graph ? comfyFacts(graph) : {} };
}

function invoke(items: Items): Read | undefined {
  const metadata = jsonObject(items.invokeai_metadata);
  if (!metadata && items.invokeai_graph === undefined && items.invokeai_workflow === undefined)
    return undefined;
  const { model } = metadata ?? {};
  const facts = factsIn(metadata ?? {}, {
    Prompt: 'positive_prompt',
    'Negative prompt': 'negative_prompt',
    Steps: 'steps',
    Sampler: 'scheduler',
    'CFG scale': 'cfg_scale',
    Seed: 'seed',
    width: 'width',
    height: 'height',
  });
  const name = isObject(model) ? (model.name ?? model.model_name) : model;
  return { source: 'invokeai', facts: { ...facts, ...factsIn({ name }, { Model: 'name' }) } };
}

function swarm({ parameters }: Items): Read | undefined {
  const said = jsonObject(parameters)?.sui_image_params;
  if (!isObject(said)) return undefined;
  const facts = factsIn(said, {
    Prompt: 'prompt',
    'Negative prompt': 'negativeprompt',
    Steps: 'steps',
    Sampler: 'sampler',
    'Schedule type': 'scheduler',
    'CFG scale': 'cfgscale',
    Seed: 'seed',
    width: 'width',
    height: 'height',
    Model: 'model',
  });
  return { source: 'swarmui', facts };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonObject(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Only what is whole and in range: the rest stays readable in `facts`. */
export function draftOf(facts: Facts): PartialDraft | undefined {
  const whole = (text = '') => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
  const [width, height] = (facts.Size ?? '').split('x').map(whole);
  const [seed, steps] = [whole(facts.Seed), whole(facts.Steps)];
  const scale = Number(facts['CFG scale'] ?? Number.NaN);
  const solver = facts.Sampler && solverKnownAs(facts.Sampler);
  const sampling = {
    ...(solver && { solver }),
    ...(steps !== undefined && steps >= 1 && steps <= 1000 && { steps }),
    ...(scale >= 0 && scale <= 100 && { guidance: { scale } }),
  };
  const draft: PartialDraft = {
    ...(facts.Prompt && { prompt: facts.Prompt.slice(0, 4000) }),
    ...(facts['Negative prompt'] && { negativePrompt: facts['Negative prompt'].slice(0, 4000) }),
    ...(seed !== undefined && { seed }),
    ...(width && height && width <= 8192 && height <= 8192 && { size: { width, height } }),
    ...(Object.keys(sampling).length > 0 && { sampling }),
  };
  return Object.keys(draft).length > 0 ? draft : undefined;
}
