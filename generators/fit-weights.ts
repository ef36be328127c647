/** The weights of FiT: their names and shapes, as in its checkpoints, and new ones. */
import type { HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { FiTConfig } from './fit-config.ts';
import { initialWeights } from './initial-weights.ts';

/** Shapes of all weights but those of position methods. */
export function shapesOfFiT(
  config: FiTConfig,
  projectedHeads = config.heads,
): Record<string, number[]> {
  const { width: C, patch, channels, hidden, lora, heads, condition } = config;
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
    'y_embedder.embedding_table.weight': [
      'classes' in condition ? condition.classes + 1 : condition.words,
      C,
    ],
    ...(lora === undefined ? {} : linearShapes('global_adaLN_modulation.1', 6 * C, C)),
    ...Object.assign(
      {},
      ...Array.from({ length: config.depth }, (_, i) => blockShapes(`blocks.${i}`)),
    ),
    ...linearShapes('final_layer.linear', cells * (config.variance ? 2 : 1), C),
    ...linearShapes('final_layer.adaLN_modulation.1', 2 * C, C),
  };
}

/**
 * New weights as DiT's (Peebles and Xie 2023): Xavier for matrices, normal 0.02 for embeddings and the
 * timestep's MLP, zero for modulations and the last layer, so that every block starts as the identity. Of a
 * block's low-rank modulation the second matrix is zero.
 */
export function initFiT(config: FiTConfig, rng: Rng, projectedHeads = config.heads): HostTensors {
  const last = config.lora === undefined ? 1 : 2;
  const zero = new RegExp(
    `^(blocks\\.\\d+\\.adaLN_modulation\\.${last}|global_adaLN|final_layer)|\\.bias$`,
  );
  const small = /^(y_embedder|t_embedder)/;
  return initialWeights(shapesOfFiT(config, projectedHeads), { small, zero }, rng);
}
