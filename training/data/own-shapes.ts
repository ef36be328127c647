/**
 * Pictures that keep their own shapes, in place of squares cut out of them.
 *
 * - Buckets (aspect-ratio bucketing: NovelAI 2022; SDXL: Podell et al. 2023, section 2.3): sizes of about
 *   the same area, one of which is each picture's, by the nearest ratio of its sides. The picture is
 *   scaled to cover it, and what is beyond is cut off where it is seen (views.ts).
 * - Native (FiT: Lu et al. 2024; NiT: Wang et al. 2025): the picture's own size, scaled down to an area
 *   where it is larger, never up; seen are as many whole patches as fit in.
 *
 * Ours: which buckets there are (every multiple of a side, with the longest other side within the area),
 * the nearest by the logarithm of the ratio, and that no picture is left out for its shape.
 */

import type { Shape, Sides } from './dataset.ts';

export type ShapeRule = (picture: Sides) => Shape;

export type OwnShapes = {
  /** Side of the square whose area is the largest. */
  readonly size: number;
  /** Sides are multiples of it; one's ratio to the other is at most `ratio`. */
  readonly buckets?: { readonly multiple: number; readonly ratio: number };
  readonly native?: { readonly multiple: number };
};

/** How a data set keeps shapes; none where it cuts squares. */
export function shapeRuleOf({ size, buckets, native }: OwnShapes): ShapeRule | undefined {
  if (native) return (picture) => nativeShape(picture, size, native.multiple);
  if (!buckets) return undefined;
  const all = bucketsOf(size, buckets);
  return (picture) => bucketShape(picture, all);
}

/** Throws unless a configuration's pictures can keep their shapes, in patches of this side. */
export function checkOwnShapes(
  {
    data,
    views,
  }: { readonly data: OwnShapes & { readonly set: string }; readonly views?: unknown },
  patch: number,
): void {
  for (const name of ['buckets', 'native'] as const) {
    const rule = data[name];
    if (!rule) continue;
    const where = `data.${name}`;
    if (data.set !== 'folder')
      throw new RangeError(
        `${where}: expected the data set 'folder', whose pictures have shapes of their own, got '${data.set}'; leave it out`,
      );
    if (views !== undefined)
      throw new RangeError(
        `views: expected none with ${where}, which says what is seen of pictures, got some; leave one out`,
      );
    if (rule.multiple % patch !== 0 || rule.multiple > data.size)
      throw new RangeError(
        `${where}.multiple: expected a multiple of the patch (${patch}) up to data.size (${data.size}), got ${rule.multiple}`,
      );
  }
}

/** The sizes of buckets, each with its transpose, from the widest to the highest. */
export function bucketsOf(
  side: number,
  { multiple, ratio }: NonNullable<OwnShapes['buckets']>,
): Sides[] {
  const down = (length: number) => Math.floor(length / multiple) * multiple;
  const square = down(side);
  const found = new Map<string, Sides>();
  const add = (...sides: [number, number]) => found.set(sides.join('x'), sides);
  add(square, square);
  for (let short = square; short > 0; short -= multiple) {
    const long = down(side ** 2 / short);
    if (long > ratio * short) break;
    add(short, long);
    add(long, short);
  }
  return [...found.values()].sort((a, b) => a[0] / a[1] - b[0] / b[1]);
}

function bucketShape(picture: Sides, buckets: readonly Sides[]): Shape {
  const away = ([height, width]: Sides) =>
    Math.abs(Math.log(height / width) - Math.log(picture[0] / picture[1]));
  const cut = buckets.reduce((best, one) => (away(one) < away(best) ? one : best));
  const scale = Math.max(cut[0] / picture[0], cut[1] / picture[1]);
  return { size: scaled(picture, scale, cut), cut };
}

function nativeShape(picture: Sides, side: number, multiple: number): Shape {
  const [height, width] = picture;
  const within = Math.min(1, side / Math.sqrt(height * width));
  // A strip narrower than a patch is brought to one, and is cut at its ends.
  const size = scaled(picture, Math.max(within, multiple / height, multiple / width), [
    multiple,
    multiple,
  ]);
  const down = (length: number) => Math.floor(length / multiple) * multiple;
  const most = (length: number, other: number) =>
    length < other ? length : Math.min(length, down(side ** 2 / other));
  const [h, w] = size.map(down) as [number, number];
  return { size, cut: [most(h, w), most(w, h)] };
}

/** The sides times `scale` in whole pixels, not below `least`. */
const scaled = ([height, width]: Sides, scale: number, least: Sides): Sides => [
  Math.max(least[0], Math.round(scale * height)),
  Math.max(least[1], Math.round(scale * width)),
];
