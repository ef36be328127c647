/**
 * PoSE: positional skip-wise training (Zhu et al. 2024, section 3.2). The rows are cut into chunks at
 * random, and each chunk after the first is moved away from the one before by a random skip, so that
 * a small grid meets every offset of a larger one while neighbours within a chunk stay 1 apart.
 * Columns likewise, on their own (two axes are ours). Sampling uses plain indices.
 *
 * Options: `factor` (2), how many times the trained side is covered; `chunks` (2) an axis.
 */
import type { Rng } from '../../../tensor/rng.ts';
import type { CoordinatesMethod, Options } from '../contract.ts';
import { cellsOf, extentOf, type Grid, type Raster, rastersOf } from '../grid.ts';
import { raw } from './raw.ts';

export const pose: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'pose',
  random: true,
  reducesTo: 'raw with one chunk, or with a factor of 1',
  options: { factor: 2, chunks: 2 },
  spans: ({ grid, trained, options }) => ({
    trained: targetOf(trained, options),
    now: extentOf(grid),
  }),
  coordinates(args) {
    const { grid, trained, mode, options, rng } = args;
    if (mode === 'sample') return raw.coordinates(args);
    if (!rng) throw new TypeError('pose: expected an rng to draw skips from, got none');
    const [target, chunks] = [targetOf(trained, options), Number(options.chunks)];
    const axes = rastersOf(grid).map(({ height, width }) => ({
      y: drawAxis(height, target.height, chunks, rng),
      x: drawAxis(width, target.width, chunks, rng),
    }));
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x, raster }) => [axes[raster]!.y[y]!, axes[raster]!.x[x]!]),
    );
  },
};

/** The sides that training covers. */
function targetOf(trained: Grid, { factor }: Options): Raster {
  const { height, width } = extentOf(trained);
  return {
    height: Math.round(Number(factor) * height),
    width: Math.round(Number(factor) * width),
  };
}

/** `side` increasing places in 0 ... target - 1. */
function drawAxis(side: number, target: number, chunks: number, rng: Rng): number[] {
  if (!(Number.isInteger(chunks) && chunks >= 1 && target >= side)) {
    throw new RangeError(
      `pose: expected one or more chunks and a side of at most ${target} (factor times the trained side), got ${chunks} and ${side}`,
    );
  }
  const starts = drawStarts(side, Math.min(chunks, side), rng);
  let skip = 0;
  return Array.from({ length: side }, (_, i) => {
    if (starts.has(i)) skip += rng.integer(target - side - skip + 1);
    return i + skip;
  });
}

/** Where the second and later chunks start: distinct places in 1 ... side - 1. */
function drawStarts(side: number, chunks: number, rng: Rng): ReadonlySet<number> {
  const starts = new Set<number>();
  while (starts.size < chunks - 1) starts.add(1 + rng.integer(side - 1));
  return starts;
}
