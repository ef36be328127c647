/**
 * The convolutional encoder and decoder of VQGAN (Esser et al. 2021) as LlamaGen's VQ-16 has them (Sun et
 * al. 2024): residual blocks on levels of halving size, attention on the lowest, group norms, SiLU.
 * Weights are named as in its checkpoint; VQ-16 is `CONV_PRESETS['vq-16']`.
 */
import { attention } from '../../tensor/ops/attention.ts';
import { conv2d } from '../../tensor/ops/conv.ts';
import { silu } from '../../tensor/ops/gelu.ts';
import { groupNorm } from '../../tensor/ops/group-norm.ts';
import { resize } from '../../tensor/ops/resize.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import type { TokenizerNetwork } from './contract.ts';
import { convShapes, initConv } from './conv-weights.ts';

export type ConvConfig = {
  readonly kind: 'conv';
  /** Channels of the first level, and how many times as many each level has. */
  readonly channels: number;
  readonly multipliers: readonly number[];
  /** Residual blocks of an encoder's level; the decoder's have one more. */
  readonly blocks: number;
  /** Channels between the last convolution and the quantiser's 1x1. */
  readonly latent: number;
  /** Of group norms. */
  readonly groups: number;
};

export const CONV_PRESETS = {
  'vq-16': {
    kind: 'conv',
    channels: 128,
    multipliers: [1, 1, 2, 2, 4],
    blocks: 2,
    latent: 256,
    groups: 32,
  },
} as const satisfies Record<string, ConvConfig>;

export function conv(config: ConvConfig, width: number): TokenizerNetwork {
  const shapes = convShapes(config, width);
  return {
    factor: 2 ** (config.multipliers.length - 1),
    shapes,
    init: (rng) => initConv(shapes, rng),
    encode: (weights, pictures) =>
      convolve(weights, 'quant_conv', encoder(config, weights, pictures)),
    decode: (weights, codes) =>
      decoder(config, weights, convolve(weights, 'post_quant_conv', codes)),
  };
}

/** [B, H, W, 3] -> [B, h, w, latent]. */
function encoder(config: ConvConfig, weights: Tensors, pictures: Tensor): Tensor {
  const { multipliers, blocks, groups } = config;
  const lowest = multipliers.length - 1;
  let x = convolve(weights, 'encoder.conv_in', pictures);
  for (let level = 0; level <= lowest; level++) {
    const name = `encoder.conv_blocks.${level}`;
    for (let i = 0; i < blocks; i++) {
      x = residual(weights, `${name}.res.${i}`, x, groups);
      if (level === lowest) x = attend(weights, `${name}.attn.${i}`, x, groups);
    }
    if (level < lowest) x = downsample(weights, `${name}.downsample.conv`, x);
  }
  x = middle(weights, 'encoder.mid', x, groups);
  return convolve(weights, 'encoder.conv_out', silu(norm(weights, 'encoder.norm_out', x, groups)));
}

/** [B, h, w, latent] -> [B, H, W, 3]. */
function decoder(config: ConvConfig, weights: Tensors, codes: Tensor): Tensor {
  const { multipliers, blocks, groups } = config;
  const last = multipliers.length - 1;
  let x = convolve(weights, 'decoder.conv_in', codes);
  x = middle(weights, 'decoder.mid', x, groups);
  for (let i = 0; i <= last; i++) {
    const name = `decoder.conv_blocks.${i}`; // from the lowest level up
    for (let k = 0; k <= blocks; k++) {
      x = residual(weights, `${name}.res.${k}`, x, groups);
      if (i === 0) x = attend(weights, `${name}.attn.${k}`, x, groups);
    }
    if (i < last) x = upsample(weights, `${name}.upsample.conv`, x);
  }
  return convolve(weights, 'decoder.conv_out', silu(norm(weights, 'decoder.norm_out', x, groups)));
}

function middle(weights: Tensors, name: string, x: Tensor, groups: number): Tensor {
  const first = residual(weights, `${name}.0`, x, groups);
  return residual(weights, `${name}.2`, attend(weights, `${name}.1`, first, groups), groups);
}

function residual(weights: Tensors, name: string, x: Tensor, groups: number): Tensor {
  const layer = (input: Tensor, i: 1 | 2) =>
    convolve(weights, `${name}.conv${i}`, silu(norm(weights, `${name}.norm${i}`, input, groups)));
  const shortcut = `${name}.nin_shortcut`;
  const straight = weights[`${shortcut}.weight`] ? convolve(weights, shortcut, x) : x;
  return straight.add(layer(layer(x, 1), 2));
}

/** One head over all places of the grid. */
function attend(weights: Tensors, name: string, x: Tensor, groups: number): Tensor {
  const [B, h, w, C] = x.shape as [number, number, number, number];
  const normal = norm(weights, `${name}.norm`, x, groups);
  const [q, k, v] = ['q', 'k', 'v'].map((part) =>
    convolve(weights, `${name}.${part}`, normal).reshape([B, h * w, 1, C]),
  ) as [Tensor, Tensor, Tensor]; // [B, T, 1, C]
  const mixed = attention(q, k, v).reshape([B, h, w, C]);
  return x.add(convolve(weights, `${name}.proj_out`, mixed));
}

/** Odd on purpose: padding on the right and below only, as in the published code. */
const downsample = (weights: Tensors, name: string, x: Tensor): Tensor =>
  conv2d(x, weights[`${name}.weight`]!, {
    stride: 2,
    padding: [
      [0, 1],
      [0, 1],
    ],
    bias: weights[`${name}.bias`]!,
  });

function upsample(weights: Tensors, name: string, x: Tensor): Tensor {
  const [, h, w] = x.shape as [number, number, number, number];
  return convolve(weights, name, resize(x, 2 * h, 2 * w, { mode: 'nearest' }));
}

/** 3x3 or 1x1, by its weights, with the size kept. */
function convolve(weights: Tensors, name: string, x: Tensor): Tensor {
  const weight = weights[`${name}.weight`]!;
  const padding = (weight.shape[3]! - 1) / 2;
  return conv2d(x, weight, { padding, bias: weights[`${name}.bias`]! });
}

const norm = (weights: Tensors, name: string, x: Tensor, groups: number): Tensor =>
  groupNorm(x, groups, {
    gain: weights[`${name}.weight`]!,
    bias: weights[`${name}.bias`]!,
    eps: 1e-6,
  });
