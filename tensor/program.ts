/**
 * Programs: a model function written once in tfjs ops, compiled for one set of shapes by an engine.
 * What travels between programs is a HostTensor, so solvers and decoders are plain arithmetic.
 */
import { sizeOf } from './shape.ts';
import type { Tensors } from './tf.ts';

export type HostTensor = {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
};
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** Shape and type of an input. Default type: float32. */
export type Spec = { readonly shape: readonly number[]; readonly dtype?: 'float32' | 'int32' };

/**
 * Plain tfjs code. `state.length` is an int32 scalar: the rows that appended state holds. A returned
 * state entry is the new value (`replace`) or only the new rows (`append`).
 */
export type ProgramFunction = (args: { inputs: Tensors; weights: Tensors; state: Tensors }) => {
  readonly outputs: Tensors;
  readonly state?: Tensors;
};

export type Signature = {
  readonly inputs: Readonly<Record<string, Spec>>;
  /** Baked weights need their values when compiling; live ones only their shapes. */
  readonly weights?: HostTensors;
  readonly state?: State;
};

export const PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

export type CompileOptions = {
  /** Named in errors. */
  readonly name?: string;
  /** `baked`: constants, prepacked and bit-equal for any batch. `live`: given at every run (training). */
  readonly weights?: 'baked' | 'live';
  /**
   * How baked weights are kept, on the onnx engine: `float16` halves the bytes of the model; `int8`
   * multiplies by 8-bit weights, about 1.7 times as fast. Default: float32.
   */
  readonly precision?: Precision;
  /** Constants of at least this many bytes are kept outside the ONNX model, which ends at 2 GB. */
  readonly externalDataThreshold?: number;
};

export type RunOptions = {
  readonly weights?: HostTensors;
  readonly state?: State;
  /** Buffers to write outputs into, by name; the returned tensors then share them. */
  readonly into?: Readonly<Record<string, Float32Array | Int32Array>>;
};

export type Program = {
  /** Names and shapes of the outputs. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** Runs once. The results belong to the caller; runs of one program are queued. */
  run(inputs: HostTensors, options?: RunOptions): Promise<Record<string, HostTensor>>;
  dispose(): Promise<void>;
};

export type Engine = {
  readonly name: EngineName;
  readonly provider: Provider;
  /** State that several programs of this engine may share. */
  state(spec: StateSpec): State;
  compile(fn: ProgramFunction, signature: Signature, options?: CompileOptions): Promise<Program>;
  /** Programs compiled and not yet disposed of. */
  readonly open: number;
};
export const ENGINES = ['onnx', 'tensorflow', 'reference'] as const;
export type EngineName = (typeof ENGINES)[number];
export const PROVIDERS = ['cpu', 'webgpu', 'cuda'] as const;
export type Provider = (typeof PROVIDERS)[number];

/**
 * How what a program returns changes state: `replace`; `append` new rows along an axis, at `length`; or
 * `write` them along an axis where the int32 input `at` [B, rows] says, for each index of axis 0 by
 * itself (ragged batches). Written rows are forgotten by whoever keeps the places, not by `length`.
 */
export type StateUpdate =
  | 'replace'
  | { readonly append: number }
  | { readonly write: number; readonly at: string };
export type StateSpec = Readonly<Record<string, Spec & { readonly update: StateUpdate }>>;
/** Values that outlive a run. `length` counts appended rows; setting it lower rolls back. */
export type State = {
  readonly spec: StateSpec;
  readonly values: Record<string, HostTensor>;
  length: number;
};

export function createState(spec: StateSpec): State {
  const values: Record<string, HostTensor> = {};
  for (const [name, { shape, dtype = 'float32' }] of Object.entries(spec)) {
    const Data = dtype === 'int32' ? Int32Array : Float32Array;
    values[name] = { data: new Data(sizeOf(shape)), shape };
  }
  return { spec, values, length: 0 };
}

/** Stores what a program that was given `inputs` returned for its state. */
export function updateState(state: State, returned: HostTensors, inputs: HostTensors): void {
  let added = 0;
  for (const [name, value] of Object.entries(returned)) {
    const { update } = state.spec[name]!;
    const current = state.values[name]!;
    if (update === 'replace') {
      (current.data as Float32Array).set(value.data as Float32Array);
      continue;
    }
    if ('write' in update) {
      writeRows(name, current, value, update.write, inputs[update.at]!);
      continue;
    }
    added = value.shape[update.append]!;
    appendRows(name, current, value, update.append, state.length);
  }
  state.length += added;
}

