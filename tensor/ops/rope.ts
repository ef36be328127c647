/**
 * Rotary embedding (Su et al. 2021, eq. 34) of interleaved pairs: (x[2i], x[2i+1]) is turned by the
 * angle whose cosine and sine are given, token by token. How angles come from positions is the
 * business of encoders/positions.
 */
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/recording.ts';
import { primitive } from './primitive.ts';
import { reduceTo } from './reduce-to.ts';

/**
 * x [B, T, h, d]; cos, sin [T, d/2], [B, T, d/2] or, for angles that differ between heads,
 * [B or 1, T, h or 1, d/2]. Tables are constants here; `learnedRope` trains them.
 */
export function rope(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  return primitive([x], {
    reference: () => [turn(x, perHead(cos), perHead(sin)), cos, sin],
    onnx: () => [rotaryNode(x, cos, sin), cos, sin],
    // A rotation's transpose is the rotation by the opposite angle.
    gradient: (dy, _, [, c, s]) => [rope(dy, c!, s!.neg())],
  });
}

/** The same with gradients to the tables too; cos, sin [B or 1, T, h or 1, d/2]. */
export function learnedRope(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  return primitive([x, cos, sin], {
    reference: () => [turn(x, cos, sin)],
    onnx: () => [rotaryNode(x, cos, sin)],
    gradient: (dy, [a, c, s]) => {
      const quarter = rope(a!, tf.zerosLike(c!), tf.onesLike(s!)); // what the sine multiplies
      return [
        rope(dy, c!, s!.neg()),
        reduceTo(pairSums(dy.mul(a!)), c!.shape),
        reduceTo(pairSums(dy.mul(quarter)), s!.shape),
      ];
    },
  });
}

/** The rotation in plain ops; cos, sin [.., T, h or 1, d/2]. */
export function turn(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const [B, T, h, d] = x.shape as [number, number, number, number];
  const pairs = x.reshape([B, T, h, d / 2, 2]);
  const [a, b] = tf.split(pairs, 2, -1).map((part) => part.reshape([B, T, h, d / 2])) as [
    Tensor,
    Tensor,
  ];
  const first = a.mul(cos).sub(b.mul(sin));
  const second = b.mul(cos).add(a.mul(sin));
  return tf.stack([first, second], -1).reshape([B, T, h, d]);
}

/** [T, d/2] or [B, T, d/2] -> [.., T, 1, d/2]. */
function perHead(table: Tensor): Tensor {
  return table.rank === 4 ? table : tf.expandDims(table, -2);
}

/** [.., d] -> [.., d/2] */
const pairSums = (x: Tensor): Tensor =>
  tf.sum(x.reshape([...x.shape.slice(0, -1), x.shape.at(-1)! / 2, 2]), -1);

/**
 * ONNX Runtime's RotaryEmbedding, which takes one angle for all heads of a token. Where heads have
 * angles of their own, each is given as a token of one head.
 */
function rotaryNode(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const [B, T, h, d] = x.shape as [number, number, number, number];
  const own = cos.rank === 4 && cos.shape[2] !== 1;
  const [tokens, heads] = own ? [T * h, 1] : [T, h];
  const rows = cos.size / (d / 2);
  const places = BigInt64Array.from({ length: B * tokens }, (_, i) => BigInt(i % rows));
  const bytes = new Uint8Array(places.buffer);
  const ids = graph().shared(`rope:${B}:${tokens}:${rows}`, 'int64', [B, tokens], bytes);
  const flat = [B, tokens, heads * d];
  const name = graph().node(
    'RotaryEmbedding',
    [x.reshape(flat), ids, cos.reshape([rows, d / 2]), sin.reshape([rows, d / 2])].map((input) =>
      typeof input === 'string' ? input : nameOf(input),
    ),
    { interleaved: 1, num_heads: heads },
    'com.microsoft',
  );
  return tensorOf(name, flat, 'float32').reshape([B, T, h, d]);
}
