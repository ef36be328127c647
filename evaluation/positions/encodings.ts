/**
 * What an encoding can do before anything is learned ("Rethinking positional encoding": Zheng, Ramasinghe and Lucey
 * 2021): its stable rank |A|_F^2 / |A|_2^2 says how many independent functions of the place it offers (memory), and its
 * distance preservation, how well products of two places' encodings say how near they are (generalisation). Here
 * minus Pearson's correlation of the products with the distance in cells, over all pairs of places.
 */
import { type Rows, rowProducts, transposeRows } from '../../tensor/rows.ts';
import { symmetricEigenvalues } from '../../tensor/symmetric-eigen.ts';
import { correlation, distanceBetween, type Places } from './places.ts';

export type EncodingQuality = {
  readonly stableRank: number;
  /** 1: products fall with the distance along a line; 0: they tell nothing of it. */
  readonly distancePreservation: number;
};

/** Of a table with one row a place. */
export function encodingQuality(table: Rows, places: Places): EncodingQuality {
  return {
    stableRank: stableRank(table),
    distancePreservation: distancePreservation(rowProducts(table, table), places),
  };
}

export function stableRank(table: Rows): number {
  const narrow = table.width < table.count ? transposeRows(table) : table;
  const values = symmetricEigenvalues(rowProducts(narrow, narrow)); // squares of singular values
  const largest = values.at(-1)!;
  return largest > 0 ? values.reduce((sum, value) => sum + value, 0) / largest : 0;
}

/** `products` [T, T], or logits that a bias gives in their place. */
export function distancePreservation({ data, count }: Rows, places: Places): number {
  const pairs: { product: number; distance: number }[] = [];
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++)
      if (i !== j)
        pairs.push({ product: data[i * count + j]!, distance: distanceBetween(places, i, j) });
  const of = (key: 'product' | 'distance') => pairs.map((pair) => pair[key]);
  return 0 - correlation(of('product'), of('distance'));
}

/**
 * The paper's family of embedders: bumps psi_i(p) = exp(-|p - c_i|^2 / (2 s^2)) around every place. Narrow ones are
 * nearly one-hot (full rank, no distance), wide ones nearly constant; Fourier features are a special case.
 */
export function gaussianTable(places: Places, width: number): Rows {
  const { count } = places;
  const data = Float64Array.from({ length: count * count }, (_, at) => {
    const distance = distanceBetween(places, Math.floor(at / count), at % count);
    return Math.exp(-(distance ** 2) / (2 * width ** 2));
  });
  return { data, count, width: count };
}
