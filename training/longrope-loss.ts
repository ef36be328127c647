/**
 * The denoising loss of a model at a size by the factors of its frequencies, for LongRoPE's search: the
 * same pictures, noise and times for all of them, and one program whose frequencies are an input.
 */
import { chooseMethods } from '../encoders/positions/choose.ts';
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import { POSITION_METHODS } from '../encoders/positions/registry.ts';
import { constantOf } from '../generators/compile.ts';
import { forwardDiT } from '../generators/dit.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import { ditCard, gridOf, type Model } from '../generators/model.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { createBatches } from './batches.ts';
import type { Dataset } from './data/dataset.ts';
import { type Factors, longropeSeeds, type SearchOptions } from './longrope-search.ts';
import { createObjective } from './objective.ts';

export type FactorLoss = Pick<SearchOptions, 'seeds' | 'limits' | 'loss'> & {
  dispose(): Promise<void>;
};
export type FactorLossOptions = {
  readonly engine: Engine;
  readonly model: Model;
  /** Pictures of the size in question, with the model's words. */
  readonly data: Dataset;
  /** Of noise and times. */
  readonly seed: number;
  /** Pictures of a call. @default 16 */
  readonly batch?: number;
};

/** Where t is drawn: sigmoid of a normal number, so few pictures are nearly clean or nearly noise. */
const TIME = { mean: 0, std: 1 };

export async function createFactorLoss(options: FactorLossOptions): Promise<FactorLoss> {
  const { engine, model, data, seed, batch = Math.min(16, data.length) } = options;
  const { card, weights } = model;
  checkWords(card, data);
  const config = ditCard(card).config as DiTConfig;
  const grid = gridOf(config, { height: data.size, width: data.size });
  const { positions, search } = positionsOf(model, grid);
  const { coordinates, frequencies, logitScale } = positions.place(grid, 'sample');
  const batches = createBatches(data, createRng(seed), {
    ...{ batch, objective: card.objective, time: TIME, flip: false, variance: config.variance },
    drop: { all: 0, some: 0 },
  });
  const error = createObjective(card.objective, config);
  const count = Math.max(1, Math.floor(data.length / batch));
  const parts = Array.from({ length: count }, (_, i) => batches(i));
  const specs = Object.entries({ ...parts[0]!, frequencies: frequencies! });
  const program = await engine.compile(
    ({ weights: w, inputs }) => {
      const placed = {
        coordinates: constantOf(coordinates),
        frequencies: inputs.frequencies!,
        logitScale,
      };
      const { x, t, condition } = inputs;
      const given = { x: x!, t: t!, condition: condition!, placed, grid };
      return { outputs: { loss: error(forwardDiT(config, positions, w, given), inputs) } };
    },
    { inputs: Object.fromEntries(specs.map(([name, { shape }]) => [name, { shape }])), weights },
    { name: 'loss by factors' },
  );
  return {
    ...search,
    async loss({ y, x }: Factors): Promise<number> {
      const divided = {
        ...frequencies!,
        data: frequencies!.data.map((f, i) => f / [...y, ...x][i]!),
      };
      let total = 0;
      for (const part of parts)
        total += (await program.run({ ...part, frequencies: divided })).loss!.data[0]!;
      return total / count;
    },
    dispose: () => program.dispose(),
  };
}

/** The model's positions without an extension, and where a search for one begins. */
function positionsOf({ card, registry = POSITION_METHODS }: Model, grid: Grid) {
  const own = card.positions as PositionConfig;
  // The extension is chosen too, so that a model with nothing for it to extend is named.
  const { rotate } = chooseMethods({ ...own, extend: 'longrope' }, registry);
  const { width, heads, depth } = card.config;
  const trained = gridOf(card.config, card.trained);
  const positions = composePositions(
    { ...own, extend: [] },
    { width, heads, depth, trained },
    registry,
  );
  const { headSize } = positions;
  const search = longropeSeeds(rotate!.method.frequencies!(headSize, rotate!.options), {
    where: { grid, trained, layer: 0, heads, headSize, prefix: 0 },
    spans: positions.spans(grid),
    base: Number(rotate!.options.base ?? 10000),
  });
  if (Math.max(search.limits.y, search.limits.x) > 1) return { positions, search };
  throw new RangeError(
    `longrope search: expected a size larger than the trained ${card.trained.width}x${card.trained.height}, got one whose places were all trained`,
  );
}

function checkWords({ id, vocabulary }: Model['card'], data: Dataset): void {
  const same =
    vocabulary.length === data.vocabulary.length &&
    vocabulary.every((word, i) => word === data.vocabulary[i]);
  if (same) return;
  throw new RangeError(
    `longrope search: expected pictures with the ${vocabulary.length} words of '${id}', got '${data.name}' with ${data.vocabulary.length} others`,
  );
}
