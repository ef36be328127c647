/**
 * What each batch of a run shows: pictures of one size, by the number of the batch alone, so that a run
 * that was stopped goes on with the same ones.
 */
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { chooseView, type Seeing, type Seen, see, seeOwn, type View } from './views.ts';

export type Showing = Pick<View, 'size' | 'of' | 'placed'> & {
  /** Places of the pictures in the data set. */
  readonly pictures: readonly number[];
  see(index: number, options: Seeing): Seen;
};
export type Show = (batch: number) => Showing;
/** A data set whose pictures keep their own shapes. */
export type Shaped = Dataset & Required<Pick<Dataset, 'shape'>>;
export const isShaped = (data: Dataset): data is Shaped => data.shape !== undefined;

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

export type ShownViews = {
  readonly views: readonly View[];
  /** Where each view finds the pictures of its side. */
  readonly pictures: (side: number) => Dataset;
  readonly patch: number;
  /** Pictures of the run's batch. */
  readonly batch: number;
  /** Batches of a step, which all show one view. */
  readonly accumulate: number;
};

/** Pictures in the order of the epochs, seen as the step's view has it. */
export function showViews(
  length: number,
  rng: Rng,
  { views, pictures, patch, batch: most, accumulate }: ShownViews,
): Show {
  const order = createOrder(length, rng);
  return (number) => {
    const step = Math.floor(number / accumulate) + 1;
    const view = chooseView(views, step, rng.stream(`view/${step}`).uniform());
    const source = pictures(view.of);
    return {
      ...{ size: view.size, of: view.of, placed: view.placed },
      pictures: Array.from({ length: view.batch }, (_, row) => order(number * most + row)),
      see: (index, options) => see(view, source.pixels(index), patch, options),
    };
  };
}

/**
 * Pictures of one cut a batch: they come along in the order of the epochs, each waits for others of its
 * cut, and a batch goes as soon as it is full. So each is shown once an epoch, whatever is common, and
 * the few that still wait when an epoch ends are first in the next.
 */
export function showBuckets(data: Shaped, rng: Rng, batch: number): Show {
  const order = createOrder(data.length, rng);
  const waiting = new Map<string, number[]>();
  const full: number[][] = [];
  let come = 0;
  return (number) => {
    while (full.length <= number) {
      const index = order(come++);
      const key = data.shape(index).cut.join('x');
      const together = [...(waiting.get(key) ?? []), index];
      waiting.set(key, together.length < batch ? together : []);
      if (together.length === batch) full.push(together);
    }
    const pictures = full[number]!;
    const size = data.shape(pictures[0]!).cut;
    return {
      ...{ size, of: Math.min(...size), placed: size, pictures },
      see: (index, options) => seeOwn(data.pixels(index), data.shape(index), options),
    };
  };
}
