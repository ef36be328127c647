/**
 * Patch features (Chai et al. 2022, "Any-resolution training", section 4: patch FID): a network that sees
 * every picture at one size is blind to what shrinking loses, so it is also shown crops at full resolution.
 * Ours: one crop a picture, at a place from the picture's own random stream, the same place for a generated
 * picture and its real counterpart; a picture that is no larger than the crop is shown whole.
 */
import type { Rng } from '../../tensor/rng.ts';
import type { Pixels } from './contract.ts';

/** A crop of at most `side` x `side` pixels of each picture. */
export function fullResolutionCrops(pictures: readonly Pixels[], side: number, rng: Rng): Pixels[] {
  return pictures.map((picture, i) => {
    const place = rng.stream(`crop/${i}`);
    const [height, width] = [Math.min(side, picture.height), Math.min(side, picture.width)];
    const top = place.integer(picture.height - height + 1);
    const left = place.integer(picture.width - width + 1);
    return crop(picture, { top, left, height, width });
  });
}

/** The square in the middle of a picture, whose side is its shorter one. */
export function middleSquare(picture: Pixels): Pixels {
  const { height, width } = picture;
  const side = Math.min(height, width);
  const [top, left] = [(height - side) >> 1, (width - side) >> 1];
  return height === width ? picture : crop(picture, { top, left, height: side, width: side });
}

type Box = {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
};

function crop(picture: Pixels, { top, left, height, width }: Box): Pixels {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * picture.width + left);
    data.set(picture.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { data, height, width };
}
