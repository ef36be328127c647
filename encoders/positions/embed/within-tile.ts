/**
 * Where in its tile a token is: BiPE's positions within segments (He et al. 2024, "Two stones hit one
 * bird", section 3.2), sines and cosines of (y mod P, x mod P), the same in every tile however many
 * there are. The coordinates `tiles` with a rotation or a bias are the other half of BiPE.
 *
 * Options: `tile` (4), P, which must be that of `tiles`; `base` (10000).
 */
import { tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { tileOf } from '../coordinates/tiles.ts';
import { cellsOf } from '../grid.ts';
import { sincos } from './sincos2d.ts';

export const withinTile: EmbedMethod = {
  hook: 'embed',
  name: 'within-tile',
  after: 0,
  reducesTo:
    'sincos2d where a tile covers the grid; one vector for all tokens with tiles of one cell',
  options: { tile: 4, base: 10000 },
  check: ({ tile }, { method, options }) => {
    if (method.name !== 'tiles' || options.tile === tile) return;
    throw new RangeError(
      `positions.embed: expected 'within-tile' to have the tile of 'tiles', ${options.tile}, got ${tile}; give both the same`,
    );
  },
  embed({ x, where: { grid }, options }) {
    const P = tileOf('within-tile', options);
    const points = cellsOf(grid).map(({ y, x: column }): [number, number] => [y % P, column % P]);
    return sincos(tf.tensor2d(points), x.shape.at(-1)!, Number(options.base));
  },
};
