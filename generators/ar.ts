/**
 * Autoregressive transformer over image tokens (LlamaGen: Sun et al. 2024, section 2.2, whose blocks are
 * Llama's: Touvron et al. 2023): condition tokens, then the picture's tokens row by row, each predicted
 * from all before it. Pre-norm RMS, SwiGLU, no biases. Weights are named as in LlamaGen's checkpoints;
 * bags of words as a prefix are ours.
 *
 * It runs over whole pictures (training) or over a window of new tokens beside a cache of keys and
 * values. A cache has a slot a token; what a row may look at is given as a mask over slots, so rows of a
 * batch may have lengths of their own and drafts may branch. Ours: keys lie at the same slots however
 * they got there, and no product has one row, so a token's numbers have the same bits in any window.
 */
import type { Placed, Positions } from '../encoders/positions/compose.ts';
import type { Rotated } from '../encoders/positions/contract.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import { attention } from '../tensor/ops/attention.ts';
import { geluTanh, swiglu } from '../tensor/ops/gelu.ts';
import { linear, linearParts } from '../tensor/ops/linear.ts';
import { rmsNorm } from '../tensor/ops/norm.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { type ARConfig, prefixLength } from './ar-config.ts';

const EPSILON = 1e-5;
/** Added to the logit of what may not be looked at. */
export const HIDDEN = -1e9;

export type ARInputs = {
  /** [B, T]; the last one is looked at by nobody. */
  readonly tokens: Tensor;
  /** Classes [B], bags of words [B, V] or features of texts [B, P, W] */
  readonly condition: Tensor;
  /** [B, P]: 1 where a text has a word, 0 where it is padded. */
  readonly present?: Tensor;
  /** Coordinates of all T cells. */
  readonly placed: Placed;
  readonly grid: Grid;
};

/** Teacher forcing: logits [B, T, codes] of every token given those before it. */
export function forwardAR(
  config: ARConfig,
  positions: Positions,
  weights: Tensors,
  { tokens, condition, present, placed, grid }: ARInputs,
): Tensor {
  const [B, T] = tokens.shape as [number, number];
  const P = prefixLength(config);
  const before = embedTokens(weights, tf.slice(tokens, [0, 0], [B, T - 1]));
  const joined = tf.concat([embedCondition(config, weights, condition), before], 1); // [B, P + T - 1, C]
  const here = { ...placed, coordinates: firstRows(placed.coordinates, T - 1) };
  const bias = causalBias(P + T - 1, present);
  let x = positions.embed(weights, joined, here, whereOf(config, positions, grid, 0, P), 0);
  for (let i = 0; i < config.depth; i++) {
    const where = whereOf(config, positions, grid, i, P);
    x = block(config, weights, `layers.${i}`, x, (qkv) => {
      const { q, k, v } = positions.rotate(weights, qkv, here, where);
      return attention(q, k, v, { bias });
    });
  }
  return head(weights, tf.slice(x, [0, P - 1, 0], [B, T, config.width])).logits;
}

export type Cached = {
  /** Keys and values by `cacheNames`, each [B, h, S, d]. */
  readonly cache: Tensors;
  /** [B, n] int32: where the new tokens' keys and values go. */
  readonly slots: Tensor;
  /** [B, n, S]: 0 for the slots that a token looks at, its own among them, HIDDEN for others. */
  readonly mask: Tensor;
  readonly grid: Grid;
};
export type WindowOutput = {
  /** [B, n, codes] */
  readonly logits: Tensor;
  /** What the head sees, [B, n, C]. */
  readonly hidden: Tensor;
  /** New keys and values by `cacheNames`, each [B, h, n, d]. */
  readonly cache: Tensors;
};

/** n new tokens [B, n] beside a cache; `placed` has coordinates [B, n, 2] of the cells they are in. */
export function forwardWindow(
  config: ARConfig,
  positions: Positions,
  weights: Tensors,
  { tokens, placed, ...cached }: Cached & { readonly tokens: Tensor; readonly placed: Placed },
): WindowOutput {
  return cachedPass(config, positions, weights, embedTokens(weights, tokens), placed, 0, cached);
}

