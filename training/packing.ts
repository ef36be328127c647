/**
 * Pictures of several sizes in rows of tokens (native resolutions: NiT, Wang et al. 2025, section 3.2). The
 * longest come first, each into the fullest row that has room for it.
 */

/** Where a picture is: `number` from 1 tells the pictures of a row apart. */
export type Place = { readonly row: number; readonly number: number; readonly start: number };
export type Rows = {
  readonly rows: number;
  /** Tokens of a row. */
  readonly length: number;
};

/**
 * The places of the first pictures of so many tokens, as many of them as have room together: were those
 * left out that are hard to place, some sizes would be seen less than their share.
 */
export function packRows(lengths: readonly number[], rows: Rows): Place[] {
  for (let count = lengths.length; count > 0; count--) {
    const places = placesOf(lengths.slice(0, count), rows);
    if (places) return places;
  }
  throw new RangeError(
    `packing: expected at most ${rows.length} tokens, which a row holds, got ${lengths[0]}`,
  );
}

/** None where one of them finds no room. */
function placesOf(lengths: readonly number[], { rows, length }: Rows): Place[] | undefined {
  const used = new Array<number>(rows).fill(0);
  const pictures = new Array<number>(rows).fill(0);
  const places: Place[] = [];
  const longestFirst = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const picture of longestFirst) {
    const size = lengths[picture]!;
    let row = -1;
    for (let other = 0; other < rows; other++)
      if (used[other]! + size <= length && (row < 0 || used[other]! > used[row]!)) row = other;
    if (row < 0) return undefined;
    pictures[row]!++;
    places[picture] = { row, number: pictures[row]!, start: used[row]! };
    used[row]! += size;
  }
  return places;
}

/** Pixels [H, W, C] as tokens [T, C p p], the order of a convolution's weights. */
export function toTokens(
  pixels: Float32Array,
  [height, width]: readonly [number, number],
  patch: number,
): Float32Array {
  const channels = pixels.length / (height * width);
  const tokens = new Float32Array(pixels.length);
  const across = width / patch;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const token = Math.floor(y / patch) * across + Math.floor(x / patch);
      for (let c = 0; c < channels; c++)
        tokens[((token * channels + c) * patch + (y % patch)) * patch + (x % patch)] =
          pixels[(y * width + x) * channels + c]!;
    }
  return tokens;
}
