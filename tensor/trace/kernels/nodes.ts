/** Nodes that several kernels are made of. */
import { sizeOf } from '../../shape.ts';
import { type DataType, tf } from '../../tf.ts';
import { ELEMENT, type ElementType } from '../graph.ts';
import { emit, graph, infoOf, nameOf, type TensorInfo } from '../recording.ts';

/** What a reshaped tensor was before all reshapes, by the identity of its data. */
const unshaped = new WeakMap<object, TensorInfo>();

/** Of several reshapes in a row one is recorded, or none when they undo each other. */
export function reshape(x: TensorInfo, shape: readonly number[]): TensorInfo {
  const source = unshaped.get(x.dataId) ?? x;
  if (tf.util.arraysEqual(source.shape, [...shape])) return infoOf(nameOf(source), shape, x.dtype);
  const reshaped = emit('Reshape', [source, graph().ints(shape)], shape, x.dtype);
  unshaped.set(reshaped.dataId, source);
  return reshaped;
}

export const cast = (x: TensorInfo, dtype: ElementType): TensorInfo =>
  emit('Cast', [x], x.shape, dtype as DataType, { to: ELEMENT[dtype] });

/** Swaps axes. Of two swaps in a row one is recorded, or none when they undo each other. */
export function transpose(x: TensorInfo, perm: readonly number[]): TensorInfo {
  const shape = perm.map((axis) => x.shape[axis]!);
  const producer = graph().producer(nameOf(x));
  const twice = producer?.op === 'Transpose';
  const first = twice ? (producer.attributes.perm as readonly number[]) : undefined;
  const both = first ? perm.map((axis) => first[axis]!) : perm;
  const source = twice ? producer.inputs[0]! : nameOf(x);
  if (both.every((axis, i) => axis === i)) return infoOf(source, shape, x.dtype);
  return emit('Transpose', [source], shape, x.dtype, { perm: both });
}

/** Turned round along these axes. */
export function reversed(x: TensorInfo, axes: readonly number[]): TensorInfo {
  const g = graph();
  const starts = g.ints(axes.map(() => -1));
  const ends = g.ints(axes.map((axis) => -x.shape[axis]! - 1));
  return emit('Slice', [x, starts, ends, g.ints(axes), starts], x.shape, x.dtype);
}

/** A constant with one value everywhere. */
export function filled(shape: readonly number[], value: number, dtype: DataType): TensorInfo {
  const data = new Float32Array(sizeOf(shape)).fill(value);
  return infoOf(graph().constant(data, shape, dtype), shape, dtype);
}