/** The condition alone: its keys and values, and in `logits` [B, P, codes] last the first token's. */
export function forwardPrefix(
  config: ARConfig,
  positions: Positions,
  weights: Tensors,
  {
    condition,
    placed,
    ...cached
  }: Cached & { readonly condition: Tensor; readonly placed: Placed },
): WindowOutput {
  const P = prefixLength(config);
  const none = { ...placed, coordinates: firstRows(placed.coordinates, 0) };
  const x = embedCondition(config, weights, condition);
  return cachedPass(config, positions, weights, x, none, P, cached);
}

/** Names of the cache: keys and values of every block. */
export const cacheNames = ({ depth }: Pick<ARConfig, 'depth'>): string[] =>
  Array.from({ length: depth }, (_, i) => [`k.${i}`, `v.${i}`]).flat();

/** x [B, n, C], of which `prefix` are condition tokens (all or none), beside a cache. */
function cachedPass(
  config: ARConfig,
  positions: Positions,
  weights: Tensors,
  tokens: Tensor,
  placed: Placed,
  prefix: number,
  { cache, slots, mask, grid }: Cached,
): WindowOutput {
  const at = (layer: number) => whereOf(config, positions, grid, layer, prefix);
  const heads = (t: Tensor) => t.transpose([0, 2, 1, 3]); // [B, h, n, d]
  const rows: Record<string, Tensor> = {};
  const places = rowsOfSlots(slots, config.heads, mask.shape[2]!);
  const bias = tf.expandDims(mask, 1); // [B, 1, n, S]
  let x = positions.embed(weights, tokens, placed, at(0), 0);
  for (let i = 0; i < config.depth; i++) {
    x = block(config, weights, `layers.${i}`, x, (qkv) => {
      const { q, k, v } = positions.rotate(weights, qkv, placed, at(i));
      rows[`k.${i}`] = heads(k);
      rows[`v.${i}`] = heads(v);
      const keys = written(cache[`k.${i}`]!, rows[`k.${i}`]!, places);
      const values = written(cache[`v.${i}`]!, rows[`v.${i}`]!, places);
      return heads(attendSlots(heads(q), keys, values, bias));
    });
  }
  return { ...head(weights, x), cache: rows };
}

/** q [B, h, n, d] over all slots of k, v [B, h, S, d]; bias [B, 1, n, S]. */
function attendSlots(q: Tensor, k: Tensor, v: Tensor, bias: Tensor): Tensor {
  const [B, h, n, d] = q.shape as [number, number, number, number];
  // Products with one row take another path in ONNX Runtime, which sums in another order.
  const double = (x: Tensor) => (n === 1 ? tf.concat([x, x], 2) : x);
  const logits = tf.matMul(double(q), k, false, true).mul(1 / Math.sqrt(d));
  const mixed = tf.matMul(tf.softmax(logits.add(double(bias))), v); // [B, h, n, d]
  return n === 1 ? tf.slice(mixed, [0, 0, 0, 0], [B, h, 1, d]) : mixed;
}

/** Slots [B, n] of a cache [B, h, S, d] as rows of [B h S, d]: [B h n, 1]. */
function rowsOfSlots(slots: Tensor, heads: number, capacity: number): Tensor {
  const [B, n] = slots.shape as [number, number];
  const starts = tf.range(0, B * heads * capacity, capacity, 'int32').reshape([B, heads, 1]);
  return starts.add(slots.reshape([B, 1, n])).reshape([B * heads * n, 1]);
}

/** The cache [B, h, S, d] with new rows [B, h, n, d] at their places. */
function written(cache: Tensor, rows: Tensor, places: Tensor): Tensor {
  const d = cache.shape[3]!;
  return tf
    .tensorScatterUpdate(cache.reshape([-1, d]), places, rows.reshape([-1, d]))
    .reshape(cache.shape);
}

