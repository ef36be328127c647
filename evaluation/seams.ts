/**
 * Seams: does colour jump where patches meet? The mean absolute difference of neighbouring pixels across patch
 * borders, relative to that of neighbours inside patches; 1 for pictures that know no patches.
 */
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';

/** Sums of absolute steps (colours in [0, 1], over channels) and numbers of steps. */
export type Steps = {
  readonly border: number;
  readonly borders: number;
  readonly inside: number;
  readonly insides: number;
};

export function colorSteps({ data, width, height }: Picture, patch: number): Steps {
  const sums = [0, 0];
  const counts = [0, 0];
  const step = (from: number, to: number, border: boolean) => {
    let sum = 0;
    for (let c = 0; c < 3; c++) sum += Math.abs(data[3 * from + c]! - data[3 * to + c]!);
    sums[Number(border)]! += sum / 255;
    counts[Number(border)]! += 3;
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (x > 0) step(at - 1, at, x % patch === 0);
      if (y > 0) step(at - width, at, y % patch === 0);
    }
  return { border: sums[1]!, borders: counts[1]!, inside: sums[0]!, insides: counts[0]! };
}

export type Seams = {
  readonly generated: Interval;
  readonly real: Interval;
  readonly relative: Interval;
};

/** Ratios of means over all pictures; picture i of both sides has the same condition. */
export function compareSeams(
  generated: readonly Picture[],
  real: readonly Picture[],
  patch: number,
  rng: Rng,
): Seams {
  const steps = (side: readonly Picture[]) => side.map((picture) => colorSteps(picture, patch));
  return compareSteps(steps(generated), steps(real), rng);
}

/** The same of steps that were counted before. */
export function compareSteps(generated: readonly Steps[], real: readonly Steps[], rng: Rng): Seams {
  const [a, b] = [seamRatio(generated), seamRatio(real)];
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(generated.length, statistic, { rng: rng.stream(name) });
  return {
    generated: interval('generated', a),
    real: interval('real', b),
    relative: interval('relative', (pick) => a(pick) / b(pick)),
  };
}

function seamRatio(steps: readonly Steps[]): (pick: Int32Array) => number {
  const of = (key: keyof Steps) => Float64Array.from(steps, (step) => step[key]);
  const [border, borders, inside, insides] = [
    of('border'),
    of('borders'),
    of('inside'),
    of('insides'),
  ];
  return (pick) =>
    sumOf(border, pick) / sumOf(borders, pick) / (sumOf(inside, pick) / sumOf(insides, pick));
}
