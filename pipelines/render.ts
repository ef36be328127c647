/**
 * From requests to pictures with their recipes: the one entry that command line, workers and measurements share.
 * Pictures that differ in words and seeds alone may share batches, whoever asked for them; none depends on its batch.
 */
import { LRUCache } from 'lru-cache';
import { type ModelCard, readModel } from '../generators/model.ts';
import { drafterFiles } from '../generators/token-drafters.ts';
import { type AnyCard, readTokenGenerator, type TokenCard } from '../generators/token-model.ts';
import { encodePng, type Picture } from '../png.ts';
import { formatParameters, type ImageRequest, type Recipe } from '../request.ts';
import type { Engine } from '../tensor/program.ts';
import { VERSION } from '../version.ts';
import { parametersOf } from './describe.ts';
import { type Asked, createDiffusionPipeline, type DrawOptions } from './diffusion.ts';
import { type AnyEntry, findModel, type ModelList } from './models.ts';
import { type Resolved, resolveDiffusion, resolveTokens } from './resolve.ts';
import { drafterDigestOf } from './token-decoders.ts';
import { createTokenPipeline, type TokenDrawOptions } from './tokens.ts';

export type Rendered = { readonly picture: Picture; readonly recipe: Recipe };
/** Token models alone have passes. */
export type RenderWatch = Pick<TokenDrawOptions, 'onStep' | 'onPass' | 'signal'>;
/** A request in a model's terms, picture by picture. */
export type Plan = {
  readonly entry: AnyEntry;
  /** Pictures of plans with the same key can be drawn together. */
  readonly key: string;
  readonly options: object;
  readonly asked: readonly Asked[];
  readonly recipeOf: (index: number) => Recipe;
};
export type Renderer = {
  /** Renders one request after the other. */
  render(request: ImageRequest, watch?: RenderWatch): Promise<Rendered[]>;
  /** Throws one sentence where the request is not one of a known model. */
  plan(request: ImageRequest): Promise<Plan>;
  /** Pictures of one batch; loads the model. */
  batchOf(plan: Plan): Promise<number>;
  /** Pictures of plans with this plan's key. */
  draw(plan: Plan, asked: readonly Asked[], watch?: RenderWatch): Promise<Picture[]>;
  dispose(): Promise<void>;
};
export type RendererOptions = {
  readonly engine: Engine;
  /** Or how to look for them, at every request. */
  readonly models: ModelList | (() => Promise<ModelList>);
  /** Bytes that models may take together; the least recently used leaves. The latest one always stays. */
  readonly memory?: number;
  readonly watch?: ModelWatch;
};
/** Told of what is in memory. */
export type ModelWatch = {
  /** Milliseconds. */
  readonly now: () => number;
  readonly onLoad: (model: string, seconds: number) => void;
  /** All models that are kept, with the bytes that they are counted as. */
  readonly onKept: (models: readonly { readonly id: string; readonly bytes: number }[]) => void;
};

/** What renders requests of one architecture. */
type Kind<Card, Options> = {
  resolve(request: ImageRequest, card: Card): Resolved<Options>;
  open(engine: Engine, folder: string, card: Card): Promise<Pipeline<Options>>;
};
type Pipeline<Options> = {
  batchOf(options: Options): number;
  draw(asked: readonly Asked[], options: Options & RenderWatch): Promise<Picture[]>;
  dispose(): Promise<void>;
};
const DIFFUSION = {
  resolve: resolveDiffusion,
  open: async (engine, folder) =>
    createDiffusionPipeline({ engine, model: await readModel(folder) }),
} satisfies Kind<ModelCard, DrawOptions> as Kind<AnyCard, object>;
const KINDS: Readonly<Record<AnyCard['architecture'], Kind<AnyCard, object>>> = {
  dit: DIFFUSION,
  fit: DIFFUSION,
  ar: {
    resolve: resolveTokens,
    open: async (engine, folder, card) =>
      createTokenPipeline({
        engine,
        model: await readTokenGenerator(folder, card),
        drafters: drafterFiles(folder, card),
      }),
  } satisfies Kind<TokenCard, TokenDrawOptions> as Kind<AnyCard, object>,
};

/** Throws naming the nearest where a name is not known to the model. */
export const resolveRequest = (request: ImageRequest, card: AnyCard): Resolved<object> =>
  KINDS[card.architecture].resolve(request, card);

