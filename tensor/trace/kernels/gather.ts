/** Kernels that look up or place values by index. */
import { sizeOf } from '../../shape.ts';
import { tf } from '../../tf.ts';
import { emit, graph, infoOf, kernel, type TensorInfo } from '../backend.ts';
import { ELEMENT } from '../graph.ts';

const toInt64 = (x: TensorInfo): TensorInfo =>
  emit('Cast', [x], x.shape, 'int32', { to: ELEMENT.int64 });
const reshape = (x: TensorInfo, shape: number[]): TensorInfo =>
  emit('Reshape', [x, graph().ints(shape)], shape, x.dtype);

kernel<{ axis: number; batchDims?: number }>(
  'GatherV2',
  ({ x, indices }, { axis, batchDims = 0 }) => {
    if (batchDims !== 0) throw new Error(`compile: gather: expected batchDims 0, got ${batchDims}`);
    const along = tf.util.parseAxisParam(axis, x!.shape)[0]!;
    const shape = [...x!.shape.slice(0, along), ...indices!.shape, ...x!.shape.slice(along + 1)];
    return emit('Gather', [x!, indices!], shape, x!.dtype, { axis: along });
  },
);
kernel('GatherNd', ({ params, indices }) => {
  const depth = indices!.shape.at(-1)!;
  const shape = [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)];
  return emit('GatherND', [params!, toInt64(indices!)], shape, params!.dtype);
});

/** Zeros of `shape` with `updates` added at `indices`, whose last axis holds the places. */
function scatterAdd(indices: TensorInfo, updates: TensorInfo, shape: number[]): TensorInfo {
  const zeros = infoOf(
    graph().constant(new Float32Array(sizeOf(shape)), shape, 'float32'),
    shape,
    'float32',
  );
  return emit('ScatterND', [zeros, toInt64(indices), updates], shape, updates.dtype, {
    reduction: 'add',
  });
}
kernel<{ shape: number[] }>('ScatterNd', ({ indices, updates }, { shape }) =>
  scatterAdd(indices!, updates!, shape),
);
/** The gradient of a gather along the first axis. */
kernel<{ numSegments: number }>('UnsortedSegmentSum', ({ x, segmentIds }, { numSegments }) => {
  const places = reshape(segmentIds!, [...segmentIds!.shape, 1]);
  return scatterAdd(places, x!, [numSegments, ...x!.shape.slice(1)]);
});
kernel<{ depth: number; onValue: number; offValue: number; dtype: tf.DataType }>(
  'OneHot',
  ({ indices }, attrs) => {
    const shape = [...indices!.shape, attrs.depth];
    const values = graph().constant(Float32Array.of(attrs.offValue, attrs.onValue), [2], 'float32');
    const hot = emit('OneHot', [indices!, graph().ints([attrs.depth]), values], shape, 'float32', {
      axis: -1,
    });
    return attrs.dtype === 'float32'
      ? hot
      : emit('Cast', [hot], shape, attrs.dtype, { to: ELEMENT[attrs.dtype as 'int32'] });
  },
);
