/**
 * Centres of cells as `cell-centre`, each moved within its cell in training (ComRoPE, Yu et al. 2025):
 * by a normal number of half of `intensity` cells on each axis, at most half a cell.
 *
 * Options: `span` (1) of the picture; `intensity` (1).
 */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf, rastersOf } from '../grid.ts';
import { cellCentre } from './cell-centre.ts';

export const jittered: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'jittered',
  random: true,
  bounded: true,
  reducesTo: 'cell-centre when sampling, and with an intensity of 0',
  options: { span: 1, intensity: 1 },
  coordinates(args) {
    const { grid, mode, rng, options } = args;
    const centres = cellCentre.coordinates(args);
    if (mode === 'sample') return centres;
    if (!rng) throw new TypeError('jittered: expected an rng to move cells by, got none');
    const [span, rasters, cells] = [Number(options.span), rastersOf(grid), cellsOf(grid)];
    const normals = rng.normals(centres.length);
    return centres.map((centre, i) => {
      const { height, width } = rasters[cells[i >> 1]!.raster]!;
      const by = (normals[i]! * Number(options.intensity)) / 2;
      const side = i % 2 === 0 ? height : width;
      return centre + (Math.max(-0.5, Math.min(0.5, by)) * span) / side;
    });
  },
};
