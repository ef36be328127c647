/**
 * A TensorFlow.js backend that computes nothing: its kernels record ONNX nodes. Running a model
 * function on it, with its tape gradients where the function asks for them, gives the whole
 * computation as one graph.
 */
import { type DataType, tf } from '../tf.ts';
import { Graph } from './graph.ts';
import { recordInto, type TensorInfo, values } from './recording.ts';

const BACKEND = 'trace';

class TraceBackend extends tf.KernelBackend {
  override numDataIds(): number {
    return 0;
  }
  override write(given: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const id = {};
    this.move(id, given, shape, dtype);
    return id;
  }
  override move(id: object, given: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    if (typeof given?.[0] === 'string') {
      throw new TypeError('compile: a traced function cannot hold string tensors');
    }
    // tfjs hands over a fresh array for every constant it makes, so it may be kept without a copy.
    values.set(id, { constant: given as ArrayLike<number>, shape, dtype: dtype as DataType });
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
    const value = values.get(id);
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
  try {
    recordInto(recorded, () => tf.tidy(() => body(recorded)));
  } catch (error) {
    throw explain(error, what);
  } finally {
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
