/**
 * Batches of packed pictures: each picture has a view, a time, noise and a condition of its own, and a
 * place in a row. Everything random about batch k comes from the stream `step/k`, so a run continues
 * from a number alone.
 */
import { dropWords } from '../encoders/conditioning/attributes.ts';
import type { ObjectiveConfig } from '../generators/model.ts';
import { toFloats } from '../png.ts';
import type { HostTensor } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { drawTime, noisePicture, type TimeDraw } from './objective.ts';
import { type Place, packRows, type Rows, toTokens } from './packing.ts';
import { createOrder, isShaped, type Shaped } from './showing.ts';
import { chooseView, type Seeing, type Seen, see, seeOwn, type View } from './views.ts';

export type PackedBatchOptions = {
  /** Pictures that are offered to a batch's rows. */
  readonly batch: number;
  readonly packed: Rows;
  readonly accumulate?: number;
  readonly objective: ObjectiveConfig;
  readonly time: TimeDraw;
  /** Shift of the times that are drawn for pictures placed as ones of [height, width] px. @default 1 */
  readonly timeShift?: (placed: View['placed']) => number;
  readonly drop: { readonly all: number; readonly some: number };
  readonly flip: boolean;
  /** Of pictures that have no shapes of their own. */
  readonly views: readonly View[];
  /** Where a view finds the pictures of its side. */
  readonly pictures: (side: number) => Dataset;
  readonly patch: number;
  /** Coordinates [T, 2] of a picture's tokens. */
  readonly coordinates: (
    rng: Rng,
    view: Pick<View, 'size' | 'of'>,
    tokens: Seen['tokens'],
  ) => HostTensor;
};
const NAMES = ['tokens', 'target', 'mask', 'coordinates', 'weight', 't', 'condition'] as const;
export type PackedBatch = Readonly<Record<(typeof NAMES)[number], HostTensor>>;

/** A picture that is offered to a batch's rows. */
type Offered = Pick<View, 'size' | 'of' | 'placed'> & {
  readonly index: number;
  see(options: Seeing): Seen;
};
/** Those of a batch, of which the first are taken, as many as have room; `draw` is its stream. */
type Offer = (step: number, draw: Rng) => Offered[];

/** One picture, ready for its place. */
type Ready = {
  readonly x: Float32Array;
  readonly target: Float32Array;
  readonly weight: number;
  readonly t: number;
  readonly words: readonly number[];
  readonly coordinates: Float32Array;
};

export function createPackedBatches(
  data: Dataset,
  rng: Rng,
  options: PackedBatchOptions,
): (step: number) => PackedBatch {
  const { batch, packed, patch } = options;
  const always = new Set(
    data.vocabulary.flatMap((word, id) => (word.startsWith('style=') ? [id] : [])),
  );
  const order = createOrder(data.length, rng);
  const [offer, sizes] = isShaped(data)
    ? [
        offerOwn(data, order, options),
        Array.from({ length: data.length }, (_, i) => data.shape(i).cut),
      ]
    : [offerViews(order, options), options.views.map(({ size }) => size)];
  const smallest = sizes.reduce((least, size) => Math.min(least, tokensOf(size, patch)), Infinity);
  const perRow = Math.min(batch, Math.floor(packed.length / smallest));
  return (step) => {
    const draw = rng.stream(`step/${step}`);
    const offered = offer(step, draw);
    const places = packRows(
      offered.map(({ size }) => tokensOf(size, patch)),
      packed,
    );
    const ready = places.map((place, i): Place & Ready => ({
      ...place,
      ...prepare(data, offered[i]!, draw.stream(`${i}`), options, always),
    }));
    return joined(ready, { ...packed, perRow, words: data.vocabulary.length });
  };
}

const tokensOf = ([height, width]: View['size'], patch: number): number =>
  (height * width) / patch ** 2;

