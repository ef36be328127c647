/**
 * The first cell of every raster at 0 and cells span / n apart: i / n * span on each axis. Scales meet
 * at their upper left corner, and the last cell lies one step before the span, unlike STAR's
 * end-points. Switti (Voronov et al. 2024) has a span of 128; Infinity (Han et al. 2024) that of its
 * largest scale in cells, rounded to whole numbers, halves to the even one as PyTorch rounds.
 *
 * Options: `span` ([32]) [rows, columns], or [side]; `round` (false).
 */
import type { CoordinatesMethod, Options } from '../contract.ts';
import { extentOf, type Grid } from '../grid.ts';
import { everyPlace, placeOnAxes } from './axes.ts';

export const leftAligned: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'left-aligned',
  reducesTo: 'raw on a grid whose sides are the span',
  bounded: true,
  options: { span: [32], round: false },
  coordinates({ grid, options }) {
    const [rows, columns] = spanOf(options);
    const place = (side: number, span: number) =>
      everyPlace(side, (i) => (options.round ? roundToEven((i * span) / side) : (i * span) / side));
    return placeOnAxes(grid, ({ height, width }) => ({
      y: place(height, rows),
      x: place(width, columns),
    }));
  },
};

/** Infinity's options for a pyramid: its largest scale is the span. */
export function infinityOptions(grid: Grid): Options {
  const { height, width } = extentOf(grid);
  return { span: [height, width], round: true };
}

function spanOf({ span }: Options): [number, number] {
  const given = span as readonly number[];
  const [rows, columns = rows] = given;
  if (given.length < 1 || given.length > 2 || given.some((side) => side <= 0)) {
    throw new RangeError(
      `left-aligned: expected a span of one or two positive numbers, got [${given.join(', ')}]`,
    );
  }
  return [rows!, columns!];
}

function roundToEven(value: number): number {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}
