/**
 * Engines that run a function op by op on a tfjs backend: native TensorFlow, and tfjs's plain cpu
 * backend, which is the reference that the others are compared with.
 */
import {
  checkBuffer,
  checkPrecision,
  checkRun,
  createState,
  type Engine,
  type EngineName,
  type HostTensor,
  type HostTensors,
  type Program,
  type RunOptions,
  updateState,
} from '../program.ts';
import { type Tensor, type Tensors, tf } from '../tf.ts';

/** Runs on the tfjs backend `backend`, which must have been registered already. */
export function createEagerEngine(name: EngineName, backend: string): Engine {
  let count = 0;
  return {
    name,
    provider: 'cpu',
    state: createState,
    async compile(fn, signature, options = {}) {
      const where = options.name ?? (fn.name || 'program');
      const live = options.weights === 'live';
      checkPrecision(where, name, options);
      const baked = live ? {} : on(backend, () => toTensors(signature.weights ?? {}));
      const outputs: Record<string, readonly number[]> = {};
      let closed = false;
      count += 1;

      const run = (inputs: HostTensors, runOptions: RunOptions = {}) => {
        if (closed)
          throw new Error(
            `${where}: expected a program that is open, got one that was disposed of`,
          );
        checkRun(where, signature, options.weights, inputs, runOptions);
        const { weights: given, state, into = {} } = runOptions;
        const results = on(backend, () => {
          const found: { outputs: HostTensors; state: HostTensors } = { outputs: {}, state: {} };
          tf.tidy(() => {
            const result = fn({
              inputs: toTensors(inputs),
              weights: live ? toTensors(given ?? {}) : baked,
              state: state
                ? { ...toTensors(state.values), length: tf.scalar(state.length, 'int32') }
                : {},
            });
            found.outputs = toHost(where, result.outputs, into);
            found.state = toHost(where, result.state ?? {}, {});
          });
          return found;
        });
        for (const [key, { shape }] of Object.entries(results.outputs)) outputs[key] = shape;
        if (state) updateState(state, results.state, inputs);
        return results.outputs;
      };
      const program: Program = {
        outputs,
        run: async (inputs, runOptions) => run(inputs, runOptions),
        async dispose() {
          if (closed) return;
          closed = true;
          on(backend, () => tf.dispose(baked));
          count -= 1;
        },
      };
      return program;
    },
    get open() {
      return count;
    },
  };
}

/** Runs `body` on another backend than the global one, in one synchronous piece. */
function on<Result>(backend: string, body: () => Result): Result {
  const before = tf.getBackend();
  void tf.setBackend(backend);
  try {
    return body();
  } finally {
    void tf.setBackend(before);
  }
}

function toTensor({ data, shape }: HostTensor): Tensor {
  // A copy: tfjs's cpu backend keeps the array it is given, and callers reuse theirs.
  return tf.tensor(data.slice(), [...shape], data instanceof Float32Array ? 'float32' : 'int32');
}

const toTensors = (tensors: HostTensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toTensor(tensor)]));

function toHost(
  where: string,
  tensors: Tensors,
  into: NonNullable<RunOptions['into']>,
): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const values = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
      // By the tensor's type: tfjs keeps int32 values where it casts them to float32, and bools are bytes.
      const Data = tensor.dtype === 'float32' ? Float32Array : Int32Array;
      const data = Data.from(values);
      const buffer = into[name];
      if (!buffer) return [name, { data, shape: tensor.shape }];
      checkBuffer(where, name, buffer.length, data.length);
      buffer.set(data);
      return [name, { data: buffer, shape: tensor.shape }];
    }),
  );
}
