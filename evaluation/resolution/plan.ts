/** What a comparison over sizes draws: every model with every method at every size, each with every set of seeds. */
import { chooseMethods } from '../../encoders/positions/choose.ts';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { POSITION_METHODS } from '../../encoders/positions/registry.ts';
import { gridOf, type ModelCard } from '../../generators/model.ts';
import { checkSize } from '../../pipelines/diffusion.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';

/** A position extension, or several at once, by the name that a report gives it. */
export type ExtendMethod = {
  readonly name: string;
  /** Not of `none`, the model without any, and `own`, what its card has. */
  readonly choice?: Extend;
};
type Extend = NonNullable<PositionConfig['extend']>;
export type Arm = { readonly model: ModelCard; readonly extend: string };
export type Cell = Arm & {
  readonly size: Size;
  /** What it is drawn with, in place of the card's. */
  readonly positions: ModelCard['positions'];
  /** Which set of seeds; picture i has the same seed in every cell of a set. */
  readonly seeds: number;
  /** The method whose pictures these are: `none` where the extension changes nothing at this size. */
  readonly drawnBy: string;
};
export type PlanOptions = {
  readonly models: readonly ModelCard[];
  readonly sizes: readonly Size[];
  readonly extend: readonly ExtendMethod[];
  /** Sets of seeds. */
  readonly seeds: number;
  readonly samples: number;
};

/** Fewer give no neighbours to count and no blocks for an error bar. */
export const FEWEST_SAMPLES = 8;

export const sizeName = ({ width, height }: Size): string => `${width}x${height}`;
export const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;
export const isTrained = ({ model, size }: Pick<Cell, 'model' | 'size'>): boolean =>
  sameSize(size, model.trained);

/** The cells in the order in which they are drawn; throws before anything is drawn if one cannot be. */
export function planCells(options: PlanOptions): Cell[] {
  const { models, sizes, extend, seeds, samples } = options;
  if (samples < FEWEST_SAMPLES)
    throw new RangeError(
      `resolution: expected at least ${FEWEST_SAMPLES} samples, got ${samples}; distances of fewer mean nothing`,
    );
  checkOnce(
    'models',
    models.map(({ id }) => id),
  );
  checkOnce('sizes', sizes.map(sizeName));
  checkOnce(
    'extend',
    extend.map(({ name }) => name),
  );
  return models.flatMap((model) => {
    const drawnBy = extend.map((method) =>
      sizes.map((size) => sayingWhose(model, () => effectOf(model, method, size))),
    );
    return sizes.flatMap((size, s) =>
      extend.flatMap((method, e) =>
        Array.from({ length: seeds }, (_, set) => {
          const by = drawnBy[e]![s]!;
          const positions = positionsWith(model, by === 'none' ? { name: 'none' } : method);
          return { model, extend: method.name, positions, size, seeds: set, drawnBy: by };
        }),
      ),
    );
  });
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
  { name, choice }: ExtendMethod,
): ModelCard['positions'] {
  const { extend: _own, ...without } = positions;
  if (choice !== undefined) return { ...without, extend: choice } as ModelCard['positions'];
  return name === 'own' ? positions : without;
}

/** Times at which two placements are held against each other. */
const TIMES = [1, 0.5, 0.01];

/** `none` where a method treats this size as no method does. Throws where it cannot be used. */
function effectOf(model: ModelCard, method: ExtendMethod, size: Size): string {
  checkSize(size, model);
  const { width, heads, depth } = model.config;
  const [grid, trained] = [gridOf(model.config, size), gridOf(model.config, model.trained)];
  const treatment = (positions: ModelCard['positions']) => {
    const config = positions as PositionConfig;
    const composed = composePositions(config, { width, heads, depth, trained });
    const { extensions } = chooseMethods(config, POSITION_METHODS);
    return {
      placed: TIMES.map((t) => composed.place(grid, 'sample', { t })),
      timeShift: composed.timeShift(grid),
      seen: extensions.flatMap(
        ({ method: { seen }, options }) => seen?.({ grid, trained }, options) ?? [],
      ),
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
