/** Kernels that look up or place values by index. */
import { sizeOf } from '../../shape.ts';
import { tf } from '../../tf.ts';
import { kernel } from '../backend.ts';
import { ELEMENT } from '../graph.ts';
import { emit, graph, type TensorInfo } from '../recording.ts';
import { cast, filled, reshape } from './nodes.ts';

const toInt64 = (x: TensorInfo): TensorInfo =>
  emit('Cast', [x], x.shape, 'int32', { to: ELEMENT.int64 });

kernel<{ axis: number; batchDims?: number }>(
  'GatherV2',
  ({ x, indices }, { axis, batchDims = 0 }) => {
    const along = tf.util.parseAxisParam(axis, x!.shape)[0]!;
    if (batchDims !== 0) return gatherInBatch(x!, indices!, along, batchDims);
    const shape = [...x!.shape.slice(0, along), ...indices!.shape, ...x!.shape.slice(along + 1)];
    return emit('Gather', [x!, indices!], shape, x!.dtype, { axis: along });
  },
);
/** Every batch looks up in its own rows: shift its indices to them and look up in all rows. */
function gatherInBatch(x: TensorInfo, indices: TensorInfo, axis: number, batchDims: number) {
  if (axis !== batchDims)
    throw new Error(`compile: gather: expected axis ${batchDims} (batchDims), got ${axis}`);
  const batches = sizeOf(x.shape.slice(0, axis));
  const [side, inner] = [x.shape[axis]!, x.shape.slice(axis + 1)];
  const starts = graph().constant(
    Int32Array.from({ length: batches }, (_, i) => i * side),
    [...x.shape.slice(0, axis), ...indices.shape.slice(axis).map(() => 1)],
    'int32',
  );
  const places = emit('Add', [indices, starts], indices.shape, 'int32');
  const rows = reshape(x, [batches * side, ...inner]);
  return emit('Gather', [rows, places], [...indices.shape, ...inner], x.dtype, { axis: 0 });
}
kernel('GatherNd', ({ params, indices }) => {
  const depth = indices!.shape.at(-1)!;
  const shape = [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)];
  return emit('GatherND', [params!, toInt64(indices!)], shape, params!.dtype);
});

/**
 * Zeros of `shape` with `updates` added at `indices`, whose last axis holds the places. As ScatterElements over
 * rows, because ONNX Runtime's ScatterND loses sums when several threads add to one place.
 */
function scatterAdd(indices: TensorInfo, updates: TensorInfo, shape: number[]): TensorInfo {
  const depth = indices.shape.at(-1)!;
  const [count, inner] = [sizeOf(indices.shape) / depth, sizeOf(shape.slice(depth))];
  const rows = sizeOf(shape.slice(0, depth));
  const places = emit(
    'Expand',
    [rowsOf(reshape(indices, [count, depth]), shape), graph().ints([count, inner])],
    [count, inner],
    'int32',
  );
  const zeros = filled([rows, inner], 0, updates.dtype as 'float32');
  const sums = emit(
    'ScatterElements',
    [zeros, places, reshape(updates, [count, inner])],
    [rows, inner],
    updates.dtype,
    { axis: 0, reduction: 'add' },
  );
  return reshape(sums, shape);
}
/** Places [n, depth] in the first axes of `shape` as numbers of rows [n, 1]. */
function rowsOf(places: TensorInfo, shape: readonly number[]): TensorInfo {
  const [count, depth] = places.shape as [number, number];
  if (depth === 1) return places;
  const strides = Int32Array.from({ length: depth }, (_, i) => sizeOf(shape.slice(i + 1, depth)));
  const steps = graph().constant(strides, [1, depth], 'int32');
  const scaled = emit('Mul', [places, steps], [count, depth], 'int32');
  return emit('ReduceSum', [scaled, graph().ints([1])], [count, 1], 'int32', { keepdims: 1 });
}
kernel<{ shape: number[] }>('ScatterNd', ({ indices, updates }, { shape }) =>
  scatterAdd(indices!, updates!, shape),
);
/** Values with some places overwritten; where one place is named twice, either update is kept. */
kernel('TensorScatterUpdate', ({ tensor, indices, updates }) =>
  emit('ScatterND', [tensor!, toInt64(indices!), updates!], tensor!.shape, tensor!.dtype),
);
/** The gradient of a gather along the first axis. */
kernel<{ numSegments: number }>('UnsortedSegmentSum', ({ x, segmentIds }, { numSegments }) => {
  const places = reshape(segmentIds!, [...segmentIds!.shape, 1]);
  const inner = x!.shape.slice(segmentIds!.shape.length);
  return scatterAdd(places, x!, [numSegments, ...inner]);
});
/** By comparison, because an index outside of the depth is no class: ONNX's OneHot would wrap it. */
kernel<{ depth: number; onValue: number; offValue: number; dtype: tf.DataType }>(
  'OneHot',
  ({ indices }, { depth, onValue, offValue, dtype }) => {
    const shape = [...indices!.shape, depth];
    const classes = Int32Array.from({ length: depth }, (_, i) => i);
    const column = reshape(indices!, [...indices!.shape, 1]);
    const hot = emit('Equal', [column, graph().constant(classes, [depth], 'int32')], shape, 'bool');
    const type = dtype === 'int32' ? 'int32' : 'float32';
    if (onValue === 1 && offValue === 0) return cast(hot, type);
    const values = [graph().scalar(onValue, type), graph().scalar(offValue, type)];
    return emit('Where', [hot, ...values], shape, type);
  },
);
