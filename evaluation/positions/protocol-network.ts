/** The transformer of the protocol: grids of symbols and as many blanks at the same places -> symbols at the blanks. */
import {
  composePositions,
  type Placed,
  type PositionConfig,
} from '../../encoders/positions/compose.ts';
import type { Where } from '../../encoders/positions/contract.ts';
import type { Grid } from '../../encoders/positions/grid.ts';
import { attend } from '../../generators/attend.ts';
import { constantOf, placedConstants } from '../../generators/compile.ts';
import { gelu } from '../../tensor/ops/gelu.ts';
import { linear } from '../../tensor/ops/linear.ts';
import { rmsNorm } from '../../tensor/ops/norm.ts';
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';

export type ProtocolArm = {
  readonly name: string;
  readonly positions: PositionConfig;
  /** Tokens see only themselves and those before. */
  readonly causal: boolean;
};

export const SYMBOLS = 4;
const BLANK = SYMBOLS;
const DEPTH = 2;
const HIDDEN = 2; // of the MLP, in widths
const HIDING = -1e9;

export type Network = ReturnType<typeof createNetwork>;

/** Of one arm: `init` its weights, and `forward`. */
export function createNetwork(
  { positions: config, causal }: ProtocolArm,
  trained: number,
  { width: C = 64, heads = 2 }: { readonly width?: number; readonly heads?: number },
) {
  const grid = (side: number): Grid => {
    const raster = { height: side, width: side };
    return { kind: 'pyramid', scales: [raster, raster] };
  };
  const positions = composePositions(config, {
    width: C,
    heads,
    depth: DEPTH,
    trained: grid(trained),
  });
  const { headSize, projectedHeads } = positions;
  return {
    init(rng: Rng): HostTensors {
      const normal = (name: string, shape: number[]): [string, HostTensor] => {
        const size = 1 / Math.sqrt(shape[1]!);
        const data = rng
          .stream(name)
          .normals(sizeOf(shape))
          .map((z) => z * size);
        return [name, { data, shape }];
      };
      const blocks = Array.from({ length: DEPTH }, (_, i) => [
        normal(`${i}.qkv`, [3 * projectedHeads * headSize, C]),
        normal(`${i}.proj`, [C, C]),
        normal(`${i}.fc1`, [HIDDEN * C, C]),
        normal(`${i}.fc2`, [C, HIDDEN * C]),
      ]);
      const ends = [normal('symbols', [SYMBOLS + 1, C]), normal('head', [SYMBOLS, C])];
      return { ...Object.fromEntries([...ends, ...blocks.flat()]), ...positions.init(rng) };
    },
    /** symbols [B, S S] -> logits at the blanks [B, S S, symbols]. */
    forward(weights: Tensors, symbols: Tensor, side: number): Tensor {
      const [B, T] = symbols.shape as [number, number];
      const where = { grid: grid(side), trained: positions.trained, heads, headSize };
      const placed = placedConstants(positions.place(where.grid, 'sample', { t: 1 }));
      const at = (layer: number) => ({ ...where, layer, prefix: 0 });
      const blanks = tf.fill([B, T], BLANK).toInt();
      const given = tf.gather(weights.symbols!, tf.concat([symbols.toInt(), blanks], 1)); // [B, 2 T, C]
      let x = positions.embed(weights, given.mul(Math.sqrt(C)), placed, at(0), 0);
      for (let i = 0; i < DEPTH; i++) {
        x = x.add(selfAttention(weights, rmsNorm(x, 1e-6), { i, placed, where: at(i) }));
        const hidden = gelu(linear(rmsNorm(x, 1e-6), weights[`${i}.fc1`]!));
        x = positions.embed(
          weights,
          x.add(linear(hidden, weights[`${i}.fc2`]!)),
          placed,
          at(i),
          i + 1,
        );
      }
      return linear(tf.slice(rmsNorm(x, 1e-6), [0, T, 0], [B, T, C]), weights.head!);
    },
  };

  function selfAttention(
    weights: Tensors,
    x: Tensor,
    { i, placed, where }: { i: number; placed: Placed; where: Where },
  ): Tensor {
    const [B, T] = x.shape as [number, number];
    const parts = tf.split(linear(x, weights[`${i}.qkv`]!), 3, -1);
    const [q, k, v] = parts.map((part) => part.reshape([B, T, projectedHeads, headSize])) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const turned = positions.rotate(weights, { q, k, v, x }, placed, where);
    const given = { q, k, x, heads: turned.q.shape[2]! };
    const { bias, scale } = positions.bias(weights, given, placed, where);
    const mask = causal ? laterTokens(T) : undefined;
    const hidden = bias && mask ? bias.add(mask) : (bias ?? mask);
    const logits = positions.score(weights, { ...turned, x }, placed, where);
    const { out } = attend(turned, { scale, ...(hidden ? { bias: hidden } : {}) }, logits);
    const restored = positions.restore(weights, { out, x }, placed, where);
    return linear(restored.reshape([B, T, C]), weights[`${i}.proj`]!);
  }
}

/** [1, T, T] */
function laterTokens(T: number): Tensor {
  const data = Float32Array.from({ length: T * T }, (_, n) =>
    n % T > Math.floor(n / T) ? HIDING : 0,
  );
  return constantOf({ data, shape: [1, T, T] });
}
