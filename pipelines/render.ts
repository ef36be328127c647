/** From a request to pictures with their recipes: the one entry that command line, workers and measurements share. */
import type { Word } from '../encoders/conditioning/attributes.ts';
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import type { MicroSize } from '../encoders/positions/contract.ts';
import { cellsOf, extentOf } from '../encoders/positions/grid.ts';
import { MOST_WINDOW } from '../generators/ar-session.ts';
import { gridOf, type ModelCard, readModel } from '../generators/model.ts';
import {
  type AnyCard,
  readTokenGenerator,
  type TokenCard,
  tokenGridOf,
} from '../generators/token-model.ts';
import type { Picture } from '../png.ts';
import type { ConditionWord, ImageRequest, Recipe } from '../request.ts';
import { SOLVERS, type SolverName } from '../sampling/diffusion/registry.ts';
import { nearest } from '../tensor/nearest.ts';
import type { Engine } from '../tensor/program.ts';
import { VERSION } from '../version.ts';
import { checkSize, createDiffusionPipeline, type RenderOptions } from './diffusion.ts';
import { findModel, type ModelList } from './models.ts';
import {
  createDecoder,
  DECODER_NAMES,
  type DecoderOptions,
  DRAFTER_NAMES,
  decoderOptionsOf,
} from './token-decoders.ts';
import { createTokenPipeline, type TokenRenderOptions } from './tokens.ts';

export type Rendered = { readonly picture: Picture; readonly recipe: Recipe };
/** Token models alone have passes. */
export type RenderWatch = Pick<TokenRenderOptions, 'onStep' | 'onPass' | 'signal'>;
export type Renderer = {
  /** Renders one request after the other. */
  render(request: ImageRequest, watch?: RenderWatch): Promise<Rendered[]>;
  dispose(): Promise<void>;
};
export type RendererOptions = { readonly engine: Engine; readonly models: ModelList };

/** What renders requests of one architecture. */
type Kind<Card, Options> = {
  resolve(request: ImageRequest, card: Card): Options;
  open(engine: Engine, folder: string, card: Card): Promise<Pipeline<Options>>;
};
type Pipeline<Options> = {
  render(options: Options & RenderWatch): Promise<Picture[]>;
  dispose(): Promise<void>;
};
const KINDS: Readonly<Record<AnyCard['architecture'], Kind<AnyCard, unknown>>> = {
  dit: {
    resolve: resolveDiffusion,
    open: async (engine, folder) =>
      createDiffusionPipeline({ engine, model: await readModel(folder) }),
  } satisfies Kind<ModelCard, RenderOptions> as Kind<AnyCard, unknown>,
  ar: {
    resolve: resolveTokens,
    open: async (engine, folder, card) =>
      createTokenPipeline({ engine, model: await readTokenGenerator(folder, card) }),
  } satisfies Kind<TokenCard, TokenRenderOptions> as Kind<AnyCard, unknown>,
};

/** A request in a model's terms; throws naming the nearest where a name is not known. */
export const resolveRequest = (request: ImageRequest, card: AnyCard): unknown =>
  KINDS[card.architecture].resolve(request, card);

/** Keeps models and what was compiled of them between requests. */
export function createRenderer({ engine, models }: RendererOptions): Renderer {
  const pipelines = new Map<string, Promise<Pipeline<unknown>>>();
  return {
    async render(request, watch = {}) {
      const { id, folder, card } = findModel(request.model, models);
      const { resolve, open } = KINDS[card.architecture];
      const options = resolve(request, card) as object;
      const pipeline = pipelines.get(id) ?? open(engine, folder, card);
      pipelines.set(id, pipeline);
      pipeline.catch(() => pipelines.delete(id)); // a damaged file may be restored
      const pictures = await (await pipeline).render({ ...options, ...watch });
      return pictures.map((picture, i) => ({
        picture,
        recipe: recipeOf({ ...request, seed: request.seed + i, count: 1 }, card, engine),
      }));
    },
    async dispose() {
      for (const pipeline of pipelines.values()) await (await pipeline).dispose();
      pipelines.clear();
    },
  };
}

