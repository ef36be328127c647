/**
 * FiT: a diffusion transformer of tokens in any arrangement (Lu et al. 2024; FiTv2: Wang et al. 2024, section
 * 3). A row is a sequence of tokens with a place each, so pictures of all sizes and shapes share a batch,
 * filled up with padding that only sees itself. Blocks are DiT's with rotated, normalised queries and keys
 * and SwiGLU; their modulation is one for all blocks plus a low-rank one of each block's own (adaLN-LoRA).
 * Weights are named as in FiT's checkpoints.
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

export type FiTConfig = {
  /** Side of a patch in latent cells, and their channels. */
  readonly patch: number;
  readonly channels: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly classes: number;
  readonly mlp: 'gelu' | 'swiglu';
  /** Width inside the MLP. */
  readonly hidden: number;
  /** Layer norm of q and k over the head, before they are turned. */
  readonly qkNorm: boolean;
  /** Its gains, and not its offsets. */
  readonly qkGain: boolean;
  /** Width inside of each block's own modulation; without it the blocks' are as DiT's, and none is shared. */
  readonly lora?: number;
  /** Also predicts the variance: twice the output channels. */
  readonly variance: boolean;
};

const FITV2 = {
  patch: 2,
  channels: 4,
  classes: 1000,
  mlp: 'swiglu',
  qkNorm: true,
  qkGain: false,
  variance: false,
} as const;
/** The published FiTv2 for 256 x 256 (its code's `config_fitv2_xl.yaml`). */
export const FIT_PRESETS = {
  'fitv2-xl/2': { ...FITV2, width: 1152, depth: 36, heads: 16, hidden: 3072, lora: 288 },
} as const satisfies Record<string, FiTConfig>;

export type FiTInputs = {
  /** [B, T, p p C]: channels outermost, then the patch's rows. */
  readonly tokens: Tensor;
  /** [B] */
  readonly t: Tensor;
  /** [B] */
  readonly classes: Tensor;
  /** [B, T]: tokens see those of the same number; 0 is padding. */
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
  { tokens, t, classes, mask, placed, grid }: FiTInputs,
): Tensor {
  const w = (name: string) => weights[name];
  const y = tf.gather(w('y_embedder.embedding_table.weight')!, classes.toInt()); // [B, C]
  const c = silu(timestepEmbedding(weights, 't_embedder', t).add(y));
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
    x = block(config, positions, weights, x, { c, shared, real, hidden, placed, where });
  }
  const [shift, scale] = tf.split(
    modulationOf(weights, 'final_layer.adaLN_modulation.1', c),
    2,
    -1,
  ) as [Tensor, Tensor];
  const last = modulate(layerNorm(x, 1e-6), scale, shift);
  return linear(last, w('final_layer.linear.weight')!, w('final_layer.linear.bias')).mul(real);
}

type Context = {
  readonly c: Tensor;
  /** [B, 1, 6 C], what all blocks' modulations have in common. */
  readonly shared: Tensor | undefined;
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
  const { c, shared, real, where } = context;
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
    shared ? own.add(shared) : own,
    6,
    -1,
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]; // [B, 1, C] each
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

/** c [B, I] -> [B, 1, n C] */
const modulationOf = (weights: Tensors, name: string, c: Tensor): Tensor =>
  tf.expandDims(linear(c, weights[`${name}.weight`]!, weights[`${name}.bias`]), 1);

const modulate = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  x.mul(scale.add(1)).add(shift);

/** mask [B, T] -> [B, 1, T, T]: 0 between tokens of the same number, -1e9 elsewhere. */
function hideOthers(mask: Tensor): Tensor {
  const same = tf.expandDims(mask, 2).equal(tf.expandDims(mask, 1)).toFloat();
  return tf.expandDims(same.sub(1).mul(1e9), 1);
}

/** Shapes of all weights but those of position methods. */
export function shapesOfFiT(
  config: FiTConfig,
  projectedHeads = config.heads,
): Record<string, number[]> {
  const { width: C, patch, channels, hidden, lora, heads } = config;
  const linearShapes = (name: string, out: number, into: number) => ({
    [`${name}.weight`]: [out, into],
    [`${name}.bias`]: [out],
  });
  const cells = patch * patch * channels;
  const gains = (name: string) =>
    config.qkNorm && config.qkGain ? { [`${name}.weight`]: [C / heads] } : {};
  const blockShapes = (name: string): Record<string, number[]> => ({
    ...linearShapes(`${name}.attn.qkv`, (3 * C * projectedHeads) / heads, C),
    ...linearShapes(`${name}.attn.proj`, C, C),
    ...gains(`${name}.attn.q_norm`),
    ...gains(`${name}.attn.k_norm`),
    ...(config.mlp === 'swiglu'
      ? {
          ...linearShapes(`${name}.mlp.fc1_g`, hidden, C),
          ...linearShapes(`${name}.mlp.fc1_x`, hidden, C),
        }
      : linearShapes(`${name}.mlp.fc1`, hidden, C)),
    ...linearShapes(`${name}.mlp.fc2`, C, hidden),
    ...(lora === undefined
      ? linearShapes(`${name}.adaLN_modulation.1`, 6 * C, C)
      : {
          ...linearShapes(`${name}.adaLN_modulation.1`, lora, C),
          ...linearShapes(`${name}.adaLN_modulation.2`, 6 * C, lora),
        }),
  });
  return {
    ...linearShapes('x_embedder.proj', C, cells),
    ...linearShapes('t_embedder.mlp.0', C, 256),
    ...linearShapes('t_embedder.mlp.2', C, C),
    'y_embedder.embedding_table.weight': [config.classes + 1, C],
    ...(lora === undefined ? {} : linearShapes('global_adaLN_modulation.1', 6 * C, C)),
    ...Object.assign(
      {},
      ...Array.from({ length: config.depth }, (_, i) => blockShapes(`blocks.${i}`)),
    ),
    ...linearShapes('final_layer.linear', cells * (config.variance ? 2 : 1), C),
    ...linearShapes('final_layer.adaLN_modulation.1', 2 * C, C),
  };
}
