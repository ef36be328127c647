/**
 * Diffusion transformer with adaLN-zero conditioning (DiT: Peebles and Xie 2023, section 3.2) and the
 * options that its descendants added: SwiGLU, RMS norm and RoPE (LightningDiT: Yao et al. 2025),
 * qk-norm, in-context condition tokens and a bottleneck in the patch embedding (JiT: Li and He 2025).
 * Weights are named as in DiT's checkpoints. Bags of attribute words are ours.
 */
import { microEmbedding } from '../encoders/conditioning/micro.ts';
import { timestepEmbedding } from '../encoders/conditioning/timestep.ts';
import type { Placed, Positions } from '../encoders/positions/compose.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import { patchify, unpatchify } from '../encoders/tokenizers/patches.ts';
import { conv2d } from '../tensor/ops/conv.ts';
import { geluTanh, silu, swiglu } from '../tensor/ops/gelu.ts';
import { linear, linearParts } from '../tensor/ops/linear.ts';
import { layerNorm, rmsNorm } from '../tensor/ops/norm.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { attend } from './attend.ts';
import type { DiTConfig } from './dit-config.ts';

export type DiTInputs = {
  /** [B, H, W, C] */
  readonly x: Tensor;
  /** [B], 1 is pure noise */
  readonly t: Tensor;
  /** Class indices [B] or bags of words [B, V] */
  readonly condition: Tensor;
  /** [B, 7] of encoders/conditioning/micro.ts, where the configuration has `micro` */
  readonly micro?: Tensor;
  readonly placed: Placed;
  readonly grid: Grid;
};

/** The network's prediction [B, H, W, C], or [B, H, W, 2 C] with the variance. */
export function forwardDiT(
  config: DiTConfig,
  positions: Positions,
  weights: Tensors,
  { x, t, condition, micro, placed, grid }: DiTInputs,
): Tensor {
  const [, H, W] = x.shape as [number, number, number, number];
  const at = (layer: number, prefix: number) => ({
    grid,
    trained: positions.trained,
    layer,
    heads: config.heads,
    headSize: positions.headSize,
    prefix,
  });
  const y = embedCondition(config, weights, condition); // [B, C]
  const time = timestepEmbedding(weights, 't_embedder', t.mul(config.timeScale)); // [B, C]
  const told = micro ? time.add(microEmbedding(weights, micro)) : time;
  const c = silu(told.add(y));

  let tokens = positions.embed(weights, embedPatches(config, weights, x), placed, at(0, 0), 0); // [B, T, C]
  let prefix = 0;
  let here = placed;
  for (let i = 0; i < config.depth; i++) {
    if (config.context && config.context.start === i) {
      prefix = config.context.tokens;
      tokens = tf.concat([tf.expandDims(y, 1).add(weights.in_context_posemb!), tokens], 1);
    }
    const done = block(config, positions, weights, `blocks.${i}`, tokens, c, here, at(i, prefix));
    here = positions.carry(weights, done, here, at(i, prefix));
    tokens = positions.embed(weights, done.x, here, at(i, prefix), i + 1);
  }
  const picture = prefix > 0 ? tf.slice(tokens, [0, prefix, 0]) : tokens;
  const prediction = unpatchify(finalLayer(config, weights, picture, c), config.patch, H, W);
  return config.refiner ? prediction.add(refine(weights, prediction, x)) : prediction;
}

/** The block's output [B, T, C], and its attention [B, h, T, T] where a score method made the logits. */
function block(
  config: DiTConfig,
  positions: Positions,
  weights: Tensors,
  name: string,
  x: Tensor,
  c: Tensor,
  placed: Placed,
  where: Parameters<Positions['rotate']>[3],
): { x: Tensor; attention?: Tensor } {
  const w = (key: string) => weights[`${name}.${key}`];
  const parts = config.shift ? 6 : 4;
  const modulation = tf.expandDims(
    linear(c, w('adaLN_modulation.1.weight')!, w('adaLN_modulation.1.bias')!),
    1,
  );
  const chunks = tf.split(modulation, parts, -1); // [B, 1, C] each
  const [shift1, scale1, gate1, shift2, scale2, gate2] = config.shift
    ? chunks
    : [undefined, chunks[0], chunks[1], undefined, chunks[2], chunks[3]];

  const a = modulate(normalise(config, x, w('norm1.weight')), scale1!, shift1);
  const { out, ...kept } = selfAttention(config, positions, weights, name, a, placed, where);
  const attended = x.add(gate1!.mul(out));

  const m = modulate(normalise(config, attended, w('norm2.weight')), scale2!, shift2);
  return { x: attended.add(gate2!.mul(mlp(config, weights, `${name}.mlp`, m))), ...kept };
}