/** One block; `attend` turns q, k, v [B, T, h, d], projected from x, into what they mix [B, T, h, d]. */
function block(
  { heads, width }: ARConfig,
  weights: Tensors,
  name: string,
  x: Tensor,
  attend: (from: Rotated & { readonly x: Tensor }) => Tensor,
): Tensor {
  const [B, T, C] = x.shape as [number, number, number];
  const w = (key: string) => weights[`${name}.${key}.weight`]!;
  const a = rmsNorm(x, EPSILON, w('attention_norm'));
  const [q, k, v] = linearParts(a, w('attention.wqkv'), undefined, 3).map((part) =>
    part.reshape([B, T, heads, width / heads]),
  ) as [Tensor, Tensor, Tensor];
  const mixed = attend({ q, k, v, x: a }).reshape([B, T, C]);
  const attended = x.add(linear(mixed, w('attention.wo')));

  const m = rmsNorm(attended, EPSILON, w('ffn_norm'));
  const inner = swiglu(linear(m, w('feed_forward.w1')), linear(m, w('feed_forward.w3')));
  return attended.add(linear(inner, w('feed_forward.w2')));
}

function head(weights: Tensors, x: Tensor): { logits: Tensor; hidden: Tensor } {
  const hidden = rmsNorm(x, EPSILON, weights['norm.weight']!);
  return { logits: linear(hidden, weights['output.weight']!), hidden };
}

const embedTokens = (weights: Tensors, tokens: Tensor): Tensor =>
  tf.gather(weights['tok_embeddings.weight']!, tokens);

/** [B, P, C] */
function embedCondition({ condition: kind }: ARConfig, weights: Tensors, given: Tensor): Tensor {
  const w = (key: string) => weights[`cls_embedding.${key}`]!;
  if ('classes' in kind) return tf.expandDims(tf.gather(w('embedding_table.weight'), given), 1);
  if ('words' in kind) {
    const bags = kind.slots ? apart(given, kind.slots, kind.tokens) : tf.expandDims(given, 1);
    const [B, n, V] = bags.shape as [number, number, number];
    const sums = tf.matMul(bags.reshape([B * n, V]), w('embedding_table.weight'));
    return sums.reshape([B, n, -1]).add(w('offsets'));
  }
  const inner = geluTanh(linear(given, w('cap_proj.fc1.weight')));
  return linear(inner, w('cap_proj.fc2.weight'));
}

/** A bag of words [B, V] as one a token [B, P, V], each with the words whose slot it is. */
function apart(bag: Tensor, slots: readonly number[], tokens: number): Tensor {
  const own = new Float32Array(tokens * slots.length);
  for (const [word, slot] of slots.entries()) own[slot * slots.length + word] = 1;
  return tf.expandDims(bag, 1).mul(tf.tensor(own, [tokens, slots.length], 'float32'));
}

/** [1, 1, L, L], or [B, 1, L, L] where words of a text are absent; a token always looks at itself. */
function causalBias(L: number, present?: Tensor): Tensor {
  const bias = new Float32Array(L * L);
  for (let i = 0; i < L; i++) bias.fill(HIDDEN, i * L + i + 1, (i + 1) * L);
  const causal = tf.tensor(bias, [1, 1, L, L], 'float32');
  if (!present) return causal;
  const [B, P] = present.shape as [number, number];
  const absent = tf.concat([present.sub(1).mul(-HIDDEN), tf.zeros([B, L - P])], 1); // 0 or HIDDEN
  const other = tf.sub(1, tf.eye(L)).reshape([1, 1, L, L]);
  return tf.minimum(causal, absent.reshape([B, 1, 1, L]).mul(other));
}

/** The first cells' coordinates of [T, 2] or [B, T, 2]. */
function firstRows(coordinates: Tensor, count: number): Tensor {
  const size = coordinates.shape.with(-2, count);
  return tf.slice(
    coordinates,
    size.map(() => 0),
    size,
  );
}

function whereOf(
  { heads }: ARConfig,
  { trained, headSize }: Positions,
  grid: Grid,
  layer: number,
  prefix: number,
) {
  return { grid, trained, layer, heads, headSize, prefix };
}
