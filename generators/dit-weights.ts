/** The weights of a diffusion transformer: their names and shapes, as in DiT's checkpoints, and new ones. */
import { microShapes } from '../encoders/conditioning/micro.ts';
import type { HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { DiTConfig } from './dit-config.ts';
import { initialWeights } from './initial-weights.ts';

/**
 * Shapes of all weights but those of position methods. `projectedHeads`: those of queries, keys and
 * values where a position method makes more of them (compose.ts).
 */
export function shapesOfDiT(
  config: DiTConfig,
  projectedHeads = config.heads,
): Record<string, number[]> {
  const { width: C, patch, channels, hidden, bottleneck } = config;
  const linearShapes = (name: string, out: number, into: number) => ({
    [`${name}.weight`]: [out, into],
    [`${name}.bias`]: [out],
  });
  const gain = (name: string, size = C) => ({ [`${name}.weight`]: [size] });
  const rows =
    'classes' in config.condition ? config.condition.classes + 1 : config.condition.words;
  const outputs = patch * patch * channels * (config.variance ? 2 : 1);
  const blockShapes = (name: string): Record<string, number[]> => ({
    ...(config.gain ? { ...gain(`${name}.norm1`), ...gain(`${name}.norm2`) } : {}),
    ...linearShapes(`${name}.attn.qkv`, (3 * C * projectedHeads) / config.heads, C),
    ...(config.qkNorm
      ? {
          ...gain(`${name}.attn.q_norm`, C / config.heads),
          ...gain(`${name}.attn.k_norm`, C / config.heads),
        }
      : {}),
    ...linearShapes(`${name}.attn.proj`, C, C),
    ...(config.mlp === 'swiglu'
      ? {
          ...linearShapes(`${name}.mlp.w12`, 2 * hidden, C),
          ...linearShapes(`${name}.mlp.w3`, C, hidden),
        }
      : {
          ...linearShapes(`${name}.mlp.fc1`, hidden, C),
          ...linearShapes(`${name}.mlp.fc2`, C, hidden),
        }),
    ...linearShapes(`${name}.adaLN_modulation.1`, (config.shift ? 6 : 4) * C, C),
  });
  return {
    ...(bottleneck === undefined
      ? { 'x_embedder.proj.weight': [C, channels, patch, patch], 'x_embedder.proj.bias': [C] }
      : {
          'x_embedder.proj1.weight': [bottleneck, channels, patch, patch],
          'x_embedder.proj2.weight': [C, bottleneck, 1, 1],
          'x_embedder.proj2.bias': [C],
        }),
    ...linearShapes('t_embedder.mlp.0', C, 256),
    ...linearShapes('t_embedder.mlp.2', C, C),
    'y_embedder.embedding_table.weight': [rows, C],
    ...(config.context ? { in_context_posemb: [1, config.context.tokens, C] } : {}),
    ...Object.assign(
      {},
      ...Array.from({ length: config.depth }, (_, i) => blockShapes(`blocks.${i}`)),
    ),
    ...(config.gain ? gain('final_layer.norm_final') : {}),
    ...linearShapes('final_layer.linear', outputs, C),
    ...linearShapes('final_layer.adaLN_modulation.1', 2 * C, C),
    ...(config.micro ? microShapes(C) : {}),
    ...(config.refiner ? refinerShapes(channels, config.refiner.channels) : {}),
  };
}

function refinerShapes(channels: number, inner: number): Record<string, number[]> {
  const widths = [2 * channels, inner, inner, channels];
  return Object.fromEntries(
    [0, 1, 2].flatMap((layer) => [
      [`refiner.${layer}.weight`, [widths[layer + 1]!, widths[layer]!, 3, 3]],
      [`refiner.${layer}.bias`, [widths[layer + 1]!]],
    ]),
  );
}

/**
 * New weights as DiT's: Xavier for matrices, normal 0.02 for embeddings and the timestep's MLP, zero
 * for modulations and the last layers, so that every block starts as the identity.
 */
export function initDiT(config: DiTConfig, rng: Rng, projectedHeads = config.heads): HostTensors {
  const zero = /adaLN_modulation|final_layer\.linear|size_embedder\.mlp\.2|refiner\.2|\.bias$/;
  const small = /^(y_embedder|t_embedder|size_embedder\.mlp\.0|in_context_posemb)/;
  return initialWeights(shapesOfDiT(config, projectedHeads), { small, zero }, rng);
}
