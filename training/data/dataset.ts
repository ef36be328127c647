/** Pictures of one size with words from a fixed vocabulary: what the training loop reads. */
export type Dataset = {
  readonly name: string;
  /** Side in pixels. */
  readonly size: number;
  readonly length: number;
  /** Sorted "attribute=value" words; a word's id is its place here. */
  readonly vocabulary: readonly string[];
  /** size * size * 3 bytes of RGB, row by row; borrowed, so copy before changing. */
  pixels(index: number): Uint8Array;
  /** Ids of the words that hold for this picture, ascending. */
  words(index: number): readonly number[];
};
