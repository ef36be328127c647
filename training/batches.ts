/**
 * Batches of noisy pictures. Everything random about batch k comes from the stream `step/k`, and what it
 * shows from k (showing.ts), so a run continues from a number alone.
 */
import { bagOfWords, dropWords } from '../encoders/conditioning/attributes.ts';
import { microRows } from '../encoders/conditioning/micro.ts';
import type { ObjectiveConfig } from '../generators/model.ts';
import { toFloats } from '../png.ts';
import { SCHEDULES } from '../sampling/diffusion/registry.ts';
import type { Schedule } from '../sampling/diffusion/solver.ts';
import type { HostTensor } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { drawTime, noisePicture, type TimeDraw } from './objective.ts';
import { isShaped, type ShownViews, showBuckets, showViews } from './showing.ts';
import { BOUND_WIDTH, boundOf, snapTime } from './variational.ts';
import type { Seen, View } from './views.ts';

export type BatchOptions = {
  readonly batch: number;
  /** Batches of a step. @default 1 */
  readonly accumulate?: number;
  readonly objective: ObjectiveConfig;
  readonly time: TimeDraw;
  /**
   * Chance to leave the whole condition out, each attribute in half of the pictures, and (default 0)
   * what is said of a picture's size.
   */
  readonly drop: { readonly all: number; readonly some: number; readonly size?: number };
  /** Mirrors half of the pictures: only where no attribute says left or right. */
  readonly flip: boolean;
  /** The network learns variances: times are multiples of 1/1000, and batches hold their bounds. */
  readonly variance?: boolean;
  /** The coordinates [T, 2] of one picture's tokens, where each picture of the view has its own. */
  readonly coordinates?: (
    rng: Rng,
    view: Pick<View, 'size' | 'of'>,
    tokens: Seen['tokens'],
  ) => HostTensor | undefined;
  /** Shift of the times that are drawn for pictures placed as ones of [height, width] px. @default 1 */
  readonly timeShift?: (placed: View['placed']) => number;
  /** Views, one a step. Default: whole pictures. Pictures of their own shapes have none. */
  readonly seen?: Pick<ShownViews, 'views' | 'pictures' | 'patch'>;
  /** Says what is seen of a picture (encoders/conditioning/micro.ts). */
  readonly micro?: boolean;
};
export type Batch = Readonly<Record<'x' | 't' | 'condition' | 'target' | 'weight', HostTensor>> & {
  /** [B, T, 2] */
  readonly coordinates?: HostTensor;
  /** [B, 7] */
  readonly micro?: HostTensor;
  /** With learned variances: the clean pictures, and rows of `boundOf` [B, 4]. */
  readonly clean?: HostTensor;
  readonly bound?: HostTensor;
};
export type Batches = (step: number) => Batch;

export function createBatches(data: Dataset, rng: Rng, options: BatchOptions): Batches {
  const { objective, time, drop, flip, variance = false } = options;
  const { batch: most, accumulate = 1, coordinates, micro = false } = options;
  const { timeShift = () => 1 } = options;
  const whole = { views: [wholeOf(data.size, most)], pictures: () => data, patch: 1 };
  const show = isShaped(data)
    ? showBuckets(data, rng, most)
    : showViews(data.length, rng, { batch: most, accumulate, ...(options.seen ?? whole) });
  const always = stylesOf(data.vocabulary);
  const schedule = SCHEDULES[objective.schedule]();
  return (step) => {
    const draw = rng.stream(`step/${step}`);
    // Streams of their own for what not every run has, so that all else is drawn as without it.
    const own = (what: string, row: number) => draw.stream(`${what}/${row}`);
    const shown = show(step);
    const batch = shown.pictures.length;
    const length = shown.size[0] * shown.size[1] * 3;
    const shift = timeShift(shown.placed);
    const x = new Float32Array(batch * length);
    const target = new Float32Array(batch * length);
    const t = new Float32Array(batch);
    const weight = new Float32Array(batch);
    const clean = new Float32Array(variance ? batch * length : 0);
    const seen: Seen[] = [];
    const rows = shown.pictures.map((index, row) => {
      const drawn = drawTime(time, draw, shift);
      t[row] = variance ? snapTime(drawn) : drawn;
      const mirrored = flip && draw.uniform() < 0.5;
      seen[row] = shown.see(index, { rng: own('view', row), mirrored });
      const picture = toFloats(seen[row].pixels);
      const part = (all: Float32Array) => all.subarray(row * length, (row + 1) * length);
      if (variance) part(clean).set(picture);
      weight[row] = noisePicture(objective, picture, draw.normals(length), t[row]!, {
        x: part(x),
        target: part(target),
      });
      return dropWords(data.words(index), always, draw, drop).map((id) => ({ id }));
    });
    const shape = [batch, ...shown.size, 3];
    const told = (row: number) =>
      own('size', row).uniform() < (drop.size ?? 0) ? undefined : seen[row]!.size;
    const placed = coordinates
      ? rows.map((_, row) => coordinates(own('coordinates', row), shown, seen[row]!.tokens))
      : [];
    return {
      x: { data: x, shape },
      t: { data: t, shape: [batch] },
      condition: bagOfWords(rows, data.vocabulary.length),
      target: { data: target, shape },
      weight: { data: weight, shape: [batch] },
      ...(variance ? { clean: { data: clean, shape }, bound: boundsOf(schedule, t) } : {}),
      ...(placed[0] ? { coordinates: stack(placed as HostTensor[]) } : {}),
      ...(micro ? { micro: microRows(rows.map((_, row) => told(row))) } : {}),
    };
  };
}

const wholeOf = (side: number, batch: number): View => ({
  ...{ how: 'full', size: [side, side], of: side, placed: [side, side], share: 1, batch },
  ...{ from: 1, until: Number.POSITIVE_INFINITY },
});

/** Tensors of one shape as the rows of one. */
function stack(tensors: readonly HostTensor[]): HostTensor {
  const { data, shape } = tensors[0]!;
  const all = new Float32Array(tensors.length * data.length);
  for (const [row, tensor] of tensors.entries()) all.set(tensor.data, row * data.length);
  return { data: all, shape: [tensors.length, ...shape] };
}

const stylesOf = (vocabulary: readonly string[]): ReadonlySet<number> =>
  new Set(vocabulary.flatMap((word, id) => (word.startsWith('style=') ? [id] : [])));

/** What the variational bound needs to know of each picture's step, [B, 4]. */
const boundsOf = (schedule: Schedule, t: Float32Array): HostTensor => ({
  data: Float32Array.from([...t].flatMap((time) => boundOf(schedule, time))),
  shape: [t.length, BOUND_WIDTH],
});
