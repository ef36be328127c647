/**
 * What a comparison over sizes draws: every model with every method at every size, each with every set of seeds; fewer
 * where that is asked for.
 */
import { changePositions } from '../../encoders/positions/choose.ts';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import type { Options } from '../../encoders/positions/contract.ts';
import { gridOf, type ModelCard } from '../../generators/model.ts';
import { checkSize } from '../../pipelines/diffusion.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';

/** One model, or several trainings of one from other seeds, which are compared as one. */
export type TrainedModel = { readonly name: string; readonly trainings: readonly ModelCard[] };
/** A position extension, or several at once, by the name that a report gives it. */
export type ExtendMethod = {
  readonly name: string;
  /** Not of `none`, the model without any, and `own`, what its card has. */
  readonly choice?: Extend;
  /** Options in place of those of the model's own coordinates. */
  readonly coordinates?: Options;
};
type Extend = NonNullable<PositionConfig['extend']>;
/** A model's name and a method's. */
export type Arm = { readonly name: string; readonly extend: string };
export type Cell = Arm & {
  /** The training that draws this set of seeds: the first draws the first, and so on in turn. */
  readonly model: ModelCard;
  readonly size: Size;
  /** What it is drawn with, in place of the card's. */
  readonly positions: ModelCard['positions'];
  /** Which set of seeds; picture i has the same seed in every cell of a set. */
  readonly seeds: number;
  readonly samples: number;
  /** Not where a few pictures are drawn to be looked at alone. */
  readonly measured: boolean;
  /** Of combinations that no training drawing shows, in place of the words of drawings. */
  readonly heldOut?: boolean;
  /** The method whose pictures these are: `none` where the extension changes nothing at this size. */
  readonly drawnBy: string;
};
export type PlanOptions = {
  readonly models: readonly TrainedModel[];
  readonly sizes: readonly Size[];
  readonly extend: readonly ExtendMethod[];
  /** Sets of seeds. */
  readonly seeds: number;
  readonly samples: number;
  /** Sizes at which methods other than `none` are used. Default: all. */
  readonly extendSizes?: readonly Size[];
  /** Sets of seeds of methods other than `none`. Default: all. */
  readonly extendSeeds?: number;
  /** Sizes that are looked at and not measured: a few pictures with every method. */
  readonly sheetSizes?: readonly Size[];
};

/** Fewer give no neighbours to count and no blocks for an error bar. */
export const FEWEST_SAMPLES = 8;
/** Pictures of a cell that are shown. */
export const SHOWN = 4;

export const sizeName = ({ width, height }: Size): string => `${width}x${height}`;
export const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;
export const isTrained = ({ model, size }: Pick<Cell, 'model' | 'size'>): boolean =>
  sameSize(size, model.trained);

/** The cells in the order in which they are drawn; throws before anything is drawn if one cannot be. */
export function planCells(options: PlanOptions): Cell[] {
  const { models, sizes, extend, seeds, samples } = options;
  const { extendSizes = sizes, extendSeeds = seeds, sheetSizes = [] } = options;
  checkPlan({ ...options, extendSizes, extendSeeds, sheetSizes });
  return models.flatMap(({ name, trainings }) => {
    const cellsAt = (size: Size, method: ExtendMethod, measured: boolean): Cell[] => {
      const plain = method.name === 'none';
      if (measured && !plain && !extendSizes.some((one) => sameSize(one, size))) return [];
      const [first] = trainings as [ModelCard];
      const drawnBy = sayingWhose(first, () => effectOf(first, method, size));
      const sets = measured ? (plain ? seeds : extendSeeds) : 1;
      return Array.from({ length: sets }, (_, set) => {
        const model = trainings[set % trainings.length]!;
        const positions = positionsWith(model, drawnBy === 'none' ? { name: 'none' } : method);
        const count = measured ? samples : Math.min(SHOWN, samples);
        const own = { name, extend: method.name, model, size, positions };
        return { ...own, seeds: set, samples: count, measured, drawnBy };
      });
    };
    return [
      ...sizes.flatMap((size) => extend.flatMap((method) => cellsAt(size, method, true))),
      ...sheetSizes.flatMap((size) => extend.flatMap((method) => cellsAt(size, method, false))),
    ];
  });
}

