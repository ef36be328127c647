/** A picture in the making: its tokens as cells, told apart by shape as well as colour. */
import { previewUrl } from '../api.ts';
import { boardLabel, type CellState, type Frame } from './playback.ts';

/** Units of the drawing a cell. */
const CELL = 16;

export type Grid = { readonly height: number; readonly width: number };

/** One path for all cells of a state: a grid of 1024 tokens stays a handful of elements. */
export function pathOf(
  cells: readonly CellState[],
  states: readonly CellState[],
  width: number,
  inset: number,
): string {
  const side = CELL - 2 * inset;
  return cells
    .map((state, place) => {
      if (!states.includes(state)) return '';
      const x = (place % width) * CELL + inset;
      const y = Math.floor(place / width) * CELL + inset;
      return `M${x} ${y}h${side}v${side}h${-side}z`;
    })
    .join('');
}

/** Small crosses in cells that were redrawn. */
function crosses(cells: readonly CellState[], width: number): string {
  return cells
    .map((state, place) => {
      if (state !== 'redrawn') return '';
      const x = (place % width) * CELL + 5;
      const y = Math.floor(place / width) * CELL + 5;
      return `M${x} ${y}l6 6m0-6-6 6`;
    })
    .join('');
}

function lines({ height, width }: Grid): string {
  const across = Array.from({ length: height + 1 }, (_, i) => `M0 ${i * CELL}H${width * CELL}`);
  const down = Array.from({ length: width + 1 }, (_, i) => `M${i * CELL} 0V${height * CELL}`);
  return [...across, ...down].join('');
}

export function Board({
  grid,
  frame,
  png,
  passes,
  name,
}: {
  readonly grid: Grid;
  readonly frame: Frame;
  readonly png: string;
  readonly passes: number;
  readonly name: string;
}) {
  const { cells } = frame;
  const { width, height } = grid;
  return (
    <svg
      class="board"
      viewBox={`-.5 -.5 ${width * CELL + 1} ${height * CELL + 1}`}
      role="img"
      aria-label={`${name}. ${boardLabel(frame, cells.length, passes)}`}
    >
      <image
        href={previewUrl(png)}
        width={width * CELL}
        height={height * CELL}
        preserveAspectRatio="none"
      />
      <path class="none" d={pathOf(cells, ['none'], width, 0)} />
      <path class="cell" d={lines(grid)} />
      <path class="draft" d={pathOf(cells, ['kept'], width, 1)} />
      <path class="redo" d={pathOf(cells, ['redrawn'], width, 1)} />
      <path class="x" d={crosses(cells, width)} />
      <path class="new" d={pathOf(cells, ['new'], width, 1)} />
    </svg>
  );
}
