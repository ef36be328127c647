/**
 * A network that guesses the next tokens of a picture in one pass, each without knowing the others (FLASH:
 * Wang et al. 2025, section 3): slots of queries look at a context in which what is long past is pooled.
 *
 * Ours, for grids: the current row and those just above are kept token by token, older rows in groups of
 * neighbours, each group one mean of its tokens by weights that they ask for themselves; one token says the
 * words. Places are sines and cosines; blocks are as those of ar.ts, looking both ways.
 */
import { Type } from 'typebox';
import { sincos } from '../encoders/positions/embed/sincos2d.ts';
import { extentOf, type Grid } from '../encoders/positions/grid.ts';
import { attention } from '../tensor/ops/attention.ts';
import { swiglu } from '../tensor/ops/gelu.ts';
import { linear, linearParts } from '../tensor/ops/linear.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';

export type BlockConfig = {
  readonly codes: number;
  readonly words: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
  /** Tokens of a pass. */
  readonly slots: number;
  /** Rows kept whole, the current one among them. */
  readonly rows: number;
  /** Neighbours in a group; it divides a row. */
  readonly pool: number;
};
const Count = Type.Integer({ minimum: 1 });
export const BlockSchema = Type.Object(
  {
    ...{ codes: Type.Integer({ minimum: 2 }), words: Count, width: Count, depth: Count },
    ...{ heads: Count, hidden: Count, slots: Count, rows: Count, pool: Count },
  },
  { additionalProperties: false },
);

const EPSILON = 1e-5;
const BASE = 100;

export type BlockInputs = {
  /** [B, T] int32: decided tokens, anything after them. */
  readonly tokens: Tensor;
  /** [B, V] */
  readonly condition: Tensor;
  /** [B, rows W] int32: those kept whole, and [B, rows W + slots, 2] where they and the slots are. */
  readonly recent: Tensor;
  readonly places: Tensor;
  /** [B, L]: 1 for what may be looked at, of condition, groups, recent tokens and slots. */
  readonly visible: Tensor;
  readonly grid: Grid;
};

/** Logits [B, slots, codes] of the tokens after the decided ones. */
export function forwardBlock(
  config: BlockConfig,
  weights: Tensors,
  { tokens, condition, recent, places, visible, grid }: BlockInputs,
): Tensor {
  const { width: C, slots } = config;
  const B = tokens.shape[0]!;
  const table = weights['tok_embeddings.weight']!;
  const told = tf.expandDims(tf.matMul(condition, weights['words.weight']!), 1); // [B, 1, C]
  const groups = pooled(config, weights, tf.gather(table, tokens)).add(
    sincos(groupPlaces(config, grid), C, BASE),
  );
  const asked = tf.tile(tf.expandDims(weights['slots.weight']!, 0), [B, 1, 1]);
  const near = tf.concat([tf.gather(table, recent), asked], 1).add(sincos(places, C, BASE));
  let x = tf.concat([told, groups, near], 1); // [B, L, C]
  const bias = visible.sub(1).mul(1e9).reshape([B, 1, 1, x.shape[1]!]);
  for (let i = 0; i < config.depth; i++) x = block(config, weights, `layers.${i}`, x, bias);
  const last = tf.slice(x, [0, x.shape[1]! - slots, 0], [B, slots, C]);
  const normal = rmsNorm(last, EPSILON, weights['norm.weight']!);
  return linear(normal, weights['output.weight']!);
}

/** Tokens [B, T, C] -> groups of neighbours [B, T / pool, C], each a mean by the softmax of its tokens' scores. */
function pooled({ pool }: BlockConfig, weights: Tensors, tokens: Tensor): Tensor {
  const [B, T, C] = tokens.shape as [number, number, number];
  const groups = tokens.reshape([B, T / pool, pool, C]);
  const scores = tf.sum(groups.mul(weights['pool.weight']!), -1); // [B, T / pool, pool]
  return tf.sum(groups.mul(tf.expandDims(tf.softmax(scores), -1)), 2);
}

/** The middles of groups, [T / pool, 2]. */
function groupPlaces({ pool }: BlockConfig, grid: Grid): Tensor {
  const { height, width } = extentOf(grid);
  const middles = Array.from({ length: (height * width) / pool }, (_, i) => {
    const first = i * pool;
    return [Math.floor(first / width), (first % width) + (pool - 1) / 2];
  });
  return tf.tensor2d(middles as [number, number][]);
}

function block(
  { heads }: BlockConfig,
  weights: Tensors,
  name: string,
  x: Tensor,
  bias: Tensor,
): Tensor {
  const [B, L, C] = x.shape as [number, number, number];
  const w = (key: string) => weights[`${name}.${key}.weight`]!;
  const a = rmsNorm(x, EPSILON, w('attention_norm'));
  const [q, k, v] = linearParts(a, w('attention.wqkv'), undefined, 3).map((part) =>
    part.reshape([B, L, heads, C / heads]),
  ) as [Tensor, Tensor, Tensor];
  const mixed = attention(q, k, v, { bias }).reshape([B, L, C]);
  const attended = x.add(linear(mixed, w('attention.wo')));
  const m = rmsNorm(attended, EPSILON, w('ffn_norm'));
  const inner = swiglu(linear(m, w('feed_forward.w1')), linear(m, w('feed_forward.w3')));
  return attended.add(linear(inner, w('feed_forward.w2')));
}

export function shapesOfBlock(config: BlockConfig): Record<string, number[]> {
  const { codes, words, width: C, depth, hidden, slots } = config;
  const layers = Array.from({ length: depth }, (_, i) => ({
    [`layers.${i}.attention.wqkv.weight`]: [3 * C, C],
    [`layers.${i}.attention.wo.weight`]: [C, C],
    [`layers.${i}.attention_norm.weight`]: [C],
    [`layers.${i}.feed_forward.w1.weight`]: [hidden, C],
    [`layers.${i}.feed_forward.w2.weight`]: [C, hidden],
    [`layers.${i}.feed_forward.w3.weight`]: [hidden, C],
    [`layers.${i}.ffn_norm.weight`]: [C],
  }));
  return Object.assign(
    {
      'tok_embeddings.weight': [codes, C],
      'words.weight': [words, C],
      'pool.weight': [C],
      'slots.weight': [slots, C],
      'norm.weight': [C],
      'output.weight': [codes, C],
    },
    ...layers,
  );
}

/** Gains 1, groups at first plain means, a head of zeros, all else normal by the number of inputs. */
export function initBlock(config: BlockConfig, rng: Rng): HostTensors {
  return Object.fromEntries(
    Object.entries(shapesOfBlock(config)).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      if (/norm\.weight$/.test(name)) data.fill(1);
      else if (name !== 'pool.weight' && name !== 'output.weight') {
        const size = 1 / Math.sqrt(name.startsWith('layers') ? shape[1]! : 1);
        data.set(
          rng
            .stream(name)
            .normals(data.length)
            .map((z) => z * size),
        );
      }
      return [name, { data, shape }];
    }),
  );
}
