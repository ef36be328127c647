/**
 * A grid: every combination of the values of its axes, the last one turning fastest, as requests. What a
 * model cannot do, and what was asked before, is left out with the reason; the rest keep their places.
 */
import { randomInt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import type { BatchInput } from '../jobs/job.ts';
import type { ImageRequest } from '../request.ts';
import { type ColumnName, columnNamed, type PartialDraft, withColumn } from './columns.ts';
import { checkedRequest, chooseModel, Draft } from './draft.ts';
import type { ModelView, Services } from './services.ts';

export const MOST_REQUESTS = 10_000;
const exact = { additionalProperties: false } as const;

export const Grid = Type.Object(
  {
    /** What all have in common. */
    base: Type.Partial(Draft, exact),
    axes: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 64 }),
          values: Type.Array(Type.Union([Type.String({ maxLength: 4000 }), Type.Number()]), {
            minItems: 1,
            maxItems: 1000,
          }),
        },
        exact,
      ),
      { minItems: 1, maxItems: 8 },
    ),
  },
  exact,
);
export type Grid = Static<typeof Grid>;

export type Plan = Pick<BatchInput, 'requests' | 'axes' | 'cells'> & {
  readonly dropped: readonly Dropped[];
};
/** `row` counts combinations from 1, in their order. */
export type Dropped = { readonly row: number; readonly reason: string };

type Axis = { readonly name: ColumnName; readonly values: readonly string[] };

/** All requests of a grid, checked by their models' cards; nothing is started. */
export async function planGrid(grid: Grid, models: Services['models']): Promise<Plan> {
  const axes = readAxes(grid);
  const known = await models.list();
  // What is compared differs in the axes alone: without a seed, chance draws one for all.
  const base = { ...grid.base, seed: grid.base.seed ?? randomInt(2 ** 32) };
  const requests: ImageRequest[] = [];
  const cells: number[] = [];
  const dropped: Dropped[] = [];
  const rowOf = new Map<string, number>();
  const total = sizeOf(axes);
  for (let cell = 0; cell < total; cell++) {
    if (cell % 50 === 49) await setImmediate(); // others want their turn
    const row = cell + 1;
    try {
      const request = await requestOf(base, combination(axes, cell), known, models);
      const before = rowOf.get(JSON.stringify(request));
      if (before !== undefined) throw new RangeError(`the same request as combination ${before}`);
      rowOf.set(JSON.stringify(request), row);
      requests.push(request);
      cells.push(cell);
    } catch (error) {
      if (!isSentence(error)) throw error;
      dropped.push({ row, reason: error.message });
    }
  }
  if (requests.length === 0)
    throw new RangeError(
      `grid: expected a combination that can be made, got none; ${dropped[0]!.reason}`,
    );
  const texts = axes.map(({ name, values }) => ({ name, values: [...values] }));
  return { requests, axes: texts, dropped, ...(dropped.length > 0 && { cells }) };
}

/** A check of outside data speaks in these; anything else is a fault of ours. */
const isSentence = (error: unknown): error is Error =>
  error instanceof RangeError || error instanceof TypeError;

function readAxes({ axes }: Grid): Axis[] {
  const read = axes.map(({ name, values }, i) => ({
    name: columnNamed(name, `grid: 'axes.${i}.name'`),
    values: values.map(String),
  }));
  const twice = read.findIndex(({ name }, i) => read.findIndex((axis) => axis.name === name) !== i);
  if (twice >= 0)
    throw new RangeError(
      `grid: 'axes.${twice}.name': expected each axis once, got '${read[twice]!.name}' again`,
    );
  if (sizeOf(read) > MOST_REQUESTS)
    throw new RangeError(
      `grid: 'axes': expected at most ${MOST_REQUESTS} combinations, got ${sizeOf(read)}; take values away or make two batches`,
    );
  return read;
}

const sizeOf = (axes: readonly Axis[]) => axes.reduce((n, { values }) => n * values.length, 1);

/** Of combination `cell`, the index of its value on each axis: digits of a number, the last one fastest. */
export function placeOf(
  axes: readonly { readonly values: readonly string[] }[],
  cell: number,
): number[] {
  let rest = cell;
  const digits = axes.toReversed().map(({ values }) => {
    const digit = rest % values.length;
    rest = Math.floor(rest / values.length);
    return digit;
  });
  return digits.reverse();
}

const combination = (axes: readonly Axis[], cell: number) =>
  placeOf(axes, cell).map((at, i) => [axes[i]!.name, axes[i]!.values[at]!] as const);

async function requestOf(
  base: PartialDraft,
  values: readonly (readonly [ColumnName, string])[],
  known: readonly ModelView[],
  models: Services['models'],
): Promise<ImageRequest> {
  const named = values.find(([name]) => name === 'model')?.[1];
  const model = chooseModel(known, named ?? base.model ?? known[0]?.id ?? '');
  let draft: PartialDraft = { ...base, model: model.id };
  for (const [name, text] of values) {
    try {
      draft = withColumn(draft, name, text, model.sampling.kind);
    } catch (error) {
      throw new RangeError(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  return checkedRequest({ ...draft, model: model.id }, model, models);
}
