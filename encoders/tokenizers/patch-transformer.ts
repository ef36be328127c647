/**
 * An encoder and a decoder of transformer blocks on patches (ViT-VQGAN: Yu et al. 2022, section 3.1): all
 * work is products of large matrices, which CPUs do several times as fast as convolutions at full resolution.
 * Ours: axial RoPE in place of learned positions, so that the grid is free; RMS norm, qk-norm and SwiGLU;
 * the first and last layer read and write a patch and nothing else.
 */
import { attention } from '../../tensor/ops/attention.ts';
import { swiglu } from '../../tensor/ops/gelu.ts';
import { linear, linearParts } from '../../tensor/ops/linear.ts';
import { rmsNorm } from '../../tensor/ops/norm.ts';
import { rope } from '../../tensor/ops/rope.ts';
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { axial, axialTables } from '../positions/rotate/axial.ts';
import type { TokenizerNetwork } from './contract.ts';
import { patchify, unpatchify } from './patches.ts';

export type PatchTransformerConfig = {
  readonly kind: 'patch-transformer';
  readonly patch: number;
  readonly width: number;
  /** Blocks of the encoder and of the decoder. */
  readonly depth: readonly [number, number];
  readonly heads: number;
  /** Inside SwiGLU. */
  readonly hidden: number;
};

const ROTATION = { base: 100, first: 'y', layout: 'halves', prefix: 'identity' } as const;
const CHANNELS = 3;

export function patchTransformer(config: PatchTransformerConfig, width: number): TokenizerNetwork {
  const { patch } = config;
  const shapes = shapesOf(config, width);
  return {
    factor: patch,
    shapes,
    init: (rng) => init(shapes, rng),
    encode(weights, pictures) {
      const [B, H, W] = pictures.shape as [number, number, number, number];
      const grid = [H / patch, W / patch] as const;
      const tokens = trunk(config, weights, 'encoder', patchify(pictures, patch), grid);
      return tokens.reshape([B, ...grid, width]);
    },
    decode(weights, codes) {
      const [B, h, w] = codes.shape as [number, number, number, number];
      const tokens = trunk(config, weights, 'decoder', codes.reshape([B, h * w, width]), [h, w]);
      return unpatchify(tokens, patch, h * patch, w * patch);
    },
  };
}

/** One half: [B, T, in] -> [B, T, out]. */
function trunk(
  config: PatchTransformerConfig,
  weights: Tensors,
  half: 'encoder' | 'decoder',
  x: Tensor,
  [height, across]: readonly [number, number],
): Tensor {
  const layer = (name: string, input: Tensor) =>
    linear(input, weights[`${half}.${name}.weight`]!, weights[`${half}.${name}.bias`]);
  const turns = turnsOf(config, height, across);
  let tokens = layer('in', x); // [B, T, C]
  for (let i = 0; i < config.depth[half === 'encoder' ? 0 : 1]; i++)
    tokens = block(config, weights, `${half}.blocks.${i}`, tokens, turns);
  return layer('out', rmsNorm(tokens, 1e-6, weights[`${half}.norm.weight`]));
}

type Turns = { readonly cos: Tensor; readonly sin: Tensor };

function block(
  { heads }: PatchTransformerConfig,
  weights: Tensors,
  name: string,
  x: Tensor,
  { cos, sin }: Turns,
): Tensor {
  const [B, T, C] = x.shape as [number, number, number];
  const w = (key: string) => weights[`${name}.${key}`]!;
  const a = rmsNorm(x, 1e-6, w('norm1.weight'));
  const [q, k, v] = linearParts(a, w('attn.qkv.weight'), undefined, 3).map((part) =>
    part.reshape([B, T, heads, C / heads]),
  ) as [Tensor, Tensor, Tensor]; // [B, T, h, d]
  const unit = (part: 'q' | 'k', value: Tensor) =>
    rope(rmsNorm(value, 1e-6, w(`attn.${part}_norm.weight`)), cos, sin);
  const mixed = attention(unit('q', q), unit('k', k), v).reshape([B, T, C]);
  const attended = x.add(linear(mixed, w('attn.proj.weight')));

  const m = rmsNorm(attended, 1e-6, w('norm2.weight'));
  const [gate, value] = linearParts(m, w('mlp.w12.weight'), undefined, 2) as [Tensor, Tensor];
  return attended.add(linear(swiglu(gate, value), w('mlp.w3.weight')));
}

/** Rotations of the grid's cells: a token's place is its row and column. */
function turnsOf({ width, heads }: PatchTransformerConfig, height: number, across: number): Turns {
  const cells = Array.from({ length: height * across }, (_, i) => [
    Math.floor(i / across),
    i % across,
  ]);
  const { y, x } = axial.frequencies!(width / heads, ROTATION);
  return axialTables(tf.tensor2d(cells), tf.tensor2d([[...y], [...x]]), 0, ROTATION);
}

function shapesOf(config: PatchTransformerConfig, latent: number): Record<string, number[]> {
  const { patch, width: C, depth, heads, hidden } = config;
  const pixels = patch * patch * CHANNELS;
  const layer = (name: string, out: number, into: number) => ({
    [`${name}.weight`]: [out, into],
    [`${name}.bias`]: [out],
  });
  const blockShapes = (name: string): Record<string, number[]> => ({
    [`${name}.norm1.weight`]: [C],
    [`${name}.attn.qkv.weight`]: [3 * C, C],
    [`${name}.attn.q_norm.weight`]: [C / heads],
    [`${name}.attn.k_norm.weight`]: [C / heads],
    [`${name}.attn.proj.weight`]: [C, C],
    [`${name}.norm2.weight`]: [C],
    [`${name}.mlp.w12.weight`]: [2 * hidden, C],
    [`${name}.mlp.w3.weight`]: [C, hidden],
  });
  const half = (name: string, blocks: number, into: number, out: number) => ({
    ...layer(`${name}.in`, C, into),
    ...Object.assign(
      {},
      ...Array.from({ length: blocks }, (_, i) => blockShapes(`${name}.blocks.${i}`)),
    ),
    [`${name}.norm.weight`]: [C],
    ...layer(`${name}.out`, out, C),
  });
  return {
    ...half('encoder', depth[0], pixels, latent),
    ...half('decoder', depth[1], latent, pixels),
  };
}

/** Uniform with variance 1 / inputs; gains 1, biases 0, and 0 where a block's branches join. */
function init(shapes: Readonly<Record<string, readonly number[]>>, rng: Rng): HostTensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      if (/norm\d?\.weight$/.test(name)) data.fill(1);
      else if (!/\.bias$|(proj|w3)\.weight$/.test(name)) {
        const draw = rng.stream(name);
        const limit = Math.sqrt(3 / shape[1]!);
        for (let i = 0; i < data.length; i++) data[i] = (2 * draw.uniform() - 1) * limit;
      }
      return [name, { data, shape }];
    }),
  );
}
