/**
 * Batches of noisy pictures. Everything random about step k comes from the stream `step/k` and its
 * pictures from the permutation of the epoch that k falls in, so a run continues from a number alone.
 */
import { bagOfWords, dropWords } from '../encoders/conditioning/attributes.ts';
import type { ObjectiveConfig } from '../generators/model.ts';
import { SCHEDULES } from '../sampling/diffusion/registry.ts';
import type { Schedule } from '../sampling/diffusion/solver.ts';
import type { HostTensor } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { drawTime, noisePicture, type TimeDraw } from './objective.ts';
import { BOUND_WIDTH, boundOf, snapTime } from './variational.ts';

export type BatchOptions = {
  readonly batch: number;
  readonly objective: ObjectiveConfig;
  readonly time: TimeDraw;
  /** Chance to leave the whole condition out, and each attribute in half of the pictures. */
  readonly drop: { readonly all: number; readonly some: number };
  /** Mirrors half of the pictures: only where no attribute says left or right. */
  readonly flip: boolean;
  /** The network learns variances: times are multiples of 1/1000, and batches hold their bounds. */
  readonly variance?: boolean;
  /** Draws the coordinates [T, 2] of one picture's tokens, where each picture has its own. */
  readonly coordinates?: (rng: Rng) => HostTensor;
};
export type Batch = Readonly<Record<'x' | 't' | 'condition' | 'target' | 'weight', HostTensor>> & {
  /** [B, T, 2] */
  readonly coordinates?: HostTensor;
  /** With learned variances: the clean pictures, and rows of `boundOf` [B, 4]. */
  readonly clean?: HostTensor;
  readonly bound?: HostTensor;
};
export type Batches = (step: number) => Batch;

export function createBatches(data: Dataset, rng: Rng, options: BatchOptions): Batches {
  const { batch, objective, time, drop, flip, variance = false, coordinates } = options;
  const { size } = data;
  const length = size * size * 3;
  const always = stylesOf(data.vocabulary);
  const order = createOrder(data.length, rng);
  const schedule = SCHEDULES[objective.schedule]();
  return (step) => {
    const draw = rng.stream(`step/${step}`);
    const own = (row: number) => draw.stream(`coordinates/${row}`);
    const x = new Float32Array(batch * length);
    const target = new Float32Array(batch * length);
    const t = new Float32Array(batch);
    const weight = new Float32Array(batch);
    const pictures = new Float32Array(variance ? batch * length : 0);
    const rows = Array.from({ length: batch }, (_, row) => {
      const index = order(step * batch + row);
      t[row] = variance ? snapTime(drawTime(time, draw)) : drawTime(time, draw);
      const clean = toFloats(data.pixels(index), size, flip && draw.uniform() < 0.5);
      const part = (all: Float32Array) => all.subarray(row * length, (row + 1) * length);
      if (variance) part(pictures).set(clean);
      weight[row] = noisePicture(objective, clean, draw.normals(length), t[row]!, {
        x: part(x),
        target: part(target),
      });
      return dropWords(data.words(index), always, draw, drop).map((id) => ({ id }));
    });
    const shape = [batch, size, size, 3];
    return {
      x: { data: x, shape },
      t: { data: t, shape: [batch] },
      condition: bagOfWords(rows, data.vocabulary.length),
      target: { data: target, shape },
      weight: { data: weight, shape: [batch] },
      ...(variance ? { clean: { data: pictures, shape }, bound: boundsOf(schedule, t) } : {}),
      // Streams of their own, so that all else is drawn as without them.
      ...(coordinates ? { coordinates: stack(rows.map((_, row) => coordinates(own(row)))) } : {}),
    };
  };
}

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

/** Bytes of RGB -> [-1, 1], mirrored on request. */
export function toFloats(pixels: Uint8Array, size: number, mirrored: boolean): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = 3 * (y * size + (mirrored ? size - 1 - x : x));
      const to = 3 * (y * size + x);
      for (let c = 0; c < 3; c++) out[to + c] = pixels[from + c]! / 127.5 - 1;
    }
  }
  return out;
}

/** The n-th picture ever asked for: every epoch is a permutation of its own. */
export function createOrder(length: number, rng: Rng): (n: number) => number {
  let epoch = -1;
  let permutation: Int32Array = new Int32Array(0);
  return (n) => {
    const wanted = Math.floor(n / length);
    if (wanted !== epoch) {
      epoch = wanted;
      permutation = shuffled(length, rng.stream(`epoch/${epoch}`));
    }
    return permutation[n % length]!;
  };
}

function shuffled(length: number, rng: Rng): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
