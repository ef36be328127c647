/** Tables of float64 rows: the products and distances between rows that statistics are made of. */

export type Rows = {
  readonly data: Float64Array;
  readonly count: number;
  readonly width: number;
};

/** Features of pictures, one row a picture, as float64. Throws on numbers that are not finite. */
export function rowsOf(data: ArrayLike<number>, width: number): Rows {
  if (!Number.isInteger(width) || width < 1 || data.length === 0 || data.length % width !== 0)
    throw new RangeError(
      `rowsOf: expected whole rows of a width of at least 1, got ${data.length} numbers for width ${width}`,
    );
  const own = Float64Array.from(data);
  const broken = own.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0)
    throw new RangeError(
      `rowsOf: expected finite numbers, got ${own[broken]} in row ${Math.floor(broken / width)}`,
    );
  return { data: own, count: data.length / width, width };
}

/** The named rows, in that order; a row may be named more than once. */
export function pickRows({ data, count, width }: Rows, indices: ArrayLike<number>): Rows {
  const picked = new Float64Array(indices.length * width);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    if (!(row >= 0 && row < count))
      throw new RangeError(`pickRows: expected a row from 0 to ${count - 1}, got ${row}`);
    picked.set(data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { data: picked, count: indices.length, width };
}

/** [n, w] -> [w, n]. */
export function transposeRows({ data, count, width }: Rows): Rows {
  const turned = new Float64Array(data.length);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < width; j++) turned[j * count + i] = data[i * width + j]!;
  return { data: turned, count: width, width: count };
}

/** Throws unless both tables have rows of one width. */
export function checkWidths(where: string, a: { width: number }, b: { width: number }): void {
  if (a.width !== b.width)
    throw new RangeError(
      `${where}: expected features of one width, got ${a.width} and ${b.width}; take both from the same network`,
    );
}

/** a b^T: [n, w] and [m, w] -> [n, m]. */
export function rowProducts(a: Rows, b: Rows): Rows {
  checkWidths('rowProducts', a, b);
  const data = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++)
    productsOfRow(a, i, b, data.subarray(i * b.count, (i + 1) * b.count));
  return { data, count: a.count, width: b.count };
}

/** The products of row `i` of `a` with every row of `b`, into `out` [m]; four rows share each number read. */
export function productsOfRow(a: Rows, i: number, b: Rows, out: Float64Array): void {
  const { width, count, data: y } = b;
  const x = a.data.subarray(i * width, (i + 1) * width);
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const [p, q, r, s] = [j * width, (j + 1) * width, (j + 2) * width, (j + 3) * width];
    let [u0, u1, u2, u3] = [0, 0, 0, 0];
    for (let c = 0; c < width; c++) {
      const value = x[c]!;
      u0 += value * y[p + c]!;
      u1 += value * y[q + c]!;
      u2 += value * y[r + c]!;
      u3 += value * y[s + c]!;
    }
    out[j] = u0;
    out[j + 1] = u1;
    out[j + 2] = u2;
    out[j + 3] = u3;
  }
  for (; j < count; j++) {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += x[c]! * y[j * width + c]!;
    out[j] = sum;
  }
}

/**
 * Squared distances of row `i` of `a` to every row of `b`, into `out` [m]. Differences are squared and
 * summed as they are: |x|^2 + |y|^2 - 2xy is not exactly zero between equal rows.
 */
export function distancesOfRow(a: Rows, i: number, b: Rows, out: Float64Array): void {
  const { width, count, data: y } = b;
  const x = a.data.subarray(i * width, (i + 1) * width);
  for (let j = 0; j < count; j++) {
    const start = j * width;
    let [even, odd, c] = [0, 0, 0];
    for (; c + 2 <= width; c += 2) {
      const first = x[c]! - y[start + c]!;
      const second = x[c + 1]! - y[start + c + 1]!;
      even += first * first;
      odd += second * second;
    }
    if (c < width) even += (x[c]! - y[start + c]!) ** 2;
    out[j] = even + odd;
  }
}
