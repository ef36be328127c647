import sharp from 'sharp';

/** Four samples a side: drawings are rendered this much larger and box-averaged, the one protocol of all vector data sets. */
const OVERSAMPLING = 4;

/**
 * An SVG as size * size * 3 bytes of RGB over a flat background. `svg(side)` gives the drawing with
 * width and height `side`, so vectors are drawn at 4x and not scaled; the mean of each 4x4 block is rounded once.
 */
export async function rasterise(
  svg: (side: number) => string,
  size: number,
  background: string,
): Promise<Uint8Array> {
  const side = size * OVERSAMPLING;
  const { data, info } = await sharp(Buffer.from(svg(side)))
    .flatten({ background })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.width !== side || info.height !== side || info.channels !== 3) {
    throw new Error(
      `rasterise: expected ${side} x ${side} x 3, got ${info.width} x ${info.height} x ${info.channels}`,
    );
  }
  return boxAverage(data, side, OVERSAMPLING);
}

/** Means of factor x factor blocks of RGB pixels, rounded half up. */
export function boxAverage(pixels: Uint8Array, side: number, factor: number): Uint8Array {
  const size = side / factor;
  const row = size * 3;
  const sums = new Uint32Array(row);
  const out = new Uint8Array(size * row);
  const count = factor * factor;
  for (let y = 0; y < size; y++) {
    sums.fill(count >> 1);
    let at = y * factor * side * 3;
    for (let line = 0; line < factor; line++) {
      for (let x = 0; x < row; x += 3) {
        for (let k = 0; k < factor; k++, at += 3) {
          sums[x] = sums[x]! + pixels[at]!;
          sums[x + 1] = sums[x + 1]! + pixels[at + 1]!;
          sums[x + 2] = sums[x + 2]! + pixels[at + 2]!;
        }
      }
    }
    for (let i = 0; i < row; i++) out[y * row + i] = Math.floor(sums[i]! / count);
  }
  return out;
}
