import type { Picture } from '../../png.ts';

/** A picture from a function of column, row and channel, bytes. */
export function paint(size: number, color: (x: number, y: number, c: number) => number): Picture {
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < 3; c++) data[3 * (y * size + x) + c] = color(x, y, c);
  return { data, width: size, height: size };
}
