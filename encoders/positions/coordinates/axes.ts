/** Tokens placed by the places of their rows and of their columns. */
import { cellsOf, type Grid, type Raster, rastersOf } from '../grid.ts';

/** Places of the rows and of the columns of one raster. */
export type Axes = { readonly y: readonly number[]; readonly x: readonly number[] };

/** (y, x) of every token, interleaved; a merged token lies between the places of its cells. */
export function placeOnAxes(grid: Grid, axesOf: (raster: Raster) => Axes): Float64Array {
  const axes = rastersOf(grid).map(axesOf);
  return Float64Array.from(
    cellsOf(grid).flatMap(({ y, x, raster }) => [
      between(axes[raster]!.y, y),
      between(axes[raster]!.x, x),
    ]),
  );
}

function between(places: readonly number[], index: number): number {
  const [low, high] = [places[Math.floor(index)]!, places[Math.ceil(index)]!];
  return low + (index - Math.floor(index)) * (high - low);
}

/** [of(0), of(1) ... of(side - 1)] */
export const everyPlace = (side: number, of: (i: number) => number): number[] =>
  Array.from({ length: side }, (_, i) => of(i));
