/**
 * Tokenizers: pictures as grids of whole numbers, and back. A tokenizer is a network, which turns
 * pictures into latents on a grid and codes into pictures, and a quantiser, which turns latents into
 * codes of a finite set. Both are functions of weights inside a traced program; `createTokenizer` of
 * tokenizer.ts compiles them. The grid is free: any height and width that the factor divides.
 */
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';

export type TokenizerNetwork = {
  /** Pixels a token, on each side. */
  readonly factor: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  init(rng: Rng): HostTensors;
  /** Pictures [B, H, W, 3] in [-1, 1] -> latents [B, h, w, d]. */
  encode(weights: Tensors, pictures: Tensor): Tensor;
  /** Codes [B, h, w, d] -> pictures [B, H, W, 3]. */
  decode(weights: Tensors, codes: Tensor): Tensor;
};

export type Quantised = {
  /** The nearest codes [B, h, w, d], through which gradients reach the latents. */
  readonly codes: Tensor;
  /** Their numbers, int32 [B, h, w]. */
  readonly tokens: Tensor;
  /** The latents as they are compared with codes, [B, h, w, d]. */
  readonly latents: Tensor;
  /** What training adds to its loss; none where nothing is to be learned. */
  readonly losses: Readonly<Record<string, Tensor>>;
};

export type Quantiser = {
  /** Number of codes. */
  readonly vocabulary: number;
  /** Numbers of a latent and of a code. */
  readonly width: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  init(rng: Rng): HostTensors;
  quantise(weights: Tensors, latents: Tensor): Quantised;
  /** Tokens [B, h, w] -> codes [B, h, w, d]. */
  lookup(weights: Tensors, tokens: Tensor): Tensor;
};

/** A tokenizer with its weights, compiled once a size; dispose of it after use. */
export type Tokenizer = {
  readonly vocabulary: number;
  readonly factor: number;
  /** Pictures [B, H, W, 3] in [-1, 1] -> tokens, int32 [B, h, w]. */
  encode(pictures: HostTensor): Promise<HostTensor>;
  /** Tokens [B, h, w] -> pictures [B, H, W, 3], not clipped. */
  decode(tokens: HostTensor): Promise<HostTensor>;
  dispose(): Promise<void>;
};