/** As many a step, each with a view of its own. */
function offerViews(
  order: (n: number) => number,
  { batch, accumulate = 1, views, pictures, patch }: PackedBatchOptions,
): Offer {
  return (step, draw) =>
    Array.from({ length: batch }, (_, i) => {
      const ofRun = Math.floor(step / accumulate) + 1;
      const view = chooseView(views, ofRun, draw.stream(`view/${i}`).uniform());
      const index = order(step * batch + i);
      const look = (options: Seeing) => see(view, pictures(view.of).pixels(index), patch, options);
      return { size: view.size, of: view.of, placed: view.placed, index, see: look };
    });
}

/**
 * Pictures of their own sizes: a batch begins with the first that had no room in the one before, so each
 * is shown once an epoch. Where a batch begins is counted from the first one on; only sizes are needed.
 */
function offerOwn(
  data: Shaped,
  order: (n: number) => number,
  { batch, packed, patch }: PackedBatchOptions,
): Offer {
  const begins = [0];
  const from = (start: number) => Array.from({ length: batch }, (_, i) => order(start + i));
  return (step) => {
    while (begins.length <= step) {
      const start = begins.at(-1)!;
      const lengths = from(start).map((index) => tokensOf(data.shape(index).cut, patch));
      begins.push(start + packRows(lengths, packed).length);
    }
    return from(begins[step]!).map((index) => {
      const shape = data.shape(index);
      const look = (options: Seeing) => seeOwn(data.pixels(index), shape, options);
      const { cut } = shape;
      return { size: cut, of: Math.min(...cut), placed: cut, index, see: look };
    });
  };
}

function prepare(
  data: Dataset,
  offered: Offered,
  rng: Rng,
  { objective, time, timeShift = () => 1, drop, flip, patch, coordinates }: PackedBatchOptions,
  always: ReadonlySet<number>,
): Ready {
  const t = drawTime(time, rng, timeShift(offered.placed));
  const mirrored = flip && rng.uniform() < 0.5;
  const seen = offered.see({ rng: rng.stream('view'), mirrored });
  const clean = toTokens(toFloats(seen.pixels), offered.size, patch);
  const [x, target] = [new Float32Array(clean.length), new Float32Array(clean.length)];
  const weight = noisePicture(objective, clean, rng.normals(clean.length), t, { x, target });
  const places = coordinates(rng.stream('coordinates'), offered, seen.tokens);
  return {
    ...{ x, target, weight, t },
    words: dropWords(data.words(offered.index), always, rng.stream('words'), drop),
    coordinates: places.data as Float32Array,
  };
}

type Shape = Rows & { readonly perRow: number; readonly words: number };

function joined(
  pictures: readonly (Place & Ready)[],
  { rows, length, perRow, words }: Shape,
): PackedBatch {
  const cells = pictures[0]!.x.length / (pictures[0]!.coordinates.length / 2);
  const zeros = (...shape: number[]) => ({
    data: new Float32Array(shape.reduce((a, b) => a * b)),
    shape,
  });
  const all = {
    tokens: zeros(rows, length, cells),
    target: zeros(rows, length, cells),
    mask: zeros(rows, length),
    coordinates: zeros(rows, length, 2),
    weight: zeros(rows, length),
    t: zeros(rows, perRow),
    condition: zeros(rows, perRow, words),
  } satisfies PackedBatch;
  for (const { row, number, start, ...own } of pictures) {
    const at = row * length + start;
    const end = at + own.coordinates.length / 2;
    all.tokens.data.set(own.x, at * cells);
    all.target.data.set(own.target, at * cells);
    all.coordinates.data.set(own.coordinates, 2 * at);
    all.mask.data.fill(number, at, end);
    // Mean over pictures of the mean over their numbers.
    all.weight.data.fill(own.weight / (own.x.length * pictures.length), at, end);
    const picture = row * perRow + number - 1;
    all.t.data[picture] = own.t;
    for (const id of own.words) all.condition.data[picture * words + id] = 1;
  }
  return all;
}
