/** The two networks that every measurement uses, their work and the memory that a step needs. */
import { composePositions } from '../encoders/positions/compose.ts';
import { raster } from '../encoders/positions/grid.ts';
import { placedConstants } from '../generators/compile.ts';
import { forwardDiT } from '../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig } from '../generators/dit-config.ts';
import { initDiT } from '../generators/dit-weights.ts';
import type { Engine, HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { weightedError } from '../training/objective.ts';
import { adamW } from '../training/optimisers/adamw.ts';
import { createUpdate, type Loss } from '../training/update.ts';

export type Network = {
  readonly name: string;
  readonly config: DiTConfig;
  /** Side of the picture in pixels or latent cells. */
  readonly side: number;
  readonly batch: number;
  readonly positions: ReturnType<typeof composePositions>;
  readonly weights: HostTensors;
};

export function createNetworks(): Network[] {
  const latent: DiTConfig = { ...DIT_PRESETS['dit-s/2'], variance: false };
  const shipped: DiTConfig = { ...DIT_PRESETS.avatars, condition: { words: 1198 } };
  return [network('dit-s-2', latent, 32, 2), network('shipped', shipped, 64, 64)];
}

function network(name: string, config: DiTConfig, side: number, batch: number): Network {
  const tokens = side / config.patch;
  const rotate = name === 'shipped' ? { rotate: { method: 'axial', base: 100 } } : {};
  const positions = composePositions(
    { embed: 'sincos2d', ...rotate },
    { width: config.width, heads: config.heads, trained: raster(tokens, tokens) },
  );
  const rng = createRng(1);
  // Zero layers would make most gradients zero, and arithmetic on zeros is not arithmetic as usual.
  const weights = Object.fromEntries(
    Object.entries(initDiT(config, rng)).map(([key, { data, shape }]) => {
      const draw = rng.stream(`bench/${key}`);
      return [
        key,
        { data: (data as Float32Array).map((value) => value + 0.02 * draw.normal()), shape },
      ];
    }),
  );
  return { name, config, side, batch, positions, weights };
}

/** Multiply-adds count two. Products of matrices and attention; everything else is not counted. */
export function forwardFlops({ config, side, batch }: Network): number {
  const { width, depth, hidden, patch, channels, context } = config;
  const grid = (side / patch) ** 2;
  const tokens = grid + (context?.tokens ?? 0);
  const up = config.mlp === 'swiglu' ? 2 : 1;
  const perToken = 4 * width * width + (up + 1) * width * hidden + 2 * tokens * width;
  const edges = 2 * grid * patch * patch * channels * width;
  const modulation = depth * 6 * width * width + 2 * width * width;
  return 2 * batch * (depth * tokens * perToken + edges + modulation);
}

export function inputsOf({ config, side, batch, weights }: Network): HostTensors {
  const rng = createRng(2);
  const shape = [batch, side, side, config.channels];
  const length = batch * side * side * config.channels;
  const words = weights['y_embedder.embedding_table.weight']!.shape[0]!;
  const condition =
    'classes' in config.condition
      ? { data: Int32Array.from({ length: batch }, (_, i) => i), shape: [batch] }
      : {
          data: Float32Array.from({ length: batch * words }, () =>
            rng.uniform() < 12 / words ? 1 : 0,
          ),
          shape: [batch, words],
        };
  return {
    x: { data: rng.normals(length), shape },
    t: { data: Float32Array.from({ length: batch }, () => rng.uniform()), shape: [batch] },
    condition,
    target: { data: rng.normals(length), shape },
    weight: { data: new Float32Array(batch).fill(1), shape: [batch] },
  };
}

export function lossOf({ config, positions, side }: Network): Loss {
  const tokens = side / config.patch;
  const grid = raster(tokens, tokens);
  return ({ weights, inputs: { x, t, condition, target, weight } }) => {
    const placed = placedConstants(positions.place(grid, 'sample'));
    const prediction = forwardDiT(config, positions, weights, {
      x: x!,
      t: t!,
      condition: condition!,
      placed,
      grid,
    });
    return weightedError(prediction, target!, weight!);
  };
}

/** A training step with AdamW, as the peers take it. */
export function createStep(engine: Engine, network: Network) {
  const inputs = Object.fromEntries(
    Object.entries(inputsOf(network)).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Int32Array ? ('int32' as const) : ('float32' as const) },
    ]),
  );
  const { weights } = network;
  return createUpdate(lossOf(network), adamW({ rate: 1e-4 }), { engine, inputs, weights });
}