/** rows [B, .., n, ..] go to `places` [B, n] of `axis`, the same within all axes between. */
function writeRows(
  name: string,
  to: HostTensor,
  rows: HostTensor,
  axis: number,
  places: HostTensor,
): void {
  const [batch, count, capacity] = [to.shape[0]!, rows.shape[axis]!, to.shape[axis]!];
  const middle = sizeOf(to.shape.slice(1, axis));
  const inner = sizeOf(to.shape.slice(axis + 1));
  for (const place of places.data) {
    if (place >= 0 && place < capacity) continue;
    throw new RangeError(
      `state '${name}': expected places from 0 to ${capacity - 1} on axis ${axis}, got ${place}; make the state larger`,
    );
  }
  for (let outer = 0; outer < batch * middle; outer++) {
    const first = Math.floor(outer / middle) * count;
    for (let j = 0; j < count; j++) {
      const from = (outer * count + j) * inner;
      const at = (outer * capacity + places.data[first + j]!) * inner;
      (to.data as Float32Array).set(rows.data.subarray(from, from + inner) as Float32Array, at);
    }
  }
}

function appendRows(
  name: string,
  to: HostTensor,
  rows: HostTensor,
  axis: number,
  at: number,
): void {
  const capacity = to.shape[axis]!;
  const count = rows.shape[axis]!;
  if (at + count > capacity) {
    throw new RangeError(
      `state '${name}': expected at most ${capacity} rows on axis ${axis}, got ${at} + ${count}; make the state larger or roll back by setting its length`,
    );
  }
  const inner = sizeOf(to.shape.slice(axis + 1));
  const outer = sizeOf(to.shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    const part = rows.data.subarray(o * count * inner, (o + 1) * count * inner);
    (to.data as Float32Array).set(part as Float32Array, (o * capacity + at) * inner);
  }
}

/** Throws unless the given tensors are exactly those of the signature. */
export function checkTensors(
  where: string,
  given: HostTensors,
  wanted: Readonly<Record<string, Spec>>,
): void {
  for (const [name, { shape, dtype = 'float32' }] of Object.entries(wanted)) {
    const tensor = given[name];
    if (!tensor) throw new TypeError(`${where}: expected a tensor '${name}', got none`);
    const sameShape =
      tensor.shape.length === shape.length && shape.every((side, i) => side === tensor.shape[i]);
    if (!sameShape || tensor.data.length !== sizeOf(shape)) {
      throw new RangeError(
        `${where}: '${name}': expected shape [${shape.join(', ')}], got [${tensor.shape.join(', ')}] with ${tensor.data.length} values`,
      );
    }
    const found = tensor.data instanceof Float32Array ? 'float32' : 'int32';
    if (found !== dtype)
      throw new TypeError(`${where}: '${name}': expected ${dtype}, got ${found}`);
  }
  const extra = Object.keys(given).find((name) => !(name in wanted));
  if (extra !== undefined) throw new TypeError(`${where}: unexpected tensor '${extra}'`);
}

/** Throws unless weights can be kept at the asked precision. */
export function checkPrecision(where: string, engine: EngineName, options: CompileOptions): void {
  const { precision = 'float32', weights = 'baked' } = options;
  if (precision === 'float32' || (engine === 'onnx' && weights === 'baked')) return;
  throw new RangeError(
    `${where}: expected precision 'float32' with ${weights} weights on the ${engine} engine, got '${precision}'; bake the weights and use the onnx engine`,
  );
}

/** Throws unless everything that a run was given is what its program was compiled for. */
export function checkRun(
  where: string,
  { inputs, weights = {}, state }: Signature,
  mode: CompileOptions['weights'],
  given: HostTensors,
  options: RunOptions,
): void {
  checkTensors(where, given, inputs);
  if (mode === 'live')
    checkTensors(`${where}: live weights`, options.weights ?? {}, specsOf(weights));
  if (!state) return;
  if (!options.state) {
    throw new TypeError(
      `${where}: expected the state that the program was compiled with, got none; pass it as \`state\``,
    );
  }
  checkTensors(`${where}: state`, options.state.values, state.spec);
}

/** Throws unless a buffer for output `name` has its size. */
export function checkBuffer(where: string, name: string, got: number, expected: number): void {
  if (got === expected) return;
  throw new RangeError(
    `${where}: expected a buffer of ${expected} values for '${name}', got ${got}`,
  );
}

/** The specs that live weights or state have as inputs. */
export function specsOf(tensors: HostTensors): Record<string, Spec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' } as const,
    ]),
  );
}
