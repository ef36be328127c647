/**
 * Frechet distance of features that keep their place (after sFID: Nash et al. 2021, section 4.1): where
 * pooled features say what is in a picture, a few channels at every place say where it is. The distance
 * itself is that of frechet.ts, with its rules on the number of samples.
 */
import { type Rows, rowsOf } from '../../tensor/rows.ts';

export type FeatureMaps = {
  /** [N, height, width, channels]. */
  readonly data: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
};

/** The first `keep` channels at every place, [N, height width keep]; 7 are sFID's. */
export function spatialRows({ data, height, width, channels }: FeatureMaps, keep = 7): Rows {
  const places = height * width;
  const count = data.length / (places * channels);
  if (!Number.isInteger(count) || !Number.isInteger(keep) || keep < 1 || keep > channels)
    throw new RangeError(
      `spatialRows: expected whole maps of ${height} x ${width} x ${channels} and from 1 to ${channels} channels to keep, got ${data.length} numbers and ${keep}`,
    );
  const kept = new Float64Array(count * places * keep);
  for (let i = 0; i < kept.length; i++)
    kept[i] = data[Math.floor(i / keep) * channels + (i % keep)]!;
  return rowsOf(kept, places * keep);
}
