/** Reductions, softmax, ordering and products of matrices. */
import { tf } from '../../tf.ts';
import { kernel } from '../backend.ts';
import { emit, graph, infoOf, nameOf, type TensorInfo } from '../recording.ts';
import { cast } from './nodes.ts';

/** Max alone has its axes under another name. */
type Axes = { axis: number | number[]; reductionIndices?: number[]; keepDims?: boolean };
const REDUCE = {
  Sum: 'ReduceSum',
  Max: 'ReduceMax',
  Min: 'ReduceMin',
  Prod: 'ReduceProd',
} as const;

function reduced(x: TensorInfo, axes: readonly number[], keepDims: boolean): number[] {
  return keepDims
    ? x.shape.map((side, i) => (axes.includes(i) ? 1 : side))
    : x.shape.filter((_, i) => !axes.includes(i));
}

for (const [name, op] of Object.entries(REDUCE)) {
  kernel<Axes>(name, ({ x }, { axis, reductionIndices, keepDims = false }) => {
    const axes = tf.util.parseAxisParam(reductionIndices ?? axis, x!.shape);
    const shape = reduced(x!, axes, keepDims);
    if (axes.length === 0) return emit('Identity', [x!], x!.shape, x!.dtype);
    return emit(op, [x!, graph().ints(axes)], shape, x!.dtype, { keepdims: keepDims ? 1 : 0 });
  });
}
kernel<Axes>('Mean', ({ x }, { axis, keepDims = false }) => {
  const axes = tf.util.parseAxisParam(axis, x!.shape);
  const real = x!.dtype === 'float32' ? x! : cast(x!, 'float32');
  if (axes.length === 0) return emit('Identity', [real], x!.shape, 'float32');
  const shape = reduced(x!, axes, keepDims);
  const attributes = { keepdims: keepDims ? 1 : 0 };
  return emit('ReduceMean', [real, graph().ints(axes)], shape, 'float32', attributes);
});
for (const [name, op] of [
  ['All', 'ReduceMin'],
  ['Any', 'ReduceMax'],
] as const) {
  kernel<Axes>(name, ({ x }, { axis, keepDims = false }) => {
    const axes = tf.util.parseAxisParam(axis, x!.shape);
    const shape = reduced(x!, axes, keepDims);
    if (axes.length === 0) return emit('Identity', [x!], x!.shape, 'bool');
    const found = emit(op, [cast(x!, 'int32'), graph().ints(axes)], shape, 'int32', {
      keepdims: keepDims ? 1 : 0,
    });
    return cast(found, 'bool');
  });
}
for (const op of ['ArgMax', 'ArgMin']) {
  kernel<{ axis: number }>(op, ({ x }, { axis }) => {
    const along = tf.util.parseAxisParam(axis, x!.shape)[0]!;
    const shape = x!.shape.filter((_, i) => i !== along);
    const index = emit(op, [x!], shape, 'int32', { axis: along, keepdims: 0 }); // int64 in ONNX
    return cast(index, 'int32');
  });
}
kernel<{ dim: number }>('Softmax', ({ logits }, { dim }) =>
  emit('Softmax', [logits!], logits!.shape, 'float32', { axis: dim }),
);
kernel<{ axis: number; exclusive: boolean; reverse: boolean }>('Cumsum', ({ x }, attrs) =>
  emit('CumSum', [x!, graph().scalar(attrs.axis, 'int32')], x!.shape, x!.dtype, {
    exclusive: attrs.exclusive ? 1 : 0,
    reverse: attrs.reverse ? 1 : 0,
  }),
);
kernel<{ k: number; sorted: boolean }>('TopK', ({ x }, { k, sorted }) => {
  const shape = [...x!.shape.slice(0, -1), k];
  const [values, indices] = graph().nodeWith(2, 'TopK', [nameOf(x!), graph().ints([k])], {
    axis: x!.shape.length - 1,
    sorted: sorted ? 1 : 0,
  });
  const places = infoOf(indices!, shape, 'int32'); // int64 in ONNX
  return [infoOf(values!, shape, x!.dtype), cast(places, 'int32')];
});

type MatMul = { transposeA: boolean; transposeB: boolean };
kernel<MatMul>('BatchMatMul', ({ a, b }, { transposeA, transposeB }) => {
  const turned = (s: number[]) => [...s.slice(0, -2), s.at(-1)!, s.at(-2)!];
  const left = transposeA ? turned(a!.shape) : a!.shape;
  const right = transposeB ? turned(b!.shape) : b!.shape;
  const batch = tf.backend_util.assertAndGetBroadcastShape(left.slice(0, -2), right.slice(0, -2));
  const shape = [...batch, left.at(-2)!, right.at(-1)!];
  if (batch.length === 0) {
    return emit('Gemm', [a!, b!], shape, 'float32', {
      transA: transposeA ? 1 : 0,
      transB: transposeB ? 1 : 0,
    });
  }
  if (!transposeA && !transposeB) return emit('MatMul', [a!, b!], shape, 'float32');
  const attributes = {
    transA: transposeA ? 1 : 0,
    transB: transposeB ? 1 : 0,
    alpha: { float: 1 },
  };
  return emit('FusedMatMul', [a!, b!], shape, 'float32', attributes, 'com.microsoft');
});
