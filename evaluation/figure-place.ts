/**
 * Where the figure of a picture is and how large: the centre of all that is not white, and its spread around that
 * centre, each in parts of the shorter side. A drawing keeps both at every size; a network beyond its size
 * moves figures aside, shrinks them or draws several (ours).
 *
 * A pixel weighs the mean distance of its channels from white, less 0.02, so that a grey veil of noise does not
 * count.
 */
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';

const VEIL = 0.02;

export type FigurePlace = {
  /** From the middle of the picture; positive is down and right. */
  readonly y: number;
  readonly x: number;
  /** Root of the mean squared distance from the centre. */
  readonly spread: number;
};

/** Nothing for a picture that is all white. */
export function figurePlace({ data, width, height }: Picture): FigurePlace | undefined {
  const weights = new Float64Array(width * height);
  for (let at = 0; at < weights.length; at++) {
    const sum = data[3 * at]! + data[3 * at + 1]! + data[3 * at + 2]!;
    weights[at] = Math.max(0, 1 - sum / (3 * 255) - VEIL);
  }
  const mean = (of: (y: number, x: number) => number): number => {
    let [sum, total] = [0, 0];
    for (let at = 0; at < weights.length; at++) {
      const weight = weights[at]!;
      sum += weight * of(Math.floor(at / width) + 0.5, (at % width) + 0.5);
      total += weight;
    }
    return sum / total;
  };
  if (!weights.some((weight) => weight > 0)) return undefined;
  const side = Math.min(width, height);
  const [y, x] = [mean((row) => row), mean((_, column) => column)];
  const spread = Math.sqrt(mean((row, column) => (row - y) ** 2 + (column - x) ** 2));
  return { y: (y - height / 2) / side, x: (x - width / 2) / side, spread: spread / side };
}

export type FigureComparison = {
  /** Mean distance between the centres of a generated figure and of its real counterpart. */
  readonly apart: Interval;
  /** The same between real figures of neighbouring conditions: what differs anyway. */
  readonly otherwise: Interval;
  /** Mean spread of generated figures over that of real ones. */
  readonly spread: Interval;
  /** Pairs in which both show a figure. */
  readonly measured: number;
};

/** Figure i of both sides has the same condition. */
export function compareFigures(
  generated: readonly (FigurePlace | undefined)[],
  real: readonly (FigurePlace | undefined)[],
  rng: Rng,
): FigureComparison {
  const pairs = generated.flatMap((mine, i) => {
    const [its, next] = [real[i], real[(i + 1) % real.length]];
    if (!mine || !its || !next) return [];
    const distance = (a: FigurePlace) => Math.hypot(a.y - its.y, a.x - its.x);
    return [{ apart: distance(mine), next: distance(next), mine: mine.spread, its: its.spread }];
  });
  const of = (key: 'apart' | 'next' | 'mine' | 'its') => Float64Array.from(pairs, (p) => p[key]);
  const [apart, next, mine, its] = [of('apart'), of('next'), of('mine'), of('its')];
  const interval = (name: string, statistic: (pick: Int32Array) => number): Interval =>
    pairs.length < 2
      ? { value: Number.NaN, low: Number.NaN, high: Number.NaN }
      : bootstrap(pairs.length, statistic, { rng: rng.stream(name) });
  const mean = (values: Float64Array) => (pick: Int32Array) => sumOf(values, pick) / pick.length;
  return {
    apart: interval('apart', mean(apart)),
    otherwise: interval('otherwise', mean(next)),
    spread: interval('spread', (pick) => sumOf(mine, pick) / sumOf(its, pick)),
    measured: pairs.length,
  };
}
