/**
 * The one way in which pictures are brought to another size before they are judged: Keys' bicubic kernel
 * with a = -0.5, widened by the ratio where a picture gets smaller (antialiased), as PIL and PyTorch
 * have it, along rows, then columns, in float64; nothing is rounded or clipped between.
 */
import { resizeMatrix } from '../../tensor/ops/resize.ts';
import type { Pixels } from './contract.ts';

/** For printing beside numbers. */
export const KERNEL = 'bicubic (a = -0.5), antialiased';

/** [height, width, 3], colours in [0, 1] with what the kernel overshoots. */
export function resizePixels(picture: Pixels, height: number, width: number): Float32Array {
  const { data } = picture;
  const from = { height: picture.height, width: picture.width };
  const narrow = new Float64Array(from.height * width * 3);
  for (const { at, taps } of tapsOf(width, from.width))
    for (let y = 0; y < from.height; y++)
      for (const [x, weight] of taps)
        for (let c = 0; c < 3; c++)
          narrow[3 * (y * width + at) + c]! += (weight * data[3 * (y * from.width + x) + c]!) / 255;
  if (height === from.height) return Float32Array.from(narrow);

  const row = width * 3;
  const out = new Float64Array(height * row);
  for (const { at, taps } of tapsOf(height, from.height))
    for (const [y, weight] of taps)
      for (let i = 0; i < row; i++) out[at * row + i]! += weight * narrow[y * row + i]!;
  return Float32Array.from(out);
}

/** The same as a picture: rounded and clipped to bytes. */
export function resizedPicture(picture: Pixels, height: number, width: number): Pixels {
  if (picture.height === height && picture.width === width) return picture;
  const data = new Uint8ClampedArray(height * width * 3);
  data.set(resizePixels(picture, height, width).map((value) => value * 255));
  return { data: new Uint8Array(data.buffer), height, width };
}

type Taps = { readonly at: number; readonly taps: readonly (readonly [number, number])[] };

/** The old pixels that each new one is made of, with their weights. */
function tapsOf(to: number, from: number): Taps[] {
  const matrix = resizeMatrix(to, from, { mode: 'bicubic', antialias: true });
  return Array.from({ length: to }, (_, at) => {
    const taps: [number, number][] = [];
    for (let i = 0; i < from; i++)
      if (matrix[at * from + i] !== 0) taps.push([i, matrix[at * from + i]!]);
    return { at, taps };
  });
}
