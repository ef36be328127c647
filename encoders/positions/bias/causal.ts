/**
 * Causal attention as the only source of positions (LEDiT: Zhang et al. 2025, arXiv 2503.04344, section
 * 3): tokens that see less of the picture have outputs of larger variance, about 1 / (number seen), and
 * from that the network can tell where they are, on any grid. Every second block looks at everything.
 * The convolution that tells neighbours apart is `locality`.
 *
 * Of the paper's scans in two dimensions the best hides the lower right corner; read here as the tokens
 * of the same raster that lie neither above nor to the left of a token, but the token itself (ours).
 * Condition tokens see and are seen by all.
 *
 * Options: `scan` 'corner', or 'raster' for the order of the tokens; `blocks` 'second', 'all'.
 */
import { tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { type Cell, cellsOf } from '../grid.ts';
import { withPrefix } from './offsets.ts';

const HIDDEN = -1e9;

export const causal: BiasMethod = {
  hook: 'bias',
  name: 'causal',
  causal: true,
  reducesTo: 'the causal mask of one dimension on a grid of one row',
  options: { scan: ['corner', 'raster'], blocks: ['second', 'all'] },
  bias({ where: { grid, layer, prefix }, options }) {
    if (options.blocks === 'second' && layer % 2 === 0) return undefined;
    const cells = cellsOf(grid);
    const hides = (i: number, j: number) =>
      options.scan === 'raster' ? j > i : i !== j && inCorner(cells[i]!, cells[j]!);
    const mask = cells.map((_, i) => cells.map((_, j) => (hides(i, j) ? HIDDEN : 0)));
    return tf.expandDims(withPrefix(tf.tensor2d(mask), prefix), 0); // [1, T, T]
  },
};

/** Neither above nor to the left, in one raster. */
const inCorner = (query: Cell, key: Cell): boolean =>
  key.raster === query.raster && key.y >= query.y && key.x >= query.x;
