/**
 * Attributes read at any size: by a reader that was trained on drawings of that size where there is one, else by
 * the one that is there, to which pictures are brought by the features' antialiased kernel. What it then finds in real
 * drawings of that size, brought to it in the same way, stands beside every rate. Of a picture that is no
 * square it sees the middle.
 */
import { middleSquare } from '../../encoders/features/crops.ts';
import { resizedPicture } from '../../encoders/features/resize-pixels.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import type { Reading } from '../attributes.ts';
import type { Reader } from '../reader-files.ts';

export type ReaderLike = Pick<Reader, 'read'> & {
  readonly card: Pick<Reader['card'], 'id' | 'digest' | 'vocabulary' | 'accuracy'> & {
    readonly network: { readonly size: number };
  };
};

export type SizedReader = {
  readonly id: string;
  readonly digest: string;
  /** The side that it reads at. */
  readonly side: number;
  /** Whether pictures are brought to it. */
  readonly resized: boolean;
  read(pictures: readonly Picture[]): Promise<Reading[]>;
};

/** The middle square of a picture, brought to a side. */
export const squareOf = (picture: Picture, side: number): Picture =>
  resizedPicture(middleSquare(picture), side, side);

/** The reader of that size; else the smallest that is larger, so that little is lost; else the largest. */
export function readerAt(readers: readonly ReaderLike[], { width, height }: Size): SizedReader {
  const side = Math.min(width, height);
  const ordered = readers.toSorted((a, b) => a.card.network.size - b.card.network.size);
  const chosen = ordered.find(({ card }) => card.network.size >= side) ?? ordered.at(-1);
  if (!chosen) throw new RangeError('resolution: expected at least one reader, got none');
  const { id, digest, network } = chosen.card;
  return {
    id,
    digest,
    side: network.size,
    resized: network.size !== side,
    read: (pictures) => chosen.read(pictures.map((picture) => squareOf(picture, network.size))),
  };
}
