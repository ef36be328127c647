/** The default engine: traces a function into one ONNX graph and runs it by ONNX Runtime. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import {
  type CompileOptions,
  checkBuffer,
  checkPrecision,
  checkRun,
  createState,
  type Engine,
  type HostTensor,
  type HostTensors,
  type Program,
  type ProgramFunction,
  type Provider,
  type RunOptions,
  type Signature,
  type Spec,
  specsOf,
  updateState,
} from '../program.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor, Tensors } from '../tf.ts';
import { trace } from '../trace/backend.ts';
import { ELEMENT, type Graph } from '../trace/graph.ts';
import { nameOf, tensorOf } from '../trace/recording.ts';
import '../trace/kernels/conv.ts';
import '../trace/kernels/gather.ts';
import '../trace/kernels/math.ts';
import '../trace/kernels/reduce.ts';
import '../trace/kernels/shape.ts';
import { encodeModel } from '../trace/onnx.ts';
import { reducePrecision } from '../trace/precision.ts';
import { completeNorms, cpuNodesOf } from './webgpu.ts';

export type OnnxOptions = {
  readonly provider?: Provider;
  readonly threads?: number;
  /** Threads wait for work busily: faster alone, wasteful beside other programs. Default: true. */
  readonly spinning?: boolean;
};
/** Protobuf cannot hold 2 GB; from 1.5 GB of constants on, large ones go to a file beside it. */
const INSIDE_LIMIT = 1.5e9;
const EXTERNAL_THRESHOLD = 1 << 20;

export function createOnnxEngine({
  provider = 'cpu',
  threads,
  spinning = true,
}: OnnxOptions = {}): Engine {
  let count = 0;
  const session: ort.InferenceSession.SessionOptions = {
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    // A pattern is one block for a whole run beside the arena of the first run: twice the memory, and
    // a sixth more processor time a training step for its fresh pages.
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  };
  return {
    name: 'onnx',
    provider,
    state: createState,
    async compile(fn, signature, options = {}) {
      checkPrecision(options.name ?? (fn.name || 'program'), 'onnx', options);
      const traced = record(fn, signature, options);
      reducePrecision(traced.graph, options.precision ?? 'float32');
      if (provider === 'webgpu') completeNorms(traced.graph);
      const executionProviders = providersFor(provider, traced.graph);
      const loaded = await load(
        traced.graph,
        { ...session, executionProviders },
        options.externalDataThreshold,
      );
      count += 1;
      return programOf(loaded, traced, signature, options, () => {
        count -= 1;
      });
    },
    get open() {
      return count;
    },
  };
}

function providersFor(
  provider: Provider,
  graph: Graph,
): ort.InferenceSession.ExecutionProviderConfig[] {
  if (provider === 'cpu') return ['cpu'];
  if (provider === 'cuda') return ['cuda', 'cpu'];
  const forceCpuNodeNames = cpuNodesOf(graph); // An empty list is an error.
  return [
    { name: 'webgpu', ...(forceCpuNodeNames.length > 0 ? { forceCpuNodeNames } : {}) },
    'cpu',
  ];
}

type Traced = {
  readonly graph: Graph;
  /** Shapes by ONNX output name: 'out/<name>', and 'next/<name>' for state. */
  readonly outputs: Record<string, Spec>;
};

/** Traces `fn` with every input, weight and state entry as a graph input (baked weights: constants). */
function record(fn: ProgramFunction, signature: Signature, options: CompileOptions): Traced {
  const { inputs, weights = {}, state } = signature;
  const outputs: Record<string, Spec> = {};
  const graph = trace(options.name ?? (fn.name || 'anonymous'), (g) => {
    const input = (prefix: string, name: string, { shape, dtype = 'float32' }: Spec): Tensor => {
      g.inputs.push({ name: `${prefix}/${name}`, type: dtype, shape });
      return tensorOf(`${prefix}/${name}`, shape, dtype);
    };
    const all = (prefix: string, specs: Readonly<Record<string, Spec>>): Tensors =>
      Object.fromEntries(
        Object.entries(specs).map(([name, spec]) => [name, input(prefix, name, spec)]),
      );
    const baked = (): Tensors =>
      Object.fromEntries(
        Object.entries(weights).map(([name, tensor]) => [name, constant(g, name, tensor)]),
      );
    const result = fn({
      inputs: all('in', inputs),
      weights: options.weights === 'live' ? all('weight', specsOf(weights)) : baked(),
      state: state
        ? {
            ...all('state', state.spec),
            length: input('state', 'length', { shape: [], dtype: 'int32' }),
          }
        : {},
    });
    addOutputs(g, outputs, 'out', result.outputs);
    addOutputs(g, outputs, 'next', result.state ?? {});
  });
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const kept = graph.inputs.filter((input) => used.has(input.name));
  graph.inputs.splice(0, graph.inputs.length, ...kept);
  return { graph, outputs };
}