function checkPlan(options: Required<PlanOptions>): void {
  const { models, sizes, extend, seeds, samples, extendSizes, extendSeeds, sheetSizes } = options;
  const refuse = (expected: string, got: string) => {
    throw new RangeError(`resolution: expected ${expected}, got ${got}`);
  };
  if (samples < FEWEST_SAMPLES)
    refuse(`at least ${FEWEST_SAMPLES} samples`, `${samples}; distances of fewer mean nothing`);
  checkOnce(
    'names of models',
    models.map(({ name }) => name),
  );
  for (const model of models) checkTrainings(model, seeds);
  checkOnce(
    'models',
    models.flatMap(({ trainings }) => trainings.map(({ id }) => id)),
  );
  checkOnce('sizes', [...sizes, ...sheetSizes].map(sizeName));
  checkOnce(
    'extend',
    extend.map(({ name }) => name),
  );
  const lost = extendSizes.find((one) => !sizes.some((size) => sameSize(one, size)));
  if (lost) refuse(`sizes of extensions among ${sizes.map(sizeName).join(', ')}`, sizeName(lost));
  if (extendSeeds > seeds)
    refuse(`at most ${seeds} sets of seeds of extensions, those of none`, `${extendSeeds}`);
  const bare = sizes.find((size) => !extendSizes.some((one) => sameSize(one, size)));
  if (bare && !extend.some(({ name }) => name === 'none'))
    refuse(
      `none among the methods, for ${sizeName(bare)}`,
      extend.map(({ name }) => name).join(', '),
    );
}

/** What trainings of one model have in common. */
const SHARED = ['architecture', 'config', 'positions', 'objective', 'trained', 'sampling'] as const;

function checkTrainings({ name, trainings }: TrainedModel, seeds: number): void {
  const [first, ...others] = trainings as [ModelCard, ...ModelCard[]];
  for (const other of others) {
    const differs = SHARED.find((key) => JSON.stringify(first[key]) !== JSON.stringify(other[key]));
    if (differs)
      throw new RangeError(
        `resolution: expected trainings of one model in '${name}', got '${first.id}' and '${other.id}', whose ${differs} differs`,
      );
  }
  if (seeds < trainings.length)
    throw new RangeError(
      `resolution: expected at least ${trainings.length} sets of seeds, one for each training of '${name}', got ${seeds}`,
    );
}

function checkOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.length === 0 || twice !== undefined)
    throw new RangeError(
      `resolution: expected ${what} without repetition, got ${twice === undefined ? 'none' : `'${twice}' twice`}`,
    );
}

function sayingWhose<Value>({ id }: ModelCard, body: () => Value): Value {
  try {
    return body();
  } catch (error) {
    throw new RangeError(`resolution: '${id}': ${(error as Error).message}`, { cause: error });
  }
}

/** The positions of a card with a method in place of its own extension. */
export function positionsWith(
  { positions }: Pick<ModelCard, 'positions'>,
  { name, choice, coordinates }: ExtendMethod,
): ModelCard['positions'] {
  if (name === 'own') return positions;
  const { extend: _own, ...without } = positions;
  const change = { extend: choice, coordinates };
  return changePositions(without as PositionConfig, change) as ModelCard['positions'];
}

/** Times at which two placements are held against each other. */
const TIMES = [1, 0.5, 0.01];

/** `none` where a method treats this size as no method does. Throws where it cannot be used. */
function effectOf(model: ModelCard, method: ExtendMethod, size: Size): string {
  checkSize(size, model);
  const { width, heads, depth } = model.config;
  const [grid, trained] = [gridOf(model.config, size), gridOf(model.config, model.trained)];
  const treatment = (positions: ModelCard['positions']) => {
    const shape = { width, heads, depth, trained };
    const composed = composePositions(positions as PositionConfig, shape);
    return {
      placed: TIMES.map((t) => composed.place(grid, 'sample', { t })),
      timeShift: composed.timeShift(grid),
      seen: composed.seen(grid),
    };
  };
  const [mine, plain] = [method, { name: 'none' }].map((one) =>
    JSON.stringify(treatment(positionsWith(model, one))),
  );
  return mine === plain ? 'none' : method.name;
}

/** Seeds of the pictures of a set: the same for every model, method and size. */
export function seedsOf(set: number, samples: number): number[] {
  const rng = createRng(0).stream('resolution').stream(`set/${set}`);
  return Array.from({ length: samples }, (_, i) => rng.stream(`picture/${i}`).uint32());
}
