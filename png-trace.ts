/** The making of a picture from tokens, pass by pass: what is decided as it will look, what is not yet in grey. */
import { encodeGif, type Picture } from './png.ts';

/** What a pass did, of what a decoder tells of it. */
export type PassCells = {
  /** Place of the first decided token. */
  readonly start: number;
  readonly decided: readonly number[];
  /** How many of them are drafts that were kept; they come first. */
  readonly accepted: number;
  /** Places of the decided tokens, where they are not `start` and those after it. */
  readonly places?: readonly number[];
};

export type Trace = {
  /** The finished picture. */
  readonly picture: Picture;
  readonly passes: readonly PassCells[];
  /** Tokens down and across. */
  readonly grid: { readonly height: number; readonly width: number };
};

/** Side in pixels that small pictures are enlarged to. */
const SIDE = 256;
/** Pixels of all frames, which are in memory together: three bytes each. */
const MOST = 2 ** 26;

/** Repeats for ever, and rests at the finished picture. */
export function traceGif(trace: Trace): Promise<Buffer> {
  const { width, height } = trace.picture;
  const frames = trace.passes.length + 1;
  if (frames * width * height > MOST)
    throw new RangeError(
      `trace: expected at most ${Math.floor(MOST / (width * height))} frames of ${width} x ${height} pixels, got ${frames}`,
    );
  return encodeGif(traceFrames(trace), { scale: Math.max(1, Math.floor(SIDE / width)) });
}

const GREY = 216;
/** Decided in this pass: a draft that was kept, and what was drawn. */
const KEPT = [64, 160, 96] as const;
const DRAWN = [208, 96, 48] as const;

/** A frame a pass, and the finished picture; frames of tokens new in a pass are framed in colour. */
export function traceFrames({ picture, passes, grid: { height, width } }: Trace): Picture[] {
  const cell = picture.width / width;
  if (!Number.isInteger(cell) || picture.height !== height * cell)
    throw new RangeError(
      `trace: expected a picture of ${width} x ${height} square cells, got ${picture.width} x ${picture.height} pixels`,
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
