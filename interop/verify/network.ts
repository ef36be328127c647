/** Published diffusion transformers of fixtures as ours: their weights, their layout [B, C, H, W]. */
import { Type } from 'typebox';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { placedConstants } from '../../generators/compile.ts';
import { forwardDiT } from '../../generators/dit.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { shapesOfDiT } from '../../generators/dit-weights.ts';
import { gridOf } from '../../generators/model.ts';
import type { Engine, HostTensor, HostTensors, Program } from '../../tensor/program.ts';
import { checkTensors } from '../../tensor/safetensors.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import { type Fixture, hostOf } from './fixture.ts';

/** What DiT, SiT and LightningDiT are configured by. */
export const ModelConfig = Type.Object({
  input_size: Type.Integer(),
  patch_size: Type.Integer(),
  in_channels: Type.Integer(),
  hidden_size: Type.Integer(),
  depth: Type.Integer(),
  num_heads: Type.Integer(),
  learn_sigma: Type.Boolean({ default: true }),
});

export type Description = {
  readonly config: DiTConfig;
  readonly positions: PositionConfig;
  /** Side of the picture. */
  readonly side: number;
  readonly weights: HostTensors;
};

/** Tables that published code stores with its weights and that follow from positions here. */
const TABLES = /^(pos_embed|feat_rope\..*)$/;

/** A fixture's learned weights, by their names after `prefix`. */
export function weightsOf(fixture: Fixture, prefix = ''): HostTensors {
  const start = `weights/${prefix}`;
  const names = Object.keys(fixture.tensors).filter(
    (name) => name.startsWith(start) && !TABLES.test(name.slice(start.length)),
  );
  return Object.fromEntries(
    names.map((name): [string, HostTensor] => [name.slice(start.length), hostOf(fixture, name)]),
  );
}

/** Sizes that the weights themselves say best: rounding of widths and null classes differ by code. */
export function sizesOf(weights: HostTensors): { hidden: number; classes: number } {
  const side = (names: string[], axis: number) =>
    names.map((name) => weights[name]?.shape[axis]).find((size) => size !== undefined) ?? 0;
  return {
    hidden: side(['blocks.0.mlp.w3.weight', 'blocks.0.mlp.fc2.weight'], 1),
    classes: side(['y_embedder.embedding_table.weight'], 0) - 1,
  };
}

/** `told` is what the published network is given as t. */
export type Batch = {
  readonly x: Float32Array;
  readonly told: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
};
export type Network = {
  /** Numbers in a picture, and in one of its channels. */
  readonly length: number;
  readonly area: number;
  /** Channels of the prediction: twice those of the picture with a variance. */
  readonly outputs: number;
  /** The class of no condition. */
  readonly none: number;
  /** [B, C, H, W] or, with the variance, [B, 2 C, H, W]. */
  run(batch: Batch): Promise<Float32Array>;
};

/** Opens a network for `use`, compiled with baked weights once a batch size. */
export async function withNetwork<Result>(
  engine: Engine,
  description: Description,
  use: (network: Network) => Promise<Result>,
): Promise<Result> {
  const { config, side, weights } = description;
  const forward = createForward(description);
  const programs = new Map<number, Program>();
  const programFor = async (batch: number): Promise<Program> => {
    const found = programs.get(batch);
    if (found) return found;
    const made = await engine.compile(
      ({ inputs, weights: w }) => ({ outputs: { prediction: forward(w, inputs) } }),
      { inputs: inputSpecs(config, side, batch), weights },
      { name: 'published network' },
    );
    programs.set(batch, made);
    return made;
  };
  const length = config.channels * side * side;
  try {
    return await use({
      length,
      area: side * side,
      outputs: config.channels * (config.variance ? 2 : 1),
      none: sizesOf(weights).classes,
      async run({ x, told, classes }) {
        const batch = x.length / length;
        const { prediction } = await (await programFor(batch)).run({
          x: { data: x, shape: [batch, config.channels, side, side] },
          t: { data: Float32Array.from(told), shape: [batch] },
          condition: { data: Int32Array.from(classes), shape: [batch] },
        });
        return prediction!.data as Float32Array;
      },
    });
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
}

export const inputSpecs = ({ channels }: DiTConfig, side: number, batch: number) =>
  ({
    x: { shape: [batch, channels, side, side] },
    t: { shape: [batch] },
    condition: { shape: [batch], dtype: 'int32' },
  }) as const;

/** The network as a traced function of x [B, C, H, W], t [B] and condition [B]. */
export function createForward({ config, positions: choice, side, weights }: Description) {
  const grid = gridOf(config, { height: side, width: side });
  const { width, heads } = config;
  const positions = composePositions(choice, { width, heads, trained: grid });
  checkTensors(weights, shapesOfDiT(config), 'weights');
  return (w: Tensors, { x, t, condition }: Tensors): Tensor => {
    const prediction = forwardDiT(config, positions, w, {
      x: x!.transpose([0, 2, 3, 1]),
      t: t!,
      condition: condition!,
      placed: placedConstants(positions.place(grid, 'sample')),
      grid,
    });
    return prediction.transpose([0, 3, 1, 2]);
  };
}
