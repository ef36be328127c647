/** What a comparison over sizes draws: every model with every method at every size, each with every set of seeds. */
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { gridOf, type ModelCard } from '../../generators/model.ts';
import { checkSize } from '../../pipelines/diffusion.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';

/** `none` is the model without any extension, `own` with the one that its card has. */
export type Arm = { readonly model: ModelCard; readonly extend: string };
export type Cell = Arm & {
  readonly size: Size;
  /** Which set of seeds; picture i has the same seed in every cell of a set. */
  readonly seeds: number;
  /** The method whose pictures these are: `none` where the extension changes nothing at this size. */
  readonly drawnBy: string;
};
export type PlanOptions = {
  readonly models: readonly ModelCard[];
  readonly sizes: readonly Size[];
  readonly extend: readonly string[];
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
  checkOnce('extend', extend);
  return models.flatMap((model) => {
    const drawnBy = extend.map((method) =>
      sizes.map((size) => sayingWhose(model, () => effectOf({ model, extend: method }, size))),
    );
    return sizes.flatMap((size, s) =>
      extend.flatMap((method, e) =>
        Array.from({ length: seeds }, (_, set) => ({
          model,
          extend: method,
          size,
          seeds: set,
          drawnBy: drawnBy[e]![s]!,
        })),
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
export function positionsWith({ model, extend }: Arm): ModelCard['positions'] {
  const { extend: own, ...without } = model.positions;
  if (extend === 'none') return without;
  return { ...without, ...(extend === 'own' ? (own ? { extend: own } : {}) : { extend }) };
}

/** Times at which two placements are held against each other. */
const TIMES = [1, 0.5, 0.01];

/** `none` where a method places the tokens of this size as no method does. Throws where it cannot be used. */
function effectOf(arm: Arm, size: Size): string {
  const { model, extend } = arm;
  checkSize(size, model);
  const placements = (positions: ModelCard['positions']) => {
    const { width, heads, depth } = model.config;
    const composed = composePositions(positions as PositionConfig, {
      ...{ width, heads, depth },
      trained: gridOf(model.config, model.trained),
    });
    return TIMES.map((t) => composed.place(gridOf(model.config, size), 'sample', { t }));
  };
  const [mine, plain] = [
    placements(positionsWith(arm)),
    placements(positionsWith({ model, extend: 'none' })),
  ];
  return JSON.stringify(mine) === JSON.stringify(plain) ? 'none' : extend;
}

/** Seeds of the pictures of a set: the same for every model, method and size. */
export function seedsOf(set: number, samples: number): number[] {
  const rng = createRng(0).stream('resolution').stream(`set/${set}`);
  return Array.from({ length: samples }, (_, i) => rng.stream(`picture/${i}`).uint32());
}
