/** A graph being recorded: ONNX nodes and constants, in the order in which they were traced. */
import { sizeOf } from '../shape.ts';
import type { DataType } from '../tf.ts';

export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Node = {
  readonly op: string;
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
};
/** ONNX's element types that we write. */
export const ELEMENT = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };
export type ElementType = keyof typeof ELEMENT;
export type Constant = {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
};
/** A value of the graph: a named output of a node, or a constant that gets a name when first used. */
export type Value = {
  name?: string;
  readonly constant?: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly dtype: DataType;
};
export type ValueInfo = {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
};

const bytesOf = (array: Float32Array | Int32Array | Uint8Array | BigInt64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export class Graph {
  readonly nodes: Node[] = [];
  readonly constants: Constant[] = [];
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  readonly #shared = new Map<string, string>();
  readonly #producers = new Map<string, Node>();
  #count = 0;

  /** Records a node with one output and returns that output's name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain: Node['domain'] = '',
  ): string {
    return this.nodeWith(1, op, inputs, attributes, domain)[0]!;
  }

  /** Records a node with several outputs; an empty input name leaves an optional input out. */
  nodeWith(
    count: number,
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain: Node['domain'] = '',
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.#name('v'));
    const node = { op, domain, inputs, outputs, attributes };
    this.nodes.push(node);
    for (const name of outputs) this.#producers.set(name, node);
    return outputs;
  }

  /** The node that gives an output, if it is one of a node. */
  producer(name: string): Node | undefined {
    return this.#producers.get(name);
  }

  /** A 1-D int64 constant: shapes, axes, starts and ends. */
  ints(values: readonly number[]): string {
    const bytes = bytesOf(BigInt64Array.from(values, BigInt));
    return this.shared(`int64:${values.join()}`, 'int64', [values.length], bytes);
  }

  /** A float32 or int32 scalar constant. */
  scalar(value: number, type: 'float32' | 'int32' = 'float32'): string {
    const bytes = bytesOf(type === 'int32' ? Int32Array.of(value) : Float32Array.of(value));
    return this.shared(`${type}::${value}`, type, [], bytes);
  }

  /** A tensor constant of a traced function. Scalars with equal values share one constant. */
  constant(value: ArrayLike<number>, shape: readonly number[], dtype: DataType): string {
    const array =
      dtype === 'int32'
        ? value instanceof Int32Array
          ? value
          : Int32Array.from(value)
        : dtype === 'bool'
          ? Uint8Array.from(value)
          : value instanceof Float32Array
            ? value
            : Float32Array.from(value);
    if (sizeOf(shape) > 16) return this.#add(this.#name('c'), dtype, shape, bytesOf(array));
    return this.shared(`${dtype}:${shape.join()}:${array.join()}`, dtype, shape, bytesOf(array));
  }

  /** A constant under a name of its own (weights). */
  named(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): string {
    return this.#add(name, type, shape, bytes);
  }

  /** A constant that is written once, however often the same key is asked for. */
  shared(key: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): string {
    let name = this.#shared.get(key);
    if (name === undefined) {
      name = this.#add(this.#name('c'), type, shape, bytes);
      this.#shared.set(key, name);
    }
    return name;
  }

  #add(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): string {
    this.constants.push({ name, type, shape, bytes });
    return name;
  }

  #name(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }

  /** Drops the nodes and constants that no output needs (a tape records more than is asked for). */
  prune(): void {
    const needed = new Set(this.outputs.map((output) => output.name));
    const kept: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((name) => needed.has(name))) continue;
      kept.push(node);
      for (const name of node.inputs) needed.add(name);
    }
    this.nodes.splice(0, this.nodes.length, ...kept.reverse());
    const constants = this.constants.filter((constant) => needed.has(constant.name));
    this.constants.splice(0, this.constants.length, ...constants);
  }
}
