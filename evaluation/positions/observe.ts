/**
 * What a diffusion transformer does inside: hidden states, queries and keys after the rotation, logits and attention of
 * every block. The network is not told: its positions are wrapped, and what their hooks are given is kept. Only the
 * picture's tokens are returned; attention is that among them (condition tokens left out, rows summing to 1).
 */
import { microOf, microRows } from '../../encoders/conditioning/micro.ts';
import type { Positions } from '../../encoders/positions/compose.ts';
import { cellsOf, type Grid } from '../../encoders/positions/grid.ts';
import { constantOf, placedOf, placementInputs } from '../../generators/compile.ts';
import { forwardDiT } from '../../generators/dit.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { ditCard, gridOf, layoutOf, type Model } from '../../generators/model.ts';
import { type Engine, type HostTensor, specsOf } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';

export type Inside = {
  /** [B, T, C], as the block's attention is given them. */
  readonly hidden: HostTensor;
  /** [B, T, h, d], after the rotation. */
  readonly q: HostTensor;
  readonly k: HostTensor;
  /** [B, h, T, T], bias and scale included. */
  readonly logits: HostTensor;
  readonly attention: HostTensor;
  /** [B, T, C'], what attention gives, before it is projected. */
  readonly out: HostTensor;
};

export type Observed = {
  readonly x: HostTensor;
  readonly t: HostTensor;
  readonly condition: HostTensor;
};

export type Observer = {
  /** One entry a block, of as many pictures as it was compiled for. */
  see(given: Observed): Promise<Inside[]>;
  dispose(): Promise<void>;
};

/** Compiled for inputs like these: x [B, H, W, 3], t [B], condition as the network has it; all of one t. */
export async function openObserver(
  engine: Engine,
  { card, weights, registry }: Model,
  like: Observed,
): Promise<Observer> {
  const config = ditCard(card).config as DiTConfig;
  const { positions } = layoutOf(card, registry);
  const [B, height, width] = like.x.shape as [number, number, number];
  const told = microOf(card.sampling.micro ?? 'asked', { height, width }, card.trained);
  const grid = gridOf(config, { height, width });
  const timed = placementInputs(positions, grid, like.t.data[0]!);
  const program = await engine.compile(
    ({ inputs: given, weights: w }) => {
      const seen: Tensors = {};
      forwardDiT(config, observing(positions, grid, seen), w, {
        ...{ x: given.x!, t: given.t!, condition: given.condition! },
        ...(config.micro ? { micro: constantOf(microRows(Array(B).fill(told))) } : {}),
        ...{ placed: placedOf(given, positions, grid), grid },
      });
      return { outputs: seen };
    },
    { inputs: specsOf({ ...like, ...timed }), weights },
    { name: 'observed transformer' },
  );
  return {
    async see({ x, t, condition }) {
      const outputs = await program.run({ x, t, condition, ...timed });
      const of = (layer: number, name: keyof Inside) => outputs[`${layer}/${name}`]!;
      return Array.from({ length: config.depth }, (_, layer) => ({
        ...{ hidden: of(layer, 'hidden'), q: of(layer, 'q'), k: of(layer, 'k') },
        ...{ logits: of(layer, 'logits'), attention: of(layer, 'attention') },
        out: of(layer, 'out'),
      }));
    },
    dispose: () => program.dispose(),
  };
}

/** The same positions, whose `score` and `restore` keep what they see of each block under `<block>/<what>`. */
function observing(positions: Positions, grid: Grid, seen: Record<string, Tensor>): Positions {
  const T = cellsOf(grid).length;
  const keep = (layer: number, name: keyof Inside, value: Tensor) => {
    seen[`${layer}/${name}`] = value;
  };
  let added: ReturnType<Positions['bias']> = { scale: 1 };
  return {
    ...positions,
    // A block asks for its bias before its logits.
    bias(...given) {
      added = positions.bias(...given);
      return added;
    },
    score(weights, given, placed, where) {
      const { q, k, x } = given;
      const logits = positions.score(weights, given, placed, where) ?? scaledProducts(q, k);
      const { bias, scale } = added;
      const scaled = logits.mul(scale);
      const whole = bias ? scaled.add(bias) : scaled;
      const { prefix, layer } = where;
      const ofPicture = whole.slice([0, 0, prefix, prefix], [-1, -1, T, T]);
      keep(layer, 'logits', ofPicture);
      keep(layer, 'attention', tf.softmax(ofPicture));
      keep(layer, 'hidden', x.slice([0, prefix, 0], [-1, T, -1]));
      keep(layer, 'q', q.slice([0, prefix, 0, 0], [-1, T, -1, -1]));
      keep(layer, 'k', k.slice([0, prefix, 0, 0], [-1, T, -1, -1]));
      return logits;
    },
    restore(weights, given, placed, where) {
      const out = positions.restore(weights, given, placed, where); // [B, T, h, d]
      const [B, , h, d] = out.shape as [number, number, number, number];
      const ofPicture = out.slice([0, where.prefix, 0, 0], [-1, T, -1, -1]);
      keep(where.layer, 'out', ofPicture.reshape([B, T, h * d]));
      return out;
    },
  };
}

const scaledProducts = (q: Tensor, k: Tensor): Tensor =>
  tf
    .matMul(q.transpose([0, 2, 1, 3]), k.transpose([0, 2, 1, 3]), false, true)
    .div(Math.sqrt(q.shape[3]!));
