/** The making of a picture from tokens, pass by pass: what is decided as it will look, what is not yet in grey. */
import type { Picture } from '../png.ts';
import type { RowPass } from '../sampling/tokens/decoder.ts';

export type TraceOptions = {
  /** The finished picture. */
  readonly picture: Picture;
  /** What each pass did to it. */
  readonly passes: readonly RowPass[];
  /** Tokens in a row of the grid. */
  readonly width: number;
  /** Tokens of the picture. */
  readonly length: number;
};

const GREY = 216;
/** Decided in this pass: a draft that was kept, and what was drawn. */
const KEPT = [64, 160, 96] as const;
const DRAWN = [208, 96, 48] as const;

/** A frame a pass, and the finished picture; frames of tokens new in a pass are framed in colour. */
export function traceFrames({ picture, passes, width, length }: TraceOptions): Picture[] {
  const cell = picture.width / width;
  if (!Number.isInteger(cell) || length % width !== 0 || picture.height !== (length / width) * cell)
    throw new RangeError(
      `trace: expected a picture of ${width} cells a row, got ${picture.width} x ${picture.height} pixels`,
    );
  const known = { ...picture, data: new Uint8Array(picture.data.length).fill(GREY) };
  const frames: Picture[] = [];
  for (const { start, decided, accepted, places } of passes) {
    if (decided.length === 0) continue;
    const cells = places ?? decided.map((_, i) => start + i);
    for (const place of cells) copyCell(known, picture, place, { cell, width });
    const frame = { ...known, data: known.data.slice() };
    for (const [i, place] of cells.entries())
      outline(frame, place, { cell, width }, i < accepted ? KEPT : DRAWN);
    frames.push(frame);
  }
  return [...frames, picture];
}

type Cells = { readonly cell: number; readonly width: number };

function corner(place: number, { cell, width }: Cells): { top: number; left: number } {
  return { top: Math.floor(place / width) * cell, left: (place % width) * cell };
}

function copyCell(onto: Picture, from: Picture, place: number, cells: Cells): void {
  const { top, left } = corner(place, cells);
  for (let y = top; y < top + cells.cell; y++) {
    const start = (y * from.width + left) * 3;
    onto.data.set(from.data.subarray(start, start + cells.cell * 3), start);
  }
}

function outline(onto: Picture, place: number, cells: Cells, colour: readonly number[]): void {
  const { top, left } = corner(place, cells);
  const last = cells.cell - 1;
  for (let y = 0; y <= last; y++)
    for (let x = 0; x <= last; x++)
      if (y === 0 || x === 0 || y === last || x === last)
        onto.data.set(colour, ((top + y) * onto.width + left + x) * 3);
}