/** Renders one request and forgets what it compiled. */
export async function render(
  request: ImageRequest,
  { engine, models, ...watch }: RendererOptions & RenderWatch,
): Promise<Rendered[]> {
  const renderer = createRenderer({ engine, models });
  try {
    return await renderer.render(request, watch);
  } finally {
    await renderer.dispose();
  }
}

/** What one picture needs to be made again; what the card would decide is written out. */
export function recipeOf(
  request: ImageRequest,
  { digest }: Pick<ModelCard, 'digest'>,
  { name, provider }: Pick<Engine, 'name' | 'provider'>,
): Recipe {
  return { version: 1, digest, software: `ropewalk ${VERSION}`, engine: name, provider, request };
}

function resolveDiffusion(request: ImageRequest, card: ModelCard): RenderOptions {
  const { sampling, seed, count, size, input } = request;
  if (sampling.kind !== 'diffusion')
    throw new RangeError(
      `sampling: expected diffusion, which '${card.id}' samples by, got ${sampling.kind}`,
    );
  if (input)
    throw new RangeError(`input: expected none, got an image; '${card.id}' cannot start from one`);
  checkSize(size, card);
  const { solver, steps, guidance, schedule, scheduleOptions = {}, solverOptions = {} } = sampling;
  checkName('sampling.solver', solver, Object.keys(SOLVERS));
  if (schedule !== undefined) checkName('sampling.schedule', schedule, [card.objective.schedule]);
  checkOptions('sampling.solverOptions', solverOptions, []);
  checkOptions('sampling.scheduleOptions', scheduleOptions, ['shift']);
  const { shift = card.sampling.shift } = scheduleOptions;
  if (typeof shift !== 'number' || !(shift > 0))
    throw new RangeError(`sampling.scheduleOptions.shift: expected a number above 0, got ${shift}`);
  const extend = extensionsOf(request.position?.extend, card, size);
  const micro = microOf(request.position?.micro, card, size);
  return {
    words: wordsOf('condition', request.condition, card.vocabulary),
    negative: wordsOf('negative', request.negative ?? [], card.vocabulary),
    seed,
    count,
    size,
    solver: solver as SolverName,
    steps,
    shift,
    guidance: guidance?.scale ?? 1,
    ...(guidance ? { interval: { from: guidance.from ?? 0, to: guidance.to ?? 1 } } : {}),
    ...(extend === undefined ? {} : { extend }),
    ...(micro === undefined ? {} : { micro }),
  };
}

function resolveTokens(request: ImageRequest, card: TokenCard): TokenRenderOptions {
  const { sampling, seed, count, size, input, position } = request;
  const { id, trained, config } = card;
  if (sampling.kind !== 'tokens')
    throw new RangeError(
      `sampling: expected tokens, which '${id}' samples by, got ${sampling.kind}`,
    );
  if (input)
    throw new RangeError(`input: expected none, got an image; '${id}' cannot start from one`);
  if (size.width !== trained.width || size.height !== trained.height)
    throw new RangeError(
      `size: expected ${trained.width}x${trained.height}, which '${id}' draws, got ${size.width}x${size.height}`,
    );
  if (position?.extend !== undefined)
    throw new RangeError(
      `position.extend: expected none, as '${id}' draws the size it was trained on, got ${JSON.stringify(position.extend)}`,
    );
  if (position?.micro !== undefined)
    throw new RangeError(
      `position.micro: expected none, as '${id}' is not told of original sizes and cuts, got ${JSON.stringify(position.micro)}`,
    );
  const { kind: _, decoder, decoderOptions = {}, ...filters } = sampling;
  checkName('sampling.decoder', decoder, DECODER_NAMES);
  checkOptions('sampling.decoderOptions', decoderOptions, decoderOptionsOf(decoder));
  checkDecoderOptions(decoder, decoderOptions, card);
  if (filters.topK !== undefined && filters.topK > config.codes)
    throw new RangeError(
      `sampling.topK: expected at most ${config.codes}, the codes of '${id}', got ${filters.topK}`,
    );
  return {
    words: wordsOf('condition', request.condition, card.vocabulary),
    negative: wordsOf('negative', request.negative ?? [], card.vocabulary),
    seed,
    count,
    decoder,
    decoderOptions: decoderOptions as DecoderOptions,
    ...filters,
  };
}

