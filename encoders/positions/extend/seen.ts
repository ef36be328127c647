/**
 * Attention that sees some offsets otherwise than they are (STRING, LM-Infinite), and the windows it
 * looks through. A rotation's logits depend on offsets alone, so an axis whose far offsets are seen as
 * others is three attentions, one for near tokens and one for those far on either side, of which each
 * pair takes its own: nine of both axes. Where no token of an axis is far only one of the three is made.
 *
 * Condition tokens have no place: they are always near, and never hidden.
 */
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { Seen, SeenAxis, Where } from '../contract.ts';
import { cellsOf, extentOf } from '../grid.ts';

/** Turns queries or keys [B, T, h, d] on by [.., T, 2]. */
type Turn = (tokens: Tensor, by: Tensor) => Tensor;
/** What queries and keys are moved by along an axis, [.., T, 1] each, for which pairs [.., T, T]. */
type Side = { readonly query: Tensor; readonly key?: Tensor; readonly pairs: Tensor };

/** Logits [B, h, T, T] of turned q and k [B, T, h, d], condition tokens first, divided by sqrt(d). */
export function seenLogits(
  { q, k }: { readonly q: Tensor; readonly k: Tensor },
  coordinates: Tensor,
  {
    axes,
    where,
    turn,
  }: { readonly axes: NonNullable<Seen['axes']>; readonly where: Where; readonly turn: Turn },
): Tensor {
  const [ys, xs] = tf.split(coordinates, 2, -1) as [Tensor, Tensor]; // [.., T, 1]
  const extent = extentOf(where.grid);
  const none = tf.zerosLike(ys);
  const near = logitsOf(q, k);
  const rows = sidesOf(ys, axes.y, extent.height);
  const columns = sidesOf(xs, axes.x, extent.width);
  const moved = (y?: Side, x?: Side) => {
    const by = (end: 'query' | 'key') => tf.concat([y?.[end] ?? none, x?.[end] ?? none], -1);
    return logitsOf(turn(q, by('query')), y?.key || x?.key ? turn(k, by('key')) : k);
  };
  // Rows first, then columns, so the pairs that are far on both axes are taken last.
  const ofColumn = (x?: Side) =>
    rows.reduce(
      (logits, y) => choose(y.pairs, moved(y, x), logits, where.prefix),
      x ? moved(undefined, x) : near,
    );
  return columns.reduce(
    (logits, x) => choose(x.pairs, ofColumn(x), logits, where.prefix),
    ofColumn(),
  );
}

const logitsOf = (q: Tensor, k: Tensor): Tensor =>
  tf
    .matMul(q.transpose([0, 2, 1, 3]), k.transpose([0, 2, 1, 3]), false, true)
    .div(Math.sqrt(q.shape[3]!));

/** Both sides on which tokens of an axis can be far; none on an axis too short for it. */
function sidesOf(axis: Tensor, seen: SeenAxis, length: number): Side[] {
  if (length - 1 < seen.from) return [];
  const offsets = differences(axis);
  return [1, -1].map((sign) => {
    const pairs = offsets.mul(sign).greaterEqual(seen.from);
    if ('closer' in seen) return { query: tf.onesLike(axis).mul(-sign * seen.closer), pairs };
    return { query: axis.neg().add(sign * seen.fixed), key: axis.neg(), pairs };
  });
}

/** `those` for the pairs [.., T, T] of a picture, `others` for all other pairs; logits [B, h, S, S]. */
function choose(pairs: Tensor, those: Tensor, others: Tensor, prefix: number): Tensor {
  const share = tf.expandDims(padded(pairs.toFloat(), prefix), -3); // [.., 1, S, S]
  return those.sub(others).mul(share).add(others);
}

/**
 * [.., h or 1, S, S]: 0 where both tokens lie within the window of each other, -1e9 elsewhere. The
 * smallest scale of a pyramid is seen by all, as condition tokens are.
 */
export function windowBias(
  coordinates: Tensor,
  { y, x }: NonNullable<Seen['window']>,
  { grid, prefix }: Where,
): Tensor {
  const [dy, dx] = tf.split(coordinates, 2, -1).map((axis) => differences(axis).abs()) as [
    Tensor,
    Tensor,
  ];
  const outside = dy.greater(y).logicalOr(dx.greater(x)).toFloat(); // [.., T, T]
  const seenByAll = cellsOf(grid).map(({ raster }) =>
    grid.kind === 'pyramid' && raster === 0 ? 0 : 1,
  );
  const hidden = outside.mul(tf.tensor1d(seenByAll));
  return tf.expandDims(padded(hidden, prefix).mul(-1e9), -3);
}

/** One coordinate [.., T, 1] -> query's less key's [.., T, T]. */
const differences = (axis: Tensor): Tensor =>
  axis.sub(tf.reshape(axis, [...axis.shape.slice(0, -2), 1, -1]));

/** Rows and columns of zeros for condition tokens. */
function padded(pairs: Tensor, prefix: number): Tensor {
  const none: [number, number] = [0, 0];
  return tf.pad(pairs, [...Array(pairs.rank - 2).fill(none), [prefix, 0], [prefix, 0]]);
}
