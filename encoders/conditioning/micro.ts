/**
 * Micro-conditioning: the network is told how large a picture was, where it was cut and how large the
 * result is (SDXL: Podell et al. 2023, section 2.2; RPE-2D trains with it). Each number has a sinusoidal
 * embedding, a small network turns all of them into one vector, which is added to the timestep's.
 *
 * Ours: places of cuts are given relative to the picture, in thousandths, so that they mean the same at
 * every size; the last layer starts at zero, so a model that learns it later begins as it was.
 */
import { silu } from '../../tensor/ops/gelu.ts';
import { linear } from '../../tensor/ops/linear.ts';
import type { HostTensor } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import type { MicroSize } from '../positions/contract.ts';
import { TIMESTEP_WIDTH, timestepWaves } from './timestep.ts';

const NUMBERS = 6;
/** Six numbers, and one that says whether they are there at all. */
export const MICRO_WIDTH = NUMBERS + 1;
const THOUSANDTHS = 1000;

/**
 * What a network is told of a picture that it draws: a whole one of the size asked for, a whole one of the
 * trained size (the only whole pictures that a network trained at one size was told of), or nothing, as
 * where training dropped it.
 */
export const TOLD = ['asked', 'trained', 'nothing'] as const;
export type Told = (typeof TOLD)[number];

/** A whole picture of this many pixels. */
export const wholePicture = (height: number, width: number): MicroSize => ({
  original: [height, width],
  crop: [0, 0],
  target: [height, width],
});

type Size = { readonly height: number; readonly width: number };

/** The numbers of what is told; `undefined` is nothing. */
export function microOf(told: Told | MicroSize, asked: Size, trained: Size): MicroSize | undefined {
  if (told === 'nothing') return undefined;
  if (typeof told === 'object') return told;
  const { height, width } = told === 'asked' ? asked : trained;
  return wholePicture(height, width);
}

/** Rows [B, 7]; `undefined` is a picture of which nothing is said. */
export function microRows(sizes: readonly (MicroSize | undefined)[]): HostTensor {
  const data = new Float32Array(sizes.length * MICRO_WIDTH);
  for (const [row, size] of sizes.entries()) {
    if (!size) continue;
    const { original, crop, target } = size;
    const cut = crop.map((pixels, axis) => (THOUSANDTHS * pixels) / original[axis]!);
    data.set([...original, ...cut, ...target, 1], row * MICRO_WIDTH);
  }
  return { data, shape: [sizes.length, MICRO_WIDTH] };
}

/** rows [B, 7] -> [B, C] by weights `size_embedder.mlp.0` and `.2`; zero where nothing is said. */
export function microEmbedding(weights: Tensors, rows: Tensor): Tensor {
  const B = rows.shape[0]!;
  const numbers = tf.slice(rows, [0, 0], [B, NUMBERS]).reshape([B * NUMBERS]);
  const waves = timestepWaves(numbers).reshape([B, NUMBERS * TIMESTEP_WIDTH]);
  const layer = (x: Tensor, i: 0 | 2) =>
    linear(x, weights[`size_embedder.mlp.${i}.weight`]!, weights[`size_embedder.mlp.${i}.bias`]!);
  const present = tf.slice(rows, [0, NUMBERS], [B, 1]);
  return layer(silu(layer(waves, 0)), 2).mul(present);
}

export const microShapes = (width: number): Record<string, number[]> => ({
  'size_embedder.mlp.0.weight': [width, NUMBERS * TIMESTEP_WIDTH],
  'size_embedder.mlp.0.bias': [width],
  'size_embedder.mlp.2.weight': [width, width],
  'size_embedder.mlp.2.bias': [width],
});
