/**
 * One pass over float32 arrays, four numbers at a time: element-wise loops as WebAssembly SIMD. For the
 * host's part of training, where the same loop in JavaScript is three to four times slower.
 *
 * Arrays live in an arena (the loops' memory), as ordinary Float32Arrays that everyone else may read and
 * write. The instructions are those of the WebAssembly specification, section 5.4.
 */

/** What is used of WebAssembly; its types come with a browser's library only, which is not ours. */
type Memory = { readonly buffer: ArrayBuffer };
type Instance = { readonly exports: { readonly r: (...args: number[]) => void } };
const wasm = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Memory: new (descriptor: { initial: number }) => Memory;
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object, imports: { e: { m: Memory } }) => Instance;
    };
  }
).WebAssembly;

export type Arena = {
  /** A new array of zeros. */
  array(length: number): Float32Array;
  readonly memory: Memory;
};

const PAGE = 65536;
const LARGEST = 65536 * PAGE;
const LANES = 4;

const paddedBytes = (length: number): number => 4 * LANES * Math.ceil(length / LANES);

/** Room for arrays of these lengths. Throws above 4 GiB, which a memory cannot hold. */
export function createArena(lengths: readonly number[]): Arena {
  const total = lengths.reduce((sum, length) => sum + paddedBytes(length), 0);
  if (total > LARGEST) {
    throw new RangeError(
      `arena: expected arrays of at most 4 GiB together, got ${(total / 2 ** 30).toFixed(1)} GiB; train on a GPU, where the step runs in the graph`,
    );
  }
  const memory = new wasm.Memory({ initial: Math.max(1, Math.ceil(total / PAGE)) });
  let next = 0;
  return {
    memory,
    array(length) {
      if (next + paddedBytes(length) > total) {
        throw new RangeError(
          `arena: expected at most ${total} bytes in all, got a request for more`,
        );
      }
      const view = new Float32Array(memory.buffer, next, length);
      next += paddedBytes(length);
      return view;
    },
  };
}

/** A value of the loop's body: instructions that leave four numbers on the stack. */
export type Lanes = { readonly code: readonly number[] };

const simd = (op: number): number[] => [0xfd, ...unsigned(op)];
const binary =
  (op: number) =>
  (a: Lanes, b: Lanes): Lanes => ({ code: [...a.code, ...b.code, ...simd(op)] });
export const add = binary(0xe4);
export const sub = binary(0xe5);
export const mul = binary(0xe6);
export const div = binary(0xe7);
export const sqrt = (a: Lanes): Lanes => ({ code: [...a.code, ...simd(0xe3)] });

export type Body<Array extends string, Scalar extends string> = {
  readonly load: (array: Array) => Lanes;
  readonly scalar: (name: Scalar) => Lanes;
  /** Keeps a value that is used more than once. */
  readonly keep: (value: Lanes) => Lanes;
  readonly store: (array: Array, value: Lanes) => void;
};
export type Loop<Array extends string, Scalar extends string> = (
  arena: Arena,
  arrays: Readonly<Record<Array, Float32Array>>,
  scalars: Readonly<Record<Scalar, number>>,
) => void;

/** Compiles `body`, which says what happens to one place of all arrays, into a loop over all places. */
export function compileLoop<Array extends string, Scalar extends string>(
  arrays: readonly Array[],
  scalars: readonly Scalar[],
  body: (body: Body<Array, Scalar>) => void,
): Loop<Array, Scalar> {
  const module = new wasm.Module(assemble(arrays, scalars, body));
  const instances = new WeakMap<Memory, (...args: number[]) => void>();
  return (arena, given, values) => {
    let run = instances.get(arena.memory);
    if (!run) {
      const instance = new wasm.Instance(module, { e: { m: arena.memory } });
      run = instance.exports.r;
      instances.set(arena.memory, run);
    }
    const { length } = given[arrays[0]!];
    const pointers = arrays.map((name) => {
      const array = given[name];
      if (array.buffer !== arena.memory.buffer || array.length !== length) {
        throw new RangeError(
          `loop: expected '${name}' as ${length} numbers of the arena, got ${array.length} of elsewhere or another length`,
        );
      }
      return array.byteOffset;
    });
    run(...pointers, ...scalars.map((name) => values[name]), paddedBytes(length));
  };
}

/** Parameters: a pointer an array, a number a scalar, the bytes to go. Locals after them: kept values. */
function assemble<Array extends string, Scalar extends string>(
  arrays: readonly Array[],
  scalars: readonly Scalar[],
  body: (body: Body<Array, Scalar>) => void,
): Uint8Array<ArrayBuffer> {
  const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
  const bytes = arrays.length + scalars.length;
  const stores: number[] = [];
  let kept = 0;
  body({
    load: (array) => ({ code: [0x20, arrays.indexOf(array), ...simd(0x00), 4, 0] }),
    scalar: (name) => ({ code: [0x20, arrays.length + scalars.indexOf(name), ...simd(0x13)] }),
    keep(value) {
      const local = bytes + 1 + kept++;
      stores.push(...value.code, 0x21, local);
      return { code: [0x20, local] };
    },
    store(array, value) {
      stores.push(0x20, arrays.indexOf(array), ...value.code, ...simd(0x0b), 4, 0);
    },
  });
  const advance = arrays.flatMap((_, i) => [0x20, i, 0x41, 16, 0x6a, 0x21, i]);
  const countDown = [0x20, bytes, 0x41, 16, 0x6b, 0x22, bytes, 0x0d, 0]; // branches while bytes are left
  const code = [0x20, bytes, 0x45, 0x0d, 0, 0x03, 0x40, ...stores, ...advance, ...countDown, 0x0b];
  const locals = kept === 0 ? [0] : [1, kept, V128];
  const work = [...locals, 0x02, 0x40, ...code, 0x0b, 0x0b]; // a block to leave when there is nothing to do
  const parameters = [...arrays.map(() => I32), ...scalars.map(() => F32), I32];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, ...unsigned(parameters.length), ...parameters, 0]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 0x02, 0x00, 0]), // import e.m, a memory
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x72, 0x00, 0]), // export r
    ...section(10, [1, ...unsigned(work.length), ...work]),
  ]);
}

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
