/**
 * Real drawings at any size: a vector drawing at 192 px is drawn at 192 px, so nothing that a reference of scaled
 * photographs would add is measured. In a picture that is no square the drawing fills the shorter side and stands
 * in the middle of white (ours).
 */
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { openAvatars } from '../../training/data/avatars.ts';
import type { Dataset } from '../../training/data/dataset.ts';
import { picturesOf } from '../reader-files.ts';
import { sameSize, sizeName } from './plan.ts';

export type Drawings = {
  readonly name: string;
  readonly vocabulary: readonly string[];
  readonly count: number;
  words(index: number): readonly number[];
  /** All of them, in order, at one of the sizes. */
  at(size: Size): Promise<readonly Picture[]>;
};

export type AvatarDrawingsOptions = {
  readonly sizes: readonly Size[];
  readonly count: number;
  /** Folder for drawn pictures. */
  readonly cache: string;
  readonly onProgress?: (progress: { side: number; done: number }) => void;
};

/** Avatars that no model was trained on. */
export async function openAvatarDrawings({
  sizes,
  count,
  cache,
  onProgress,
}: AvatarDrawingsOptions): Promise<Drawings> {
  const bySide = new Map<number, Dataset>();
  for (const side of new Set(sizes.map(shorter))) {
    const data = await openAvatars({
      size: side,
      count,
      split: 'validation',
      cache,
      onProgress: (done) => onProgress?.({ side, done }),
    });
    bySide.set(side, data);
  }
  const [first] = bySide.values();
  return {
    name: `avatars, ${count} of the validation split`,
    vocabulary: first!.vocabulary,
    count,
    words: (index) => first!.words(index),
    at: async (size) => picturesOf(bySide.get(shorter(size))!).map((one) => inFrame(one, size)),
  };
}

const shorter = ({ width, height }: Size) => Math.min(width, height);

/** A picture in the middle of a white one that is at least as large. */
export function inFrame(picture: Picture, { width, height }: Size): Picture {
  if (sameSize(picture, { width, height })) return picture;
  const data = new Uint8Array(width * height * 3).fill(255);
  const [top, left] = [(height - picture.height) >> 1, (width - picture.width) >> 1];
  const row = 3 * picture.width;
  for (let y = 0; y < picture.height; y++)
    data.set(picture.data.subarray(y * row, (y + 1) * row), 3 * ((top + y) * width + left));
  return { data, width, height };
}

/** Throws unless all pictures have the size that is measured. */
export function checkPictures(where: string, pictures: readonly Picture[], size: Size): void {
  const other = pictures.find((picture) => !sameSize(picture, size));
  if (other === undefined) return;
  throw new RangeError(
    `resolution: expected ${where} of ${sizeName(size)} pixels, got one of ${sizeName(other)}; draw them at the size that is measured`,
  );
}
