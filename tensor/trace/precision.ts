/**
 * Weights in fewer bits, on a traced graph. `float16`: stored as half floats and cast when the model
 * is loaded: half the bytes, the same speed. `int8`: products with a constant matrix run on 8-bit
 * integers: each output channel of the weight has a scale of its own (largest magnitude / 127,
 * symmetric), activations get one scale a call and tensor. Signed weights, because ONNX Runtime's
 * kernels for unsigned ones are several times slower.
 *
 * As the scale of activations is shared by all rows of a call, int8 results depend on what else is
 * in the batch: run one picture (with its guidance pair) a call. On x86 CPUs without VNNI, sums of
 * two products saturate at 16 bits, which costs further accuracy.
 */
import { encodeHalf } from '../half.ts';
import type { Precision } from '../program.ts';
import type { Constant, Graph, Node } from './graph.ts';

export function reducePrecision(graph: Graph, precision: Precision): void {
  if (precision === 'float16') storeAsHalf(graph);
  if (precision === 'int8') multiplyAsIntegers(graph);
}

function storeAsHalf(graph: Graph): void {
  const casts: Node[] = [];
  for (const [i, constant] of graph.constants.entries()) {
    if (constant.type !== 'float32' || !constant.name.startsWith('weight/')) continue;
    const halves = encodeHalf(floatsOf(constant));
    const stored = `${constant.name}/float16`;
    graph.constants[i] = {
      name: stored,
      type: 'float16',
      shape: constant.shape,
      bytes: new Uint8Array(halves.buffer),
    };
    const attributes = { to: 1 };
    casts.push({ op: 'Cast', domain: '', inputs: [stored], outputs: [constant.name], attributes });
  }
  graph.nodes.unshift(...casts);
}

function multiplyAsIntegers(graph: Graph): void {
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]));
  for (const [i, node] of graph.nodes.entries()) {
    const turned = transposesWeight(node);
    const [a, weight, bias] = node.inputs;
    const matrix = turned === undefined ? undefined : matrixOf(graph, constants, weight!);
    if (!matrix) continue;
    const [quantised, scale] = quantise(graph, weight!, matrix, turned!);
    graph.nodes[i] = {
      op: 'DynamicQuantizeMatMul',
      domain: 'com.microsoft',
      inputs: [a!, quantised, scale, ...(bias === undefined ? [] : ['', bias])],
      outputs: node.outputs,
      attributes: {},
    };
  }
  graph.prune();
}

/** Whether a node multiplies by the transpose of its second input; undefined if it is no product. */
function transposesWeight({ op, attributes }: Node): boolean | undefined {
  if (op === 'MatMul') return false;
  if ((op !== 'Gemm' && op !== 'FusedMatMul') || attributes.transA === 1) return undefined;
  return attributes.transB === 1;
}

type Matrix = { readonly data: Float32Array; readonly rows: number; readonly columns: number };

/** The values of a constant matrix, or of rows sliced from one (the parts of a qkv weight). */
function matrixOf(
  graph: Graph,
  constants: ReadonlyMap<string, Constant>,
  name: string,
): Matrix | undefined {
  const constant = constants.get(name);
  if (constant) {
    if (constant.type !== 'float32' || constant.shape.length !== 2) return undefined;
    return {
      data: floatsOf(constant),
      rows: constant.shape[0]!,
      columns: constant.shape[1]!,
    };
  }
  const producer = graph.producer(name);
  if (producer?.op !== 'Slice' || producer.inputs.length !== 4) return undefined;
  const whole = matrixOf(graph, constants, producer.inputs[0]!);
  const [start, end, axis] = producer.inputs.slice(1).map((input) => intsOf(constants.get(input)));
  if (!whole || axis?.length !== 1 || axis[0] !== 0) return undefined;
  const data = whole.data.subarray(start![0]! * whole.columns, end![0]! * whole.columns);
  return { data, rows: data.length / whole.columns, columns: whole.columns };
}

/** Constants [inputs, outputs] int8 and [outputs] scales; made once for each weight. */
function quantise(
  graph: Graph,
  name: string,
  { data, rows, columns }: Matrix,
  turned: boolean,
): [string, string] {
  const [inputs, outputs] = turned ? [columns, rows] : [rows, columns];
  const [down, across] = turned ? [1, columns] : [columns, 1]; // steps along inputs and outputs
  const scales = new Float32Array(outputs);
  const quantised = new Int8Array(inputs * outputs);
  for (let n = 0; n < outputs; n++) {
    let largest = 0;
    for (let k = 0; k < inputs; k++) {
      largest = Math.max(largest, Math.abs(data[k * down + n * across]!));
    }
    const scale = largest === 0 ? 1 : largest / 127;
    scales[n] = scale;
    for (let k = 0; k < inputs; k++) {
      quantised[k * outputs + n] = Math.round(data[k * down + n * across]! / scale);
    }
  }
  const key = `int8:${name}:${turned}`;
  return [
    graph.shared(key, 'int8', [inputs, outputs], new Uint8Array(quantised.buffer)),
    graph.shared(`${key}:scale`, 'float32', [outputs], new Uint8Array(scales.buffer)),
  ];
}

const floatsOf = ({ bytes }: Constant): Float32Array =>
  bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : new Float32Array(bytes.slice().buffer);

const intsOf = (constant: Constant | undefined): number[] | undefined =>
  constant && Array.from(new BigInt64Array(constant.bytes.slice().buffer), Number);
