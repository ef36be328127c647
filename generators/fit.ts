/**
 * FiT: a diffusion transformer of tokens in any arrangement (Lu et al. 2024; FiTv2: Wang et al. 2024, section
 * 3). A row is a sequence of tokens with a place each, so pictures of all sizes and shapes share a batch,
 * filled up with padding that only sees itself. Pictures of one row may have a time and a condition each
 * (packing as NiT: Wang et al. 2025, section 3.2). Blocks are DiT's with rotated, normalised queries and keys
 * and SwiGLU; their modulation is one for all blocks plus a low-rank one of each block's own (adaLN-LoRA).
 * Weights are named as in FiT's checkpoints. Bags of words as conditions are ours.
 */
import { timestepEmbedding } from '../encoders/conditioning/timestep.ts';
import type { Placed, Positions } from '../encoders/positions/compose.ts';
import type { Where } from '../encoders/positions/contract.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import { geluTanh, silu, swiglu } from '../tensor/ops/gelu.ts';
import { linear, linearParts } from '../tensor/ops/linear.ts';
import { layerNorm } from '../tensor/ops/norm.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { attend } from './attend.ts';
import type { FiTConfig } from './fit-config.ts';

export type FiTInputs = {
  /** [B, T, p p C]: channels outermost, then the patch's rows. */
  readonly tokens: Tensor;
  /** [B], or [B, P] of up to P pictures in a row. */
  readonly t: Tensor;
  /** Classes [B] or [B, P], bags of words [B, V] or [B, P, V]. */
  readonly condition: Tensor;
  /** [B, T]: the number of each token's picture, from 1; tokens see their own. 0 is padding. */
  readonly mask: Tensor;
  /** Coordinates [B, T, 2]: of each row's own tokens. */
  readonly placed: Placed;
  readonly grid: Grid;
};

/** The network's prediction [B, T, p p C], or [B, T, 2 p p C] with the variance; 0 for padding. */
export function forwardFiT(
  config: FiTConfig,
  positions: Positions,
  weights: Tensors,
  { tokens, t, condition, mask, placed, grid }: FiTInputs,
): Tensor {
  const w = (name: string) => weights[name];
  const c = embedCondition(config, weights, t, condition); // [B, P, C]
  const spread = t.rank === 1 ? (told: Tensor) => told : toTokens(mask, t.shape[1]!);
  const shared =
    config.lora === undefined ? undefined : modulationOf(weights, 'global_adaLN_modulation.1', c);
  const real = tf.expandDims(mask.notEqual(0).toFloat(), -1); // [B, T, 1]
  const hidden = hideOthers(mask);

  let x = linear(tokens, w('x_embedder.proj.weight')!, w('x_embedder.proj.bias')); // [B, T, C]
  for (let layer = 0; layer < config.depth; layer++) {
    const where = {
      ...{ grid, trained: positions.trained, layer, prefix: 0 },
      ...{ heads: config.heads, headSize: positions.headSize },
    };
    x = block(config, positions, weights, x, { c, shared, spread, real, hidden, placed, where });
  }
  const [shift, scale] = tf.split(
    spread(modulationOf(weights, 'final_layer.adaLN_modulation.1', c)),
    2,
    -1,
  ) as [Tensor, Tensor];
  const last = modulate(layerNorm(x, 1e-6), scale, shift);
  return linear(last, w('final_layer.linear.weight')!, w('final_layer.linear.bias')).mul(real);
}

type Context = {
  /** [B, P, C] */
  readonly c: Tensor;
  /** [B, P, 6 C], what all blocks' modulations have in common. */
  readonly shared: Tensor | undefined;
  /** What pictures are told, [B, P, n] -> what their tokens are, [B, T, n], or [B, 1, n] of a single one. */
  readonly spread: (told: Tensor) => Tensor;
  readonly real: Tensor;
  /** [B, 1, T, T] */
  readonly hidden: Tensor;
  readonly placed: Placed;
  readonly where: Where;
};

