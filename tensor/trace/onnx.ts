/**
 * Writes a traced graph as an ONNX model: the protobuf wire format (varints and length-delimited
 * fields) of onnx.proto's ModelProto, GraphProto, NodeProto, TensorProto and ValueInfoProto.
 */
import {
  type Attribute,
  type Constant,
  ELEMENT,
  type Graph,
  type Node,
  type ValueInfo,
} from './graph.ts';

export const OPSET = 18;

/** Weights kept outside the model: protobuf ends at 2 GB. Offsets are multiples of 4096. */
export type ExternalData = { readonly file: string; readonly threshold: number };
export type EncodedModel = {
  readonly model: Uint8Array;
  /** What belongs into the external file, in order; empty when everything is inside the model. */
  readonly external: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
};

type Field = Uint8Array | readonly Field[];
const text = new TextEncoder();

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const lengthOf = (field: Field): number =>
  field instanceof Uint8Array ? field.length : field.reduce((sum, part) => sum + lengthOf(part), 0);

const integer = (id: number, value: number): Field => [varint(id << 3), varint(value)];
const message = (id: number, ...body: Field[]): Field => [
  varint((id << 3) | 2),
  varint(lengthOf(body)),
  body,
];
const string = (id: number, value: string): Field => message(id, text.encode(value));
const float = (id: number, value: number): Field => [
  varint((id << 3) | 5),
  new Uint8Array(Float32Array.of(value).buffer),
];

function attribute(name: string, value: Attribute): Field {
  const body: Field =
    typeof value === 'number'
      ? [integer(3, value), integer(20, 2)]
      : typeof value === 'string'
        ? [string(4, value), integer(20, 3)]
        : 'float' in value
          ? [float(2, value.float), integer(20, 1)]
          : [value.map((item) => integer(8, item)), integer(20, 7)];
  return message(5, string(1, name), body);
}

const node = ({ op, domain, inputs, outputs, attributes }: Node): Field =>
  message(
    1,
    inputs.map((name) => string(1, name)),
    outputs.map((name) => string(2, name)),
    string(3, outputs[0]!), // its name, by which an engine may say where it runs
    string(4, op),
    Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    domain === '' ? [] : string(7, domain),
  );

const entry = (key: string, value: string): Field => message(13, string(1, key), string(2, value));

function tensor(constant: Constant, place?: { file: string; offset: number }): Field {
  const data = place
    ? [
        entry('location', place.file),
        entry('offset', String(place.offset)),
        entry('length', String(constant.bytes.length)),
        integer(14, 1),
      ]
    : message(9, constant.bytes);
  return message(
    5,
    constant.shape.map((side) => integer(1, side)),
    integer(2, ELEMENT[constant.type]),
    string(8, constant.name),
    data,
  );
}

function valueInfo(id: number, { name, type, shape }: ValueInfo): Field {
  const sides = shape.map((side) => message(1, integer(1, side)));
  return message(
    id,
    string(1, name),
    message(2, message(1, integer(1, ELEMENT[type]), message(2, sides))),
  );
}

function join(field: Field): Uint8Array {
  const out = new Uint8Array(lengthOf(field));
  let at = 0;
  const write = (part: Field): void => {
    if (part instanceof Uint8Array) {
      out.set(part, at);
      at += part.length;
    } else for (const inner of part) write(inner);
  };
  write(field);
  return out;
}

/** Encodes the graph; constants of at least `external.threshold` bytes go to the external file. */
export function encodeModel(graph: Graph, external?: ExternalData): EncodedModel {
  const outside: { offset: number; bytes: Uint8Array }[] = [];
  let offset = 0;
  const initializers = graph.constants.map((constant) => {
    if (!external || constant.bytes.length < external.threshold) return tensor(constant);
    const place = { file: external.file, offset };
    outside.push({ offset, bytes: constant.bytes });
    offset = Math.ceil((offset + constant.bytes.length) / 4096) * 4096;
    return tensor(constant, place);
  });
  const model = [
    integer(1, 8),
    string(2, 'ropewalk'),
    message(
      7,
      graph.nodes.map(node),
      string(2, 'graph'),
      initializers,
      graph.inputs.map((input) => valueInfo(11, input)),
      graph.outputs.map((output) => valueInfo(12, output)),
    ),
    message(8, string(1, ''), integer(2, OPSET)),
    message(8, string(1, 'com.microsoft'), integer(2, 1)),
  ];
  return { model: join(model), external: outside };
}
