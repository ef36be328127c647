/** Where tokens lie: a raster, a pyramid of rasters, or several pictures packed into one sequence. */

export type Raster = { readonly height: number; readonly width: number };
export type Grid =
  | (Raster & { readonly kind: 'raster' })
  /** Scales one after the other, smallest first (VAR, STAR). */
  | { readonly kind: 'pyramid'; readonly scales: readonly Raster[] }
  /** Pictures one after the other, masked from each other (FiT, NiT). */
  | { readonly kind: 'packed'; readonly pictures: readonly Raster[] }
  /** Tokens that cover rectangles of cells (merged tokens). */
  | {
      readonly kind: 'merged';
      readonly height: number;
      readonly width: number;
      readonly cells: readonly Cell[];
    };

/** One token: its centre in cells of its raster, and which raster (scale, picture) it belongs to. */
export type Cell = { readonly y: number; readonly x: number; readonly raster: number };

export const raster = (height: number, width: number): Grid => ({ kind: 'raster', height, width });

export function rastersOf(grid: Grid): readonly Raster[] {
  if (grid.kind === 'pyramid') return grid.scales;
  if (grid.kind === 'packed') return grid.pictures;
  return [{ height: grid.height, width: grid.width }];
}

/** The tokens of a grid in their order: rows from the top, each from the left. */
export function cellsOf(grid: Grid): readonly Cell[] {
  if (grid.kind === 'merged') return grid.cells;
  return rastersOf(grid).flatMap(({ height, width }, index) =>
    Array.from({ length: height * width }, (_, i) => ({
      y: Math.floor(i / width),
      x: i % width,
      raster: index,
    })),
  );
}

/** The largest raster. */
export function extentOf(grid: Grid): Raster {
  return rastersOf(grid).reduce((most, { height, width }) => ({
    height: Math.max(most.height, height),
    width: Math.max(most.width, width),
  }));
}

/**
 * How far the axes of a grid reach in units of its coordinates, n for n neighbours 1 apart: the offsets that training
 * covers, and the grid at hand. What lies beyond the first is what extensions are for.
 */
export type Spans = { readonly trained: Raster; readonly now: Raster };

/** Those of coordinates whose neighbours lie 1 apart, in training and now: sides in tokens. */
export const spansInTokens = ({
  grid,
  trained,
}: Readonly<Record<'grid' | 'trained', Grid>>): Spans => ({
  trained: extentOf(trained),
  now: extentOf(grid),
});
