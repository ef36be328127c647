/**
 * Batches of packed pictures: each picture has a view, a time, noise and a condition of its own, and a
 * place in a row. Everything random about batch k comes from the stream `step/k`, so a run continues
 * from a number alone.
 */
import { dropWords } from '../encoders/conditioning/attributes.ts';
import type { ObjectiveConfig } from '../generators/model.ts';
import type { HostTensor } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { createOrder, toFloats } from './batches.ts';
import type { Dataset } from './data/dataset.ts';
import { drawTime, noisePicture, type TimeDraw } from './objective.ts';
import { type Place, packRows, type Rows, toTokens } from './packing.ts';
import { chooseView, type Seen, see, type View } from './views.ts';

export type PackedBatchOptions = {
  /** Pictures that are offered to a batch's rows. */
  readonly batch: number;
  readonly packed: Rows;
  readonly accumulate?: number;
  readonly objective: ObjectiveConfig;
  readonly time: TimeDraw;
  readonly drop: { readonly all: number; readonly some: number };
  readonly flip: boolean;
  readonly views: readonly View[];
  /** Where a view finds the pictures of its side. */
  readonly pictures: (side: number) => Dataset;
  readonly patch: number;
  /** Coordinates [T, 2] of a picture's tokens. */
  readonly coordinates: (rng: Rng, view: View, tokens: Seen['tokens']) => HostTensor;
};
const NAMES = ['tokens', 'target', 'mask', 'coordinates', 'weight', 't', 'condition'] as const;
export type PackedBatch = Readonly<Record<(typeof NAMES)[number], HostTensor>>;

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
  const { batch, packed, accumulate = 1, views, patch } = options;
  const always = new Set(
    data.vocabulary.flatMap((word, id) => (word.startsWith('style=') ? [id] : [])),
  );
  const order = createOrder(data.length, rng);
  const smallest = Math.min(...views.map(({ size: [h, w] }) => (h * w) / patch ** 2));
  const perRow = Math.min(batch, Math.floor(packed.length / smallest));
  return (step) => {
    const draw = rng.stream(`step/${step}`);
    const ofRun = Math.floor(step / accumulate) + 1;
    const chosen = Array.from({ length: batch }, (_, i) =>
      chooseView(views, ofRun, draw.stream(`view/${i}`).uniform()),
    );
    const places = packRows(
      chosen.map(({ size: [h, w] }) => (h * w) / patch ** 2),
      packed,
    );
    const ready = places.map((place, i): Place & Ready => {
      const index = order(step * batch + i);
      return {
        ...place,
        ...prepare(data, index, chosen[i]!, draw.stream(`${i}`), options, always),
      };
    });
    return joined(ready, { ...packed, perRow, words: data.vocabulary.length });
  };
}

function prepare(
  data: Dataset,
  index: number,
  view: View,
  rng: Rng,
  { objective, time, drop, flip, pictures, patch, coordinates }: PackedBatchOptions,
  always: ReadonlySet<number>,
): Ready {
  const t = drawTime(time, rng);
  const mirrored = flip && rng.uniform() < 0.5;
  const source = pictures(view.of).pixels(index);
  const seen = see(view, source, patch, { rng: rng.stream('view'), mirrored });
  const clean = toTokens(toFloats(seen.pixels), view.size, patch);
  const [x, target] = [new Float32Array(clean.length), new Float32Array(clean.length)];
  const weight = noisePicture(objective, clean, rng.normals(clean.length), t, { x, target });
  const places = coordinates(rng.stream('coordinates'), view, seen.tokens);
  return {
    ...{ x, target, weight, t },
    words: dropWords(data.words(index), always, rng.stream('words'), drop),
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