function mlp(config: DiTConfig, weights: Tensors, name: string, x: Tensor): Tensor {
  const w = (key: string) => weights[`${name}.${key}`];
  if (config.mlp === 'gelu') {
    const hidden = geluTanh(linear(x, w('fc1.weight')!, w('fc1.bias')));
    return linear(hidden, w('fc2.weight')!, w('fc2.bias'));
  }
  const [gate, value] = linearParts(x, w('w12.weight')!, w('w12.bias'), 2) as [Tensor, Tensor];
  return linear(swiglu(gate, value), w('w3.weight')!, w('w3.bias'));
}

function selfAttention(
  config: DiTConfig,
  positions: Positions,
  weights: Tensors,
  name: string,
  x: Tensor,
  placed: Placed,
  where: Parameters<Positions['rotate']>[3],
): { out: Tensor; attention?: Tensor } {
  const [B, T, C] = x.shape as [number, number, number];
  const { headSize, projectedHeads } = positions;
  const w = (key: string) => weights[`${name}.attn.${key}`];
  const project = (tokens: Tensor) =>
    linearParts(tokens, w('qkv.weight')!, w('qkv.bias'), 3).map((part) =>
      part.reshape([B, T, projectedHeads, headSize]),
    ) as [Tensor, Tensor, Tensor]; // [B, T, h, d]
  const placedX = positions.embed(weights, x, placed, where, 'attention');
  const [q, k, own] = project(placedX);
  const v = placedX === x ? own : project(x)[2];
  const unit = config.qkNorm
    ? { q: rmsNorm(q, 1e-6, w('q_norm.weight')), k: rmsNorm(k, 1e-6, w('k_norm.weight')), v }
    : { q, k, v };
  const turned = positions.rotate(weights, { ...unit, x }, placed, where);
  const { bias, scale } = positions.bias(
    weights,
    { q: unit.q, k: unit.k, x, heads: turned.q.shape[2]! },
    placed,
    where,
  );
  const logits = positions.score(weights, { ...turned, x }, placed, where); // [B, h, T, T]
  const { out, ...kept } = attend(turned, { scale, ...(bias ? { bias } : {}) }, logits);
  const restored = positions.restore(weights, { out, x }, placed, where);
  return { out: linear(restored.reshape([B, T, C]), w('proj.weight')!, w('proj.bias')), ...kept };
}

function finalLayer(config: DiTConfig, weights: Tensors, x: Tensor, c: Tensor): Tensor {
  const w = (key: string) => weights[`final_layer.${key}`];
  const modulation = tf.expandDims(
    linear(c, w('adaLN_modulation.1.weight')!, w('adaLN_modulation.1.bias')!),
    1,
  );
  const [shift, scale] = tf.split(modulation, 2, -1) as [Tensor, Tensor];
  const normal = modulate(normalise(config, x, w('norm_final.weight')), scale, shift);
  return linear(normal, w('linear.weight')!, w('linear.bias'));
}

const normalise = ({ norm }: DiTConfig, x: Tensor, gain?: Tensor): Tensor =>
  norm === 'layer' ? layerNorm(x, 1e-6, gain) : rmsNorm(x, 1e-6, gain);

function modulate(x: Tensor, scale: Tensor, shift?: Tensor): Tensor {
  const scaled = x.mul(scale.add(1));
  return shift ? scaled.add(shift) : scaled;
}

function embedCondition(
  { condition: kind }: DiTConfig,
  weights: Tensors,
  condition: Tensor,
): Tensor {
  const table = weights['y_embedder.embedding_table.weight']!;
  return 'classes' in kind ? tf.gather(table, condition.toInt()) : tf.matMul(condition, table);
}

/** [B, H, W, C] -> [B, T, width]: a convolution whose stride is its size, as a product of matrices. */
export function embedPatches(
  { patch, bottleneck }: DiTConfig,
  weights: Tensors,
  x: Tensor,
): Tensor {
  const flat = patchify(x, patch); // [B, T, C p p]
  const matrix = (name: string) => {
    const weight = weights[`x_embedder.${name}.weight`]!;
    return weight.reshape([weight.shape[0]!, -1]);
  };
  if (bottleneck === undefined)
    return linear(flat, matrix('proj'), weights['x_embedder.proj.bias']);
  return linear(linear(flat, matrix('proj1')), matrix('proj2'), weights['x_embedder.proj2.bias']);
}

/** What the prediction lacks, from itself and the noisy picture [B, H, W, C]. */
function refine(weights: Tensors, prediction: Tensor, x: Tensor): Tensor {
  const convolve = (input: Tensor, layer: number) =>
    conv2d(input, weights[`refiner.${layer}.weight`]!, {
      padding: 1,
      bias: weights[`refiner.${layer}.bias`]!,
    });
  const first = silu(convolve(tf.concat([prediction, x], -1), 0));
  return convolve(silu(convolve(first, 1)), 2);
}
