/**
 * The attribute reader: looks at a picture and says which value each attribute has. It is trained on
 * real drawings of one size only and then frozen, so its answers about a generator's pictures are
 * independent of how the generator was trained.
 *
 * Network (ours): each cell of a 16 x 16 grid sees its 3 x 3 neighbours, 2 x 2 cells are merged into
 * one of 64 tokens, MLP-Mixer blocks (Tolstikhin et al. 2021, eq. 1; here with RMS norms) mix them, and a
 * head reads them all in their places, for drawings share a layout.
 */
import { linear } from '../tensor/ops/linear.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import type { Attributes } from './attributes.ts';

export type ReaderConfig = {
  /** Side of pictures in pixels, a multiple of 16. */
  readonly size: number;
  /** Width of a cell, of a token, and inside the blocks' two MLPs. */
  readonly stem: number;
  readonly width: number;
  readonly depth: number;
  readonly tokenHidden: number;
  readonly hidden: number;
  /** Width of a token as the head sees it, and of the head. */
  readonly summary: number;
  readonly head: number;
};

const CELLS = 16;
const TOKENS = (CELLS / 2) ** 2;
/** Logits are bent to at most this, so that sums of exponentials fit float32 without each attribute's maximum. */
const LARGEST = 15;

/** Pictures [B, S, S, 3] in [-1, 1] -> logits [B, V]. */
export function forwardReader(config: ReaderConfig, weights: Tensors, x: Tensor): Tensor {
  const B = x.shape[0]!;
  const layer = (name: string, input: Tensor) =>
    linear(input, weights[`${name}.weight`]!, weights[`${name}.bias`]);
  const cells = tf.relu(layer('stem', neighbourhoods(cellsOf(x, config.size)))); // [B, 16, 16, stem]
  const merged = cells
    .reshape([B, CELLS / 2, 2, CELLS / 2, 2, config.stem])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([B, TOKENS, 4 * config.stem]);
  let tokens = layer('merge', merged).add(weights.position!);
  for (let i = 0; i < config.depth; i++) {
    const mlp = (kind: string, input: Tensor) =>
      layer(`blocks.${i}.mlp.${kind}2`, tf.relu(layer(`blocks.${i}.mlp.${kind}1`, input)));
    const across = rmsNorm(tokens, 1e-6, weights[`blocks.${i}.norm1.weight`]);
    tokens = tokens.add(mlp('token', across.transpose([0, 2, 1])).transpose([0, 2, 1]));
    tokens = tokens.add(mlp('channel', rmsNorm(tokens, 1e-6, weights[`blocks.${i}.norm2.weight`])));
  }
  const seen = layer('summary', rmsNorm(tokens, 1e-6, weights['norm.weight'])); // [B, T, summary]
  const read = tf.relu(layer('head.0', seen.reshape([B, TOKENS * config.summary])));
  return tf.tanh(layer('head.1', read).mul(1 / LARGEST)).mul(LARGEST);
}

/** [B, S, S, 3] -> [B, 16, 16, pixels of a cell]. */
function cellsOf(x: Tensor, size: number): Tensor {
  const side = size / CELLS;
  return x
    .reshape([x.shape[0]!, CELLS, side, CELLS, side, 3])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([x.shape[0]!, CELLS, CELLS, side * side * 3]);
}

/** Every cell beside its eight neighbours, zero outside: [B, H, W, C] -> [B, H, W, 9 C]. */
function neighbourhoods(x: Tensor): Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const padded = tf.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const shifted = [0, 1, 2].flatMap((dy) =>
    [0, 1, 2].map((dx) => tf.slice(padded, [0, dy, dx, 0], [B, H, W, C])),
  );
  return tf.concat(shifted, 3);
}

/**
 * Cross-entropy of the value of each attribute that a picture has, a softmax over that attribute's
 * words; attributes that do not apply have no part. logits [B, V], truth [B, V] of 0 and 1 -> scalar.
 */
export function readingLoss(attributes: Attributes, logits: Tensor, truth: Tensor): Tensor {
  const V = attributes.of.length;
  const G = attributes.names.length;
  const members = new Float32Array(V * G);
  for (const [word, attribute] of attributes.of.entries()) members[word * G + attribute] = 1;
  const groups = tf.tensor(members, [V, G], 'float32');
  const totals = tf.log(tf.matMul(tf.exp(logits), groups)); // [B, G]
  const applies = tf.matMul(truth, groups);
  const asked = tf.sum(applies);
  return tf
    .sum(totals.mul(applies))
    .sub(tf.sum(logits.mul(truth)))
    .div(asked);
}

export function shapesOfReader(config: ReaderConfig, words: number): Record<string, number[]> {
  const { size, stem, width, depth, tokenHidden, hidden, summary, head } = config;
  const layer = (name: string, out: number, into: number) => ({
    [`${name}.weight`]: [out, into],
    [`${name}.bias`]: [out],
  });
  const block = (name: string) => ({
    [`${name}.norm1.weight`]: [width],
    ...layer(`${name}.mlp.token1`, tokenHidden, TOKENS),
    ...layer(`${name}.mlp.token2`, TOKENS, tokenHidden),
    [`${name}.norm2.weight`]: [width],
    ...layer(`${name}.mlp.channel1`, hidden, width),
    ...layer(`${name}.mlp.channel2`, width, hidden),
  });
  return {
    ...layer('stem', stem, 9 * 3 * (size / CELLS) ** 2),
    ...layer('merge', width, 4 * stem),
    position: [1, TOKENS, width],
    ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => block(`blocks.${i}`))),
    'norm.weight': [width],
    ...layer('summary', summary, width),
    ...layer('head.0', head, TOKENS * summary),
    ...layer('head.1', words, head),
  };
}

/** Uniform with variance 1 / inputs; gains 1; biases, positions and each block's last layers 0. */
export function initReader(config: ReaderConfig, words: number, rng: Rng): HostTensors {
  return Object.fromEntries(
    Object.entries(shapesOfReader(config, words)).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      if (/norm\d?\.weight$/.test(name)) data.fill(1);
      else if (!/\.bias$|^position$|(token|channel)2\.weight$/.test(name)) {
        const draw = rng.stream(name);
        const limit = Math.sqrt(3 / shape[1]!);
        for (let i = 0; i < data.length; i++) data[i] = (2 * draw.uniform() - 1) * limit;
      }
      return [name, { data, shape }];
    }),
  );
}