/** A model's memory in terms of its weights: as read, and twice in each of three programs that are kept (constants, prepacked). */
const COPIES = 7;
const MEMORY = 4 * 2 ** 30;

type Loaded = {
  readonly id: string;
  readonly bytes: number;
  readonly pipeline: Promise<Pipeline<object>>;
  busy: Promise<unknown>;
};

/** Keeps models and what was compiled of them between requests. */
export function createRenderer({
  engine,
  models,
  memory = MEMORY,
  watch,
}: RendererOptions): Renderer {
  const leaving = new Set<Promise<void>>();
  const loaded = new LRUCache<string, Loaded>({
    maxSize: memory,
    dispose(old) {
      const gone = closed(old).finally(() => leaving.delete(gone));
      leaving.add(gone);
      tellKept();
    },
  });
  /** When what is going on with them is over. */
  const tellKept = () =>
    queueMicrotask(() =>
      watch?.onKept([...loaded.values()].map(({ id, bytes }) => ({ id, bytes }))),
    );
  const load = ({ folder, card }: AnyEntry): Loaded => {
    const key = `${folder} ${card.digest}`;
    const found = loaded.get(key);
    if (found) return found;
    const pipeline = Promise.all(leaving).then(async () => {
      const began = watch?.now() ?? 0;
      const opened = await KINDS[card.architecture].open(engine, folder, card);
      watch?.onLoad(card.id, (watch.now() - began) / 1000);
      return opened;
    });
    const bytes = 4 * COPIES * parametersOf(card);
    const fresh = { id: card.id, bytes, pipeline, busy: Promise.resolve() };
    loaded.set(key, fresh, { size: Math.min(memory, bytes) });
    pipeline.then(tellKept, () => loaded.delete(key)); // a damaged file may be restored
    return fresh;
  };
  const renderer: Renderer = {
    async plan(request) {
      const list = typeof models === 'function' ? await models() : models;
      const entry = findModel(request.model, list);
      const { asked, count, options } = resolveRequest(request, entry.card);
      return {
        entry,
        key: JSON.stringify([entry.folder, entry.card.digest, options]),
        options,
        asked: Array.from({ length: count }, (_, i) => ({ ...asked, seed: asked.seed + i })),
        recipeOf: (i) =>
          recipeOf({ ...request, seed: request.seed + i, count: 1 }, entry.card, engine),
      };
    },
    batchOf: async ({ entry, options }) => (await load(entry).pipeline).batchOf(options),
    async draw({ entry, options }, asked, how = {}) {
      const model = load(entry);
      const drawing = model.pipeline.then((one) => one.draw(asked, { ...options, ...how }));
      model.busy = Promise.allSettled([model.busy, drawing]);
      return drawing;
    },
    async render(request, how) {
      const plan = await renderer.plan(request);
      const pictures = await renderer.draw(plan, plan.asked, how);
      return pictures.map((picture, i) => ({ picture, recipe: plan.recipeOf(i) }));
    },
    async dispose() {
      loaded.clear();
      await Promise.all(leaving);
    },
  };
  return renderer;
}

/** Ends what is drawn, then lets go; a model that could not be loaded holds nothing. */
async function closed({ pipeline, busy }: Loaded): Promise<void> {
  await busy;
  await pipeline.then(
    (one) => one.dispose(),
    () => undefined,
  );
}

/** Renders one request and forgets what it compiled. */
export async function render(
  request: ImageRequest,
  { engine, models, ...watch }: Pick<RendererOptions, 'engine' | 'models'> & RenderWatch,
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
  card: AnyCard,
  { name, provider }: Pick<Engine, 'name' | 'provider'>,
): Recipe {
  const drafter = drafterDigestOf(request.sampling, card);
  return {
    ...{ version: 1, digest: card.digest, ...(drafter === undefined ? {} : { drafter }) },
    ...{ software: `ropewalk ${VERSION}`, engine: name, provider, request: inOrder(request) },
  };
}

/** The same value with the keys of all its objects by name, so that one request has one text, however it was written. */
function inOrder<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(inOrder) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)])) as Value;
}

/** The PNG of a picture, with its recipe and the text that other tools read. */
export const fileOf = ({ picture, recipe }: Rendered): Promise<Buffer> =>
  encodePng(picture, { recipe, parameters: formatParameters(recipe) });
