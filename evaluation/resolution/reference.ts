/**
 * Real drawings at any size: a vector drawing at 192 px is drawn at 192 px, so nothing that a reference of scaled
 * photographs would add is measured. In a picture that is no square the drawing fills the shorter side and stands
 * in the middle of white (ours).
 */
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import {
  type AvatarOptions,
  type AvatarSplit,
  areDrawn,
  loadAvatars,
  openAvatars,
  splitSpecs,
} from '../../training/data/avatars.ts';
import { picturesOf } from '../reader-files.ts';
import { SHOWN, sameSize, sizeName } from './plan.ts';

export type Drawings = {
  readonly name: string;
  readonly vocabulary: readonly string[];
  readonly count: number;
  words(index: number): readonly number[];
  /** All of them, in order, or the first few of a size that is only looked at; made where they are not kept. */
  at(size: Size): Promise<readonly Picture[]>;
  /** The first few, made anew: what making them takes. */
  few(size: Size, count: number): Promise<readonly Picture[]>;
  /** How many of a size are to be made; sizes of one shorter side share them. */
  unmade(size: Size): Promise<number>;
};

export type AvatarDrawingsOptions = {
  readonly sizes: readonly Size[];
  /** Sizes that are only looked at. */
  readonly sheetSizes?: readonly Size[];
  readonly count: number;
  /** Default: drawings like those of training, none of which was among them. */
  readonly split?: Exclude<AvatarSplit, 'train'>;
  /** Folder for drawn pictures. */
  readonly cache: string;
  readonly onProgress?: (progress: { side: number; done: number; of: number }) => void;
};

/** Avatars that no model was trained on. Those of the smallest size are made at once, the others when they are asked for. */
export async function openAvatarDrawings(options: AvatarDrawingsOptions): Promise<Drawings> {
  const { sizes, count, split = 'validation', cache, onProgress } = options;
  const avatars = await loadAvatars();
  const sides = new Set(sizes.map(shorter));
  const cached = (size: Size): AvatarOptions => {
    const side = shorter(size);
    const all = sides.has(side) ? count : SHOWN;
    const tell = (done: number) => onProgress?.({ side, done, of: all });
    return { size: side, count: all, split, cache, onProgress: tell };
  };
  const [least] = sizes.toSorted((a, b) => shorter(a) - shorter(b));
  const smallest = await openAvatars(cached(least!));
  return {
    name: `avatars, ${count} of the ${split} split`,
    vocabulary: avatars.vocabulary,
    count,
    words: (index) => smallest.words(index),
    at: async (size) =>
      picturesOf(await openAvatars(cached(size))).map((one) => inFrame(one, size)),
    async few(size, wanted) {
      const side = shorter(size);
      const made: Picture[] = [];
      for (const { spec } of splitSpecs(avatars, split, wanted)) {
        const data = await avatars.render(spec, side);
        made.push(inFrame({ data, width: side, height: side }, size));
      }
      return made;
    },
    unmade: async (size) => {
      const options = cached(size);
      return areDrawn(avatars, options) ? 0 : options.count;
    },
  };
}

export const shorter = ({ width, height }: Size) => Math.min(width, height);

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
