/**
 * The graph that is being recorded, for kernels and fused primitives that add nodes to it, and the values in it that
 * tensors stand for. Importing it loads nothing of TensorFlow.js: operations need it also where nothing is computed.
 */
import { type DataType, type Tensor, tf } from '../tf.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';

export type TensorInfo = tf.TensorInfo;

/** By the identity that TensorFlow.js gives the data of a tensor. */
export const values = new WeakMap<object, Value>();
let current: Graph | undefined;

/** Nodes that `body` makes go to `to`. */
export function recordInto(to: Graph, body: () => void): void {
  current = to;
  try {
    body();
  } finally {
    current = undefined;
  }
}

/** True while a function is being traced: fused primitives then emit their ONNX form. */
export const isTracing = (): boolean => current !== undefined;

/** The graph that is being recorded, for kernels that need constants or several nodes. */
export function graph(): Graph {
  if (!current) throw new Error('trace: a traced tensor was used outside of its trace');
  return current;
}

/** The ONNX name of a tensor of the running trace. */
export function nameOf(info: TensorInfo): string {
  const value = values.get(info.dataId);
  if (!value) {
    throw new Error(
      'compile: the function uses a tensor made outside of it; pass it as an input or a weight',
    );
  }
  value.name ??= graph().constant(value.constant!, value.shape, value.dtype);
  return value.name;
}

/** The values of a tensor that is a constant of the trace, if it is one. */
export const constantOf = (info: TensorInfo): ArrayLike<number> | undefined =>
  values.get(info.dataId)?.constant;

/** A tensor of the trace that stands for an already recorded output. */
export function infoOf(name: string, shape: readonly number[], dtype: tf.DataType): TensorInfo {
  const dataId = {};
  values.set(dataId, { name, shape, dtype: dtype as DataType });
  return { dataId, shape: [...shape], dtype };
}

/** The same as a Tensor, for code above the kernels. */
export const tensorOf = (name: string, shape: readonly number[], dtype: tf.DataType): Tensor =>
  tf.engine().makeTensorFromTensorInfo(infoOf(name, shape, dtype));

/** Records one node with one output and returns that output as a tensor. */
export function emit(
  op: string,
  inputs: readonly (TensorInfo | string)[],
  shape: readonly number[],
  dtype: tf.DataType,
  attributes: Record<string, Attribute> = {},
  domain: Node['domain'] = '',
): TensorInfo {
  const names = inputs.map((input) => (typeof input === 'string' ? input : nameOf(input)));
  return infoOf(graph().node(op, names, attributes, domain), shape, dtype);
}