function checkDecoderOptions(decoder: string, options: DecoderOptions, card: TokenCard): void {
  const { window = 1, drafter = 'left' } = options;
  const grid = tokenGridOf(card);
  const most = Math.min(MOST_WINDOW, cellsOf(grid).length);
  if (!(Number.isInteger(window) && (window as number) >= 1 && (window as number) <= most))
    throw new RangeError(
      `sampling.decoderOptions.window: expected a whole number from 1 to ${most}, got ${JSON.stringify(window)}`,
    );
  checkName('sampling.decoderOptions.drafter', String(drafter), DRAFTER_NAMES);
  createDecoder(decoder, options, extentOf(grid).width); // throws where another option is out of its range
}

function wordsOf(
  where: string,
  given: readonly ConditionWord[],
  vocabulary: readonly string[],
): Word[] {
  return given.map((item): Word => {
    const { word, weight } = typeof item === 'string' ? { word: item, weight: 1 } : item;
    checkName(where, word, vocabulary);
    return { id: vocabulary.indexOf(word), weight };
  });
}

type Extend = NonNullable<ImageRequest['position']>['extend'];

/** Throws unless these extensions fit the model's other position methods and the size. */
function extensionsOf(
  extend: Extend,
  { config, positions, trained }: ModelCard,
  size: ImageRequest['size'],
): PositionConfig['extend'] {
  for (const choice of [extend ?? []].flat()) {
    const method = typeof choice === 'string' ? choice : choice.method;
    if (typeof method !== 'string')
      throw new TypeError(
        `position.extend: expected the name of a method, got ${JSON.stringify(choice)}`,
      );
  }
  const own = positions as PositionConfig;
  const chosen = extend as PositionConfig['extend'];
  const { width, heads, depth } = config;
  composePositions(chosen === undefined ? own : { ...own, extend: chosen }, {
    ...{ width, heads, depth },
    trained: gridOf(config, trained),
  }).place(gridOf(config, size), 'sample', { t: 1 });
  return chosen;
}

type Micro = NonNullable<ImageRequest['position']>['micro'];

/** What the network is told of a picture; throws for one that is told nothing. */
function microOf(
  micro: Micro,
  { id, config }: ModelCard,
  size: ImageRequest['size'],
): MicroSize | undefined {
  if (micro === undefined) return undefined;
  if (!config.micro)
    throw new RangeError(
      `position.micro: expected none, as '${id}' is not told of original sizes and cuts, got ${JSON.stringify(micro)}`,
    );
  const { original = size, crop: { top, left } = { top: 0, left: 0 } } = micro;
  if (top >= original.height || left >= original.width)
    throw new RangeError(
      `position.micro.crop: expected a place in the original of ${original.width}x${original.height} pixels, got top ${top}, left ${left}`,
    );
  return {
    original: [original.height, original.width],
    crop: [top, left],
    target: [size.height, size.width],
  };
}

function checkName(where: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const advice =
    near.length > 0 ? `nearest: ${near.join(', ')}` : `known: ${known.slice(0, 20).join(', ')}`;
  throw new RangeError(`${where}: expected a known name, got '${name}'; ${advice}`);
}

function checkOptions(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new RangeError(
        `${where}: expected ${known.join(', ') || 'no options'}, got '${name}'; leave it out`,
      );
}
