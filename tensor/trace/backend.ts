/**
 * A TensorFlow.js backend that computes nothing: its kernels record ONNX nodes. Running a model
 * function on it, with its tape gradients where the function asks for them, gives the whole
 * computation as one graph.
 */
import { type DataType, type Tensor, tf } from '../tf.ts';
import { type Attribute, Graph, type Node, type Value } from './graph.ts';

export type TensorInfo = tf.TensorInfo;
const BACKEND = 'trace';

class TraceBackend extends tf.KernelBackend {
  readonly values = new WeakMap<object, Value>();
  graph: Graph | undefined;

  override numDataIds(): number {
    return 0;
  }
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const id = {};
    this.move(id, values, shape, dtype);
    return id;
  }
  override move(id: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    if (typeof values?.[0] === 'string') {
      throw new TypeError('compile: a traced function cannot hold string tensors');
    }
    // tfjs hands over a fresh array for every constant it makes, so it may be kept without a copy.
    this.values.set(id, { constant: values as ArrayLike<number>, shape, dtype: dtype as DataType });
  }
  override incRef(): void {}
  decRef(): void {}
  override refCount(): number {
    return 1;
  }
  override disposeData(): boolean {
    return true;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  /** Constants may be read while tracing (shapes, axes); results of the graph do not exist yet. */
  override readSync(id: object): tf.BackendValues {
    const value = this.values.get(id);
    if (value?.constant) return value.constant as tf.BackendValues;
    throw new Error(
      'compile: the function reads a tensor while it is traced; only shapes are known then, so compute on tensors instead of their values',
    );
  }
  override async read(id: object): Promise<tf.BackendValues> {
    return this.readSync(id);
  }
}

const backend = new TraceBackend();
tf.registerBackend(BACKEND, () => backend);

/** True while a function is being traced: fused primitives then emit their ONNX form. */
export const isTracing = (): boolean => backend.graph !== undefined;

function currentGraph(): Graph {
  if (!backend.graph) throw new Error('trace: a traced tensor was used outside of its trace');
  return backend.graph;
}

/** The ONNX name of a tensor of the running trace. */
export function nameOf(info: TensorInfo): string {
  const value = backend.values.get(info.dataId);
  if (!value) {
    throw new Error(
      'compile: the function uses a tensor made outside of it; pass it as an input or a weight',
    );
  }
  value.name ??= currentGraph().constant(value.constant!, value.shape, value.dtype);
  return value.name;
}

/** The values of a tensor that is a constant of the trace, if it is one. */
export const constantOf = (info: TensorInfo): ArrayLike<number> | undefined =>
  backend.values.get(info.dataId)?.constant;

/** A tensor of the trace that stands for an already recorded output. */
export function infoOf(name: string, shape: readonly number[], dtype: tf.DataType): TensorInfo {
  const dataId = {};
  backend.values.set(dataId, { name, shape, dtype: dtype as DataType });
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
  return infoOf(currentGraph().node(op, names, attributes, domain), shape, dtype);
}

/** The graph that is being recorded, for kernels that need constants or several nodes. */
export const graph = currentGraph;

/** Registers the kernel that records tfjs's `name`. */
export function kernel<Attrs extends object = object>(
  name: string,
  record: (inputs: Record<string, TensorInfo>, attrs: Attrs) => TensorInfo | TensorInfo[],
): void {
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) =>
      record(inputs as Record<string, TensorInfo>, (attrs ?? {}) as unknown as Attrs),
  });
}

/**
 * Runs `body` with this backend in place of the global one, from set to restore in one synchronous
 * piece, so that two compiles never meet; restores it when `body` throws.
 */
export function trace(what: string, body: (graph: Graph) => void): Graph {
  const before = tf.getBackend();
  const recorded = new Graph();
  void tf.setBackend(BACKEND); // Synchronous for backends without an asynchronous start.
  backend.graph = recorded;
  try {
    tf.tidy(() => body(recorded));
  } catch (error) {
    throw explain(error, what);
  } finally {
    backend.graph = undefined;
    void tf.setBackend(before);
  }
  recorded.prune();
  return recorded;
}

function explain(error: unknown, what: string): unknown {
  const missing =
    error instanceof Error &&
    /Kernel '(\w+)' not registered for backend 'trace'/.exec(error.message);
  if (!missing) return error;
  return new Error(
    `compile: kernel '${missing[1]}' of the traced function '${what}' has no ONNX form; use other ops, or add it in tensor/trace/kernels`,
    { cause: error },
  );
}
