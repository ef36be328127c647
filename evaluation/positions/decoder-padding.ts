/**
 * The pattern from padding of a tokenizer's decoder: tokens of drawings of twice its side, whose middle is decoded
 * alone and as a part of the whole. A convolution's zeros show at the border and fall off from there; what looks at
 * all tokens (attention, norms over a picture) differs everywhere, by what is around.
 */
import type { Tokenizer } from '../../encoders/tokenizers/contract.ts';
import { fromPicture, type Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { type MapFunction, type PaddingPattern, paddingPattern } from './padding.ts';

export type DecoderPadding = {
  readonly tokenizer: string;
  /** What was decoded alone. */
  readonly size: Size;
  readonly pictures: number;
  /** Colours are in [-1, 1], distances to the border in pixels. */
  readonly pattern: PaddingPattern;
};
export type DecoderPaddingOptions = {
  readonly id: string;
  readonly tokenizer: Tokenizer;
  /** Of the squares that are decoded alone, in pixels. */
  readonly side: number;
  /** Squares of `canvasSide`. */
  readonly drawings: readonly Picture[];
  readonly signal?: AbortSignal;
};

/** Twice a side, with as many tokens around its middle on all sides. */
export const canvasSide = (side: number, factor: number): number =>
  side + 2 * factor * marginOf(side / factor);
const marginOf = (tokens: number) => Math.ceil(tokens / 2);

export async function decoderPadding({
  id,
  tokenizer,
  side,
  drawings,
  signal,
}: DecoderPaddingOptions): Promise<DecoderPadding> {
  const { factor } = tokenizer;
  const tokens = side / factor;
  const inputs: Float32Array[] = [];
  for (const drawing of drawings) {
    signal?.throwIfAborted();
    const shape = [1, drawing.height, drawing.width, 3];
    const encoded = await tokenizer.encode({ data: fromPicture(drawing), shape });
    inputs.push(Float32Array.from(encoded.data));
  }
  const decode: MapFunction = async (input, { height, width }) => {
    signal?.throwIfAborted();
    const given = { data: Int32Array.from(input), shape: [1, height, width] };
    return { data: (await tokenizer.decode(given)).data, channels: 3 };
  };
  const canvas = { height: tokens, width: tokens, channels: 1 };
  return {
    ...{ tokenizer: id, size: { width: side, height: side }, pictures: drawings.length },
    pattern: await paddingPattern(decode, canvas, { margin: marginOf(tokens), inputs, factor }),
  };
}
