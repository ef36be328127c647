/** [height, width] in pixels. */
export type Sides = readonly [number, number];
/** A picture as it is kept, and the size of what is seen of it. */
export type Shape = { readonly size: Sides; readonly cut: Sides };

/** Pictures, of one size or each of its own, with words from a fixed vocabulary: what the training loop reads. */
export type Dataset = {
  readonly name: string;
  /** Side in pixels; of pictures of their own shapes that of a square as large as the largest. */
  readonly size: number;
  readonly length: number;
  /** Sorted "attribute=value" words; a word's id is its place here. */
  readonly vocabulary: readonly string[];
  /** Where pictures keep their own shapes; squares otherwise. */
  shape?(index: number): Shape;
  /** height * width * 3 bytes of RGB, row by row; borrowed, so copy before changing. */
  pixels(index: number): Uint8Array;
  /** Ids of the words that hold for this picture, ascending. */
  words(index: number): readonly number[];
};
