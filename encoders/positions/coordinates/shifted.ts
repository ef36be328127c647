/**
 * Indices moved by a random real number on each axis in training, one for all scales of a picture: a
 * fraction of the picture's side, so that a scale of n cells is moved by n times it. With `ms-pe` and a
 * picture moved alike this is the training of MS-PE (Choi et al. 2021, section 4.2: shifts are divided
 * by the size of each level). Without, it teaches that only offsets count (SHAPE: Kiyono et al. 2021).
 *
 * Options: `by` (1), the largest move as a part of the side, in both directions.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { everyPlace, placeOnAxes } from './axes.ts';

export const shifted: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'shifted',
  random: true,
  reducesTo: 'raw in sampling, or moved by 0',
  options: { by: 1 },
  coordinates({ grid, mode, options, rng }) {
    if (mode === 'train' && !rng) {
      throw new TypeError('shifted: expected an rng to draw a move from, got none');
    }
    const draw = () => (mode === 'train' ? (2 * rng!.uniform() - 1) * Number(options.by) : 0);
    const [y, x] = [draw(), draw()];
    return placeOnAxes(grid, ({ height, width }) => ({
      y: everyPlace(height, (i) => i + y * height),
      x: everyPlace(width, (i) => i + x * width),
    }));
  },
};