function block(
  config: FiTConfig,
  positions: Positions,
  weights: Tensors,
  x: Tensor,
  context: Context,
): Tensor {
  const { c, shared, spread, real, where } = context;
  const name = `blocks.${where.layer}`;
  const inner = shared
    ? linear(
        c,
        weights[`${name}.adaLN_modulation.1.weight`]!,
        weights[`${name}.adaLN_modulation.1.bias`],
      )
    : c;
  const own = modulationOf(weights, `${name}.adaLN_modulation.${shared ? 2 : 1}`, inner);
  const [shift1, scale1, gate1, shift2, scale2, gate2] = tf.split(
    spread(shared ? own.add(shared) : own),
    6,
    -1,
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]; // [B, T or 1, C] each
  const a = modulate(layerNorm(x, 1e-6), scale1, shift1);
  const out = selfAttention(config, positions, weights, `${name}.attn`, a, context).mul(real);
  const proj = linear(out, weights[`${name}.attn.proj.weight`]!, weights[`${name}.attn.proj.bias`]);
  const attended = x.add(gate1.mul(proj));
  const m = modulate(layerNorm(attended, 1e-6), scale2, shift2);
  return attended.add(gate2.mul(mlp(config, weights, `${name}.mlp`, m)));
}

/** Values mixed by attention [B, T, C], before their last projection. */
function selfAttention(
  { qkNorm }: FiTConfig,
  positions: Positions,
  weights: Tensors,
  name: string,
  x: Tensor,
  { hidden, placed, where }: Context,
): Tensor {
  const [B, T, C] = x.shape as [number, number, number];
  const w = (key: string) => weights[`${name}.${key}`];
  const [q, k, v] = linearParts(x, w('qkv.weight')!, w('qkv.bias'), 3).map((part) =>
    part.reshape([B, T, positions.projectedHeads, positions.headSize]),
  ) as [Tensor, Tensor, Tensor]; // [B, T, h, d]
  const unit = qkNorm
    ? {
        q: layerNorm(q, 1e-6, w('q_norm.weight')),
        k: layerNorm(k, 1e-6, w('k_norm.weight')),
      }
    : { q, k };
  const turned = positions.rotate(weights, { ...unit, v, x }, placed, where);
  const { bias, scale } = positions.bias(
    weights,
    { ...unit, x, heads: turned.q.shape[2]! },
    placed,
    where,
  );
  const logits = positions.score(weights, { ...turned, x }, placed, where);
  const { out } = attend(turned, { scale, bias: bias ? hidden.add(bias) : hidden }, logits);
  return positions.restore(weights, { out, x }, placed, where).reshape([B, T, C]);
}

function mlp({ mlp: kind }: FiTConfig, weights: Tensors, name: string, x: Tensor): Tensor {
  const project = (layer: string, input: Tensor) =>
    linear(input, weights[`${name}.${layer}.weight`]!, weights[`${name}.${layer}.bias`]);
  const inner =
    kind === 'gelu'
      ? geluTanh(project('fc1', x))
      : swiglu(project('fc1_g', x), project('fc1_x', x));
  return project('fc2', inner);
}

/** Time and condition of every picture, [B, P, C], P = 1 where a row is told once. */
function embedCondition(
  { condition: kind, width }: FiTConfig,
  weights: Tensors,
  t: Tensor,
  condition: Tensor,
): Tensor {
  const [B, P = 1] = t.shape as [number, number?];
  const table = weights['y_embedder.embedding_table.weight']!;
  const y =
    'classes' in kind
      ? tf.gather(table, condition.toInt().reshape([B * P]))
      : tf.matMul(condition.reshape([B * P, kind.words]), table);
  const time = timestepEmbedding(weights, 't_embedder', t.reshape([B * P]));
  return silu(time.add(y)).reshape([B, P, width]);
}

/** mask [B, T] -> a function that gives every token what its picture is told; padding is told zeros. */
function toTokens(mask: Tensor, pictures: number): (told: Tensor) => Tensor {
  const numbers = tf.range(1, pictures + 1).reshape([1, 1, pictures]);
  const own = tf.expandDims(mask, 2).equal(numbers).toFloat(); // [B, T, P]
  return (told) => tf.matMul(own, told);
}

/** c [B, P, I] -> [B, P, n C] */
const modulationOf = (weights: Tensors, name: string, c: Tensor): Tensor =>
  linear(c, weights[`${name}.weight`]!, weights[`${name}.bias`]);

const modulate = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  x.mul(scale.add(1)).add(shift);

/** mask [B, T] -> [B, 1, T, T]: 0 between tokens of the same number, -1e9 elsewhere. */
function hideOthers(mask: Tensor): Tensor {
  const same = tf.expandDims(mask, 2).equal(tf.expandDims(mask, 1)).toFloat();
  return tf.expandDims(same.sub(1).mul(1e9), 1);
}
