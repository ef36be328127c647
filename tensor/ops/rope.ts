/**
 * Rotary embedding (Su et al. 2021, eq. 34) of interleaved pairs: (x[2i], x[2i+1]) is turned by the
 * angle whose cosine and sine are given, token by token. How angles come from positions is the
 * business of encoders/positions.
 */
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/backend.ts';
import { primitive } from './primitive.ts';

/**
 * x [B, T, h, d]; cos, sin [T, d/2], [B, T, d/2] or, for angles that differ between heads,
 * [B or 1, T, h, d/2].
 */
export function rope(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const turned = (a: Tensor, c: Tensor, s: Tensor) => turn(a, perHead(c), perHead(s));
  return primitive([x], {
    reference: () => [turned(x, cos, sin), cos, sin],
    onnx: () => [rotaryNode(x, cos, sin) ?? turned(x, cos, sin), cos, sin],
    // A rotation's transpose is the rotation by the opposite angle. (Tables are not trained here;
    // methods that learn their angles call `turn` themselves.)
    gradient: (dy, _, [, c, s]) => [rope(dy, c!, s!.neg())],
  });
}

/** The rotation in plain ops, with gradients to the tables too; cos, sin [.., T, h or 1, d/2]. */
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

/** ONNX Runtime's RotaryEmbedding, which takes one angle for all heads. */
function rotaryNode(x: Tensor, cos: Tensor, sin: Tensor): Tensor | undefined {
  if (cos.rank === 4) return undefined;
  const [B, T, h, d] = x.shape as [number, number, number, number];
  const rows = cos.rank === 3 ? B * T : T;
  const places = BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i % rows));
  const bytes = new Uint8Array(places.buffer);
  const ids = graph().shared(`rope:${B}:${T}:${rows}`, 'int64', [B, T], bytes);
  const name = graph().node(
    'RotaryEmbedding',
    [x.reshape([B, T, h * d]), ids, cos.reshape([rows, d / 2]), sin.reshape([rows, d / 2])].map(
      (input) => (typeof input === 'string' ? input : nameOf(input)),
    ),
    { interleaved: 1, num_heads: h },
    'com.microsoft',
  );
  return tensorOf(name, [B, T, h * d], 'float32').reshape([B, T, h, d]);
}
