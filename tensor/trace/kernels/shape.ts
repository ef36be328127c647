/** Kernels that move values without changing them. */
import { sizeOf } from '../../shape.ts';
import { type DataType, tf } from '../../tf.ts';
import { kernel } from '../backend.ts';
import { emit, graph, infoOf, nameOf, type TensorInfo } from '../recording.ts';
import { filled, reshape, reversed, transpose } from './nodes.ts';

function slice(x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const axes = x.shape.flatMap((side, axis) => (size[axis] === side ? [] : [axis]));
  if (axes.length === 0) return emit('Identity', [x], x.shape, x.dtype);
  const starts = axes.map((axis) => begin[axis]!);
  const ends = axes.map((axis) => begin[axis]! + size[axis]!);
  return emit(
    'Slice',
    [x, graph().ints(starts), graph().ints(ends), graph().ints(axes)],
    size,
    x.dtype,
  );
}

kernel<{ shape: number[] }>('Reshape', ({ x }, { shape }) =>
  reshape(x!, tf.util.inferFromImplicitShape(shape, sizeOf(x!.shape))),
);
kernel<{ dim: number }>('ExpandDims', ({ input }, { dim }) => {
  const shape = [...input!.shape];
  shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
  return reshape(input!, shape);
});
kernel<{ perm: number[] }>('Transpose', ({ x }, { perm }) => transpose(x!, perm));
kernel<{ begin: number[]; size: number[] }>('Slice', ({ x }, { begin, size }) => {
  const [start, length] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size) as [
    number[],
    number[],
  ];
  return slice(x!, start, length);
});
kernel<StridedSlice>('StridedSlice', ({ x }, attrs) => {
  const info = tf.slice_util.sliceInfo(
    x!.shape,
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  const axes = x!.shape.map((_, axis) => axis);
  const ends = info.end.map((end, axis) =>
    info.strides[axis]! < 0 && end < 0 ? -x!.shape[axis]! - 1 : end,
  );
  const g = graph();
  const cut = emit(
    'Slice',
    [x!, g.ints(info.begin), g.ints(ends), g.ints(axes), g.ints(info.strides)],
    tf.slice_util.computeOutShape(info.begin, info.end, info.strides),
    x!.dtype,
  );
  return reshape(cut, info.finalShape);
});
type StridedSlice = {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
};
kernel<{ axis: number }>('Concat', (inputs, { axis }) => {
  const all = Object.values(inputs);
  const parts = all.filter((part) => sizeOf(part.shape) > 0);
  const first = parts[0] ?? all[0]!;
  const along = tf.util.parseAxisParam(axis, first.shape)[0]!;
  const shape = [...first.shape];
  shape[along] = (parts[0] ? parts : all).reduce((sum, part) => sum + part.shape[along]!, 0);
  if (parts.length === 0) return filled(shape, 0, first.dtype as DataType);
  if (parts.length === 1) return emit('Identity', [first], shape, first.dtype);
  return emit('Concat', parts, shape, first.dtype, { axis: along });
});
kernel<{ axis: number }>('Pack', (inputs, { axis }) => {
  const parts = Object.values(inputs).map((part) => {
    const shape = [...part.shape];
    shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
    return reshape(part, shape);
  });
  const along = axis < 0 ? axis + parts[0]!.shape.length : axis;
  const shape = [...parts[0]!.shape];
  shape[along] = parts.length;
  return emit('Concat', parts, shape, parts[0]!.dtype, { axis: along });
});
kernel<{ axis: number }>('Unpack', ({ value }, { axis }) => {
  const along = axis < 0 ? axis + value!.shape.length : axis;
  const kept = value!.shape.filter((_, i) => i !== along);
  return Array.from({ length: value!.shape[along]! }, (_, i) => {
    const begin = value!.shape.map((_, j) => (j === along ? i : 0));
    const size = value!.shape.map((side, j) => (j === along ? 1 : side));
    return reshape(slice(value!, begin, size), kept);
  });
});
/** One Split node: cheaper than a Slice for each part. */
kernel<{ numOrSizeSplits: number[] | number; axis: number }>('SplitV', ({ x }, attrs) => {
  const axis = tf.util.parseAxisParam(attrs.axis, x!.shape)[0]!;
  const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis);
  const names = graph().nodeWith(sizes.length, 'Split', [nameOf(x!), graph().ints(sizes)], {
    axis,
  });
  return names.map((name, i) => {
    const shape = x!.shape.map((side, j) => (j === axis ? sizes[i]! : side));
    return infoOf(name, shape, x!.dtype);
  });
});
kernel<{ paddings: [number, number][]; constantValue: number }>('PadV2', ({ x }, attrs) => {
  const shape = x!.shape.map((side, i) => side + attrs.paddings[i]![0] + attrs.paddings[i]![1]);
  const pads = [...attrs.paddings.map((p) => p[0]), ...attrs.paddings.map((p) => p[1])];
  const value = graph().scalar(attrs.constantValue, x!.dtype === 'int32' ? 'int32' : 'float32');
  return emit('Pad', [x!, graph().ints(pads), value], shape, x!.dtype);
});
/** Looks every row up: ONNX's Pad reflects, but has no form that repeats the border itself. */
kernel<{ paddings: [number, number][]; mode: 'reflect' | 'symmetric' }>(
  'MirrorPad',
  ({ x }, { paddings, mode }) => {
    const skip = mode === 'reflect' ? 0 : 1;
    return paddings.reduce(
      (padded, [before, after], axis) => {
        if (before + after === 0) return padded;
        const side = x!.shape[axis]!;
        const places = Int32Array.from({ length: before + side + after }, (_, i) => {
          const at = i - before;
          return at < 0 ? -at - skip : at < side ? at : 2 * (side - 1) - at + skip;
        });
        const index = graph().constant(places, [places.length], 'int32');
        const shape = padded.shape.with(axis, places.length);
        return emit('Gather', [padded, index], shape, x!.dtype, { axis });
      },
      infoOf(nameOf(x!), x!.shape, x!.dtype),
    );
  },
);
kernel<{ reps: number[] }>('Tile', ({ x }, { reps }) =>
  emit(
    'Tile',
    [x!, graph().ints(reps)],
    x!.shape.map((side, i) => side * reps[i]!),
    x!.dtype,
  ),
);
kernel<{ dims: number[] }>('Reverse', ({ x }, { dims }) => {
  const axes = tf.util.parseAxisParam(dims, x!.shape);
  if (axes.length === 0) return emit('Identity', [x!], x!.shape, x!.dtype);
  return reversed(x!, axes);
});
kernel('ZerosLike', ({ x }) => filled(x!.shape, 0, x!.dtype as DataType));
kernel('OnesLike', ({ x }) => filled(x!.shape, 1, x!.dtype as DataType));
kernel<{ shape: number[]; value: number; dtype?: tf.DataType }>('Fill', (_, attrs) =>
  filled(attrs.shape, attrs.value, (attrs.dtype ?? 'float32') as DataType),
);
kernel<{ start: number; stop: number; num: number }>('LinSpace', (_, { start, stop, num }) => {
  const step = num > 1 ? (stop - start) / (num - 1) : 0;
  const data = Array.from({ length: num }, (_, i) => start + i * step);
  return infoOf(graph().constant(data, [num], 'float32'), [num], 'float32');
});
kernel<{ start: number; stop: number; step: number; dtype?: tf.DataType }>('Range', (_, attrs) => {
  const { start, stop, step } = attrs;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const data = Array.from({ length: count }, (_, i) => start + i * step);
  const dtype = attrs.dtype ?? 'float32';
  return infoOf(graph().constant(data, [count], dtype as DataType), [count], dtype);
});
