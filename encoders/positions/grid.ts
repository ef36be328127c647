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

/** The largest raster: what extension ratios are measured on. */
export function extentOf(grid: Grid): Raster {
  return rastersOf(grid).reduce((most, { height, width }) => ({
    height: Math.max(most.height, height),
    width: Math.max(most.width, width),
  }));
}
