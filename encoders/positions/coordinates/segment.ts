/**
 * Training on segmented sequences (Karypis et al. 2023, "Extending input contexts of language models
 * through training on segmented sequences"): the network sees parts of a long input, each token at the
 * position that it has there, at the cost of a short input. Ours in two dimensions: the grid is a part
 * of the trained grid, a window of it or some of its rows and columns, and has the coordinates of that
 * part. They are whole numbers, the cells that are to be cut from the larger picture. Sampling uses plain
 * indices, up to the trained grid.
 *
 * Options: `cut` 'window', or 'lines' for rows and columns drawn without replacement.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { extentOf } from '../grid.ts';
import { everyPlace, placeOnAxes } from './axes.ts';
import { raw } from './raw.ts';
import { drawSorted } from './rpe2d.ts';

export const segment: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'segment',
  random: true,
  reducesTo: 'raw where the grid is the trained grid',
  options: { cut: ['window', 'lines'] },
  coordinates(args) {
    const { grid, trained, mode, options, rng } = args;
    if (mode === 'sample') return raw.coordinates(args);
    if (!rng) throw new TypeError('segment: expected an rng to draw a part from, got none');
    const source = extentOf(trained);
    const axis = (side: number, whole: number): number[] => {
      if (options.cut === 'lines') return drawSorted(side, whole, rng);
      const start = rng.integer(whole - side + 1);
      return everyPlace(side, (i) => start + i);
    };
    return placeOnAxes(grid, ({ height, width }) => {
      if (height > source.height || width > source.width) {
        throw new RangeError(
          `segment: expected a part of the trained grid of ${source.height} x ${source.width} tokens, got ${height} x ${width}`,
        );
      }
      return { y: axis(height, source.height), x: axis(width, source.width) };
    });
  },
};