function constant(graph: Graph, name: string, { data, shape }: HostTensor): Tensor {
  const array = data instanceof Uint8Array ? Int32Array.from(data) : data;
  const type = array instanceof Float32Array ? 'float32' : 'int32';
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return tensorOf(graph.named(`weight/${name}`, type, shape, bytes), shape, type);
}

/** Every output gets a node of its own, so that an input or a constant may be an output too. */
function addOutputs(
  graph: Graph,
  specs: Record<string, Spec>,
  prefix: 'out' | 'next',
  tensors: Tensors,
): void {
  for (const [key, tensor] of Object.entries(tensors)) {
    const name = `${prefix}/${key}`;
    const shared = { domain: '', inputs: [nameOf(tensor)], outputs: [name] } as const;
    graph.nodes.push(
      tensor.dtype === 'bool'
        ? { ...shared, op: 'Cast', attributes: { to: ELEMENT.int32 } }
        : { ...shared, op: 'Identity', attributes: {} },
    );
    const dtype = tensor.dtype === 'float32' ? 'float32' : 'int32';
    graph.outputs.push({ name, type: dtype, shape: tensor.shape });
    specs[name] = { shape: tensor.shape, dtype };
  }
}

async function load(
  graph: Graph,
  options: ort.InferenceSession.SessionOptions,
  threshold?: number,
): Promise<ort.InferenceSession> {
  const total = graph.constants.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (threshold === undefined && total < INSIDE_LIMIT) {
    return ort.InferenceSession.create(encodeModel(graph).model, options);
  }
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-model-'));
  try {
    const { model, external } = encodeModel(graph, {
      file: 'weights.bin',
      threshold: threshold ?? EXTERNAL_THRESHOLD,
    });
    await writeFile(join(folder, 'model.onnx'), model);
    const file = await open(join(folder, 'weights.bin'), 'w');
    for (const { offset, bytes } of external) await file.write(bytes, 0, bytes.length, offset);
    await file.close();
    return await ort.InferenceSession.create(join(folder, 'model.onnx'), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function programOf(
  session: ort.InferenceSession,
  { graph, outputs }: Traced,
  signature: Signature,
  { name = 'program', weights: mode = 'baked' }: CompileOptions,
  onDispose: () => void,
): Program {
  const feedNames = graph.inputs.map((input) => input.name);
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  const run = async (inputs: HostTensors, { weights, state, into = {} }: RunOptions) => {
    const feeds: Record<string, ort.Tensor> = {};
    for (const feed of feedNames) feeds[feed] = toOrt(find(feed, inputs, weights, state));
    const results = await session.run(feeds, fetches(name, outputs, into));
    const found: Record<string, HostTensor> = {};
    const returned: Record<string, HostTensor> = {};
    for (const [key, { shape }] of Object.entries(outputs)) {
      const data = results[key]!.data as Float32Array;
      const [kind, name] = partsOf(key);
      if (kind === 'out') found[name] = { data: into[name] ?? data, shape };
      else returned[name] = { data, shape };
    }
    if (state) updateState(state, returned, inputs);
    return found;
  };
  const shapes = Object.entries(outputs).filter(([key]) => key.startsWith('out/'));
  return {
    outputs: Object.fromEntries(shapes.map(([key, { shape }]) => [partsOf(key)[1], shape])),
    async run(inputs, options = {}) {
      if (closed)
        throw new Error(`${name}: expected a program that is open, got one that was disposed of`);
      checkRun(name, signature, mode, inputs, options);
      const result = queue.then(() => run(inputs, options));
      queue = result.catch(() => undefined);
      return result;
    },
    async dispose() {
      if (closed) return;
      closed = true;
      await queue;
      await session.release();
      onDispose();
    },
  };
}

/** 'weight/blocks.0/x' -> ['weight', 'blocks.0/x'] */
function partsOf(name: string): [string, string] {
  const at = name.indexOf('/');
  return [name.slice(0, at), name.slice(at + 1)];
}

function find(
  feed: string,
  inputs: HostTensors,
  weights: HostTensors = {},
  state: Signature['state'],
): HostTensor {
  const [kind, name] = partsOf(feed);
  if (kind === 'in') return inputs[name]!;
  if (kind === 'weight') return weights[name]!;
  return name === 'length'
    ? { data: Int32Array.of(state!.length), shape: [] }
    : state!.values[name]!;
}

function toOrt({ data, shape }: HostTensor): ort.Tensor {
  return data instanceof Float32Array
    ? new ort.Tensor('float32', data, shape)
    : new ort.Tensor('int32', data instanceof Int32Array ? data : Int32Array.from(data), shape);
}

function fetches(
  where: string,
  outputs: Record<string, Spec>,
  into: NonNullable<RunOptions['into']>,
): Record<string, ort.Tensor | null> {
  return Object.fromEntries(
    Object.entries(outputs).map(([key, { shape }]) => {
      const [kind, name] = partsOf(key);
      const buffer = kind === 'out' ? into[name] : undefined;
      if (!buffer) return [key, null];
      checkBuffer(where, name, buffer.length, sizeOf(shape));
      return [key, toOrt({ data: buffer, shape })];
    }),
  );
}
