/** The part of a picture that joins its edge. */

/**
 * 1 where a pixel is joined to the edge of [height, width] through pixels of `open` 1, itself included
 * (of neighbours above, below and beside).
 */
export function joinedToEdge(open: Uint8Array, width: number, height: number): Uint8Array {
  const joined = new Uint8Array(width * height);
  const left: number[] = [];
  const visit = (x: number, y: number) => {
    const at = y * width + x;
    if (x < 0 || y < 0 || x >= width || y >= height || !open[at] || joined[at]) return;
    joined[at] = 1;
    left.push(at);
  };
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) visit(x, y);
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) visit(x, y);
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const x = at % width;
    const y = (at - x) / width;
    visit(x - 1, y);
    visit(x + 1, y);
    visit(x, y - 1);
    visit(x, y + 1);
  }
  return joined;
}
