/**
 * Does a layer know where its tokens are? A linear probe reads row and column off hidden states (ridge regression in
 * closed form, fitted on half of the pictures, measured on the others): the mean absolute error in cells, beside that
 * of always guessing the middle. With shuffled labels it must do no better than that. The ridge is the one that does best
 * on a part of the first half.
 */
import { type Rows, rowProducts, transposeRows } from '../../tensor/rows.ts';
import { symmetricEigen } from '../../tensor/symmetric-eigen.ts';
import type { Places, States } from './places.ts';

export type Probe = {
  /** Mean absolute error over both axes, in cells. */
  readonly error: number;
  /** Of guessing the middle. */
  readonly chance: number;
};
export type ProbeOptions = {
  /** The place that token i of picture b is said to have. Default: its own. */
  readonly label?: (token: number, picture: number) => number;
};

export function probePlaces(
  states: States,
  places: Places,
  { label = (token) => token }: ProbeOptions = {},
): Probe {
  const { pictures, tokens } = states;
  const half = pictures >> 1;
  if (half < 1) throw new RangeError(`probe: expected at least 2 pictures, got ${pictures}`);
  const targets = (from: number, to: number) => {
    const said = Array.from({ length: (to - from) * tokens }, (_, i) =>
      label(i % tokens, from + Math.floor(i / tokens)),
    );
    const of = (axis: Float64Array) => said.map((place) => axis[place]!);
    const data = Float64Array.from([...of(places.y), ...of(places.x)]);
    return { data, count: 2, width: said.length }; // [2, n]
  };
  const fitted = (from: number, to: number) =>
    ridgeFit(rowsOf(states, from, to), targets(from, to));
  const error = (predict: Predict, from: number, to: number) =>
    meanError(predict(rowsOf(states, from, to)), targets(from, to));
  const inner = Math.max(1, Math.ceil((half * 3) / 4));
  const trial = fitted(0, inner);
  const errors = RIDGES.map((ridge) => (inner < half ? error(trial(ridge), inner, half) : 0));
  const ridge = RIDGES[errors.indexOf(Math.min(...errors))]!;
  const truth = targets(half, pictures);
  const middles = [(places.height - 1) / 2, (places.width - 1) / 2];
  const middle = truth.data.map((_, i) => middles[i < truth.width ? 0 : 1]!);
  return {
    error: error(fitted(0, half)(ridge), half, pictures),
    chance: meanError({ ...truth, data: middle }, truth),
  };
}

/** In parts of the mean variance of the states; the largest first, for where none can be told from another. */
const RIDGES = [1, 0.1, 0.01, 0.001];
type Predict = (test: Rows) => Rows;

const meanError = (said: Rows, truth: Rows): number =>
  truth.data.reduce((sum, value, i) => sum + Math.abs(said.data[i]! - value), 0) /
  truth.data.length;

/** Tokens of some pictures as rows, [n, C]. */
function rowsOf({ data, tokens, width }: States, from: number, to: number): Rows {
  const start = from * tokens * width;
  const length = (to - from) * tokens * width;
  return {
    data: Float64Array.from({ length }, (_, i) => data[start + i]!),
    count: (to - from) * tokens,
    width,
  };
}

/** Least squares: [n, C] and [2, n] -> by its ridge a function [m, C] -> [2, m]. */
function ridgeFit(train: Rows, target: Rows): (ridge: number) => Predict {
  const { count: n, width: C } = train;
  const mean = new Float64Array(C);
  for (const [i, value] of train.data.entries()) mean[i % C]! += value / n;
  const centred = (rows: Rows): Rows => {
    return { ...rows, data: rows.data.map((value, i) => value - mean[i % C]!) };
  };
  const across = transposeRows(centred(train)); // [C, n]
  const middles = [0, 1].map((k) =>
    target.data.subarray(k * n, (k + 1) * n).reduce((sum, value) => sum + value / n, 0),
  );
  const goals = { ...target, data: target.data.map((v, i) => v - middles[Math.floor(i / n)]!) };
  const { values, vectors } = symmetricEigen(rowProducts(across, across)); // of X^T X
  const size = values.reduce((sum, value) => sum + value, 0) / C;
  const along = rowProducts(vectors, rowProducts(goals, across)); // [C, 2]
  return (ridge) => {
    const solved = along.data.map(
      (value, i) => value / (values[Math.floor(i / 2)]! + ridge * size || 1),
    );
    const weights = rowProducts(transposeRows({ ...along, data: solved }), transposeRows(vectors)); // [2, C]
    return (test) => {
      const said = rowProducts(weights, centred(test)); // [2, m]
      return { ...said, data: said.data.map((v, i) => v + middles[Math.floor(i / test.count)]!) };
    };
  };
}
