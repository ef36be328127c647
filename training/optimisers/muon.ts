/**
 * Muon (Jordan et al. 2024): Nesterov momentum whose step is made nearly orthogonal by five
 * Newton-Schulz iterations. For the matrices of blocks; every other weight goes to AdamW.
 *
 * A weight that holds several matrices one above the other (qkv, the two halves of SwiGLU) is
 * split first. Step scale sqrt(max(1, rows / columns)).
 */
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { type AdamWOptions, adamW, momentOf } from './adamw.ts';
import { momentsLike, type Optimiser } from './optimiser.ts';

export type MuonOptions = {
  readonly engine: Engine;
  readonly rate: number;
  readonly momentum?: number;
  /** For the weights that are no matrices of blocks. */
  readonly others: AdamWOptions;
};

const MATRIX = /(blocks\.\d+\.(attn|mlp)|layers\.\d+\.(attention|feed_forward))\.\w+\.weight$/;
const partsOf = (name: string): number =>
  name.includes('qkv.') ? 3 : name.includes('.w12.') ? 2 : 1;
const isMatrix = (name: string, { shape }: HostTensor): boolean =>
  shape.length === 2 && MATRIX.test(name);

/** Coefficients of the quintic iteration, from the reference implementation's description. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;

/** Matrices [n, r, c] -> the nearly orthogonal matrices with the same singular vectors. */
export function orthogonalise(matrices: Tensor): Tensor {
  const [, rows, columns] = matrices.shape as [number, number, number];
  const wide = rows <= columns; // the smaller of the two Gram matrices
  const norm = tf.sqrt(tf.sum(tf.square(matrices), [1, 2], true)).add(1e-7);
  let x = matrices.div(norm);
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = tf.matMul(x, x, !wide, wide);
    const polynomial = gram.mul(B).add(tf.matMul(gram, gram).mul(C));
    x = x.mul(A).add(wide ? tf.matMul(polynomial, x) : tf.matMul(x, polynomial));
  }
  return x;
}

export function muon({ engine, rate, momentum = 0.95, others }: MuonOptions): Optimiser {
  const rest = adamW(others);
  const groups = new Map<string, Promise<Orthogonaliser>>();
  const split = (weights: HostTensors) => {
    const entries = Object.entries(weights);
    return {
      matrices: Object.fromEntries(entries.filter(([name, tensor]) => isMatrix(name, tensor))),
      others: Object.fromEntries(entries.filter(([name, tensor]) => !isMatrix(name, tensor))),
    };
  };
  const orthogonaliserOf = (shape: readonly [number, number, number]) => {
    const found = groups.get(shape.join('x')) ?? createOrthogonaliser(engine, shape);
    groups.set(shape.join('x'), found);
    return found;
  };

  return {
    moments(weights) {
      const { matrices, others } = split(weights);
      return { ...momentsLike(matrices, 'momentum'), ...rest.moments(others) };
    },
    async update(weights, gradients, moments, step) {
      const { matrices, others } = split(weights);
      await rest.update(others, gradients, moments, step);
      for (const { rows, columns, places } of groupByShape(matrices)) {
        const size = rows * columns;
        const part = (all: Float32Array, i: number) => all.subarray(i * size, (i + 1) * size);
        const { stacked, orthogonal, run } = await orthogonaliserOf([places.length, rows, columns]);
        for (const [i, { name, index }] of places.entries()) {
          const gradient = part(gradients[name]!.data as Float32Array, index);
          const average = part(momentOf(moments, name, 'momentum'), index);
          lookAhead(gradient, average, part(stacked, i), { momentum, scale: step.gradientScale });
        }
        await run();
        const length = rate * step.rate * Math.sqrt(Math.max(1, rows / columns));
        for (const [i, { name, index }] of places.entries()) {
          const weight = part(matrices[name]!.data as Float32Array, index);
          const direction = part(orthogonal, i);
          for (let k = 0; k < size; k++) weight[k] = weight[k]! - length * direction[k]!;
        }
      }
    },
    async dispose() {
      for (const group of groups.values()) await (await group).dispose();
    },
  };
}

/** `run` writes the orthogonalised `stacked` to `orthogonal`: buffers that every step uses again. */
type Orthogonaliser = {
  readonly stacked: Float32Array;
  readonly orthogonal: Float32Array;
  readonly run: () => Promise<unknown>;
  readonly dispose: () => Promise<void>;
};

async function createOrthogonaliser(
  engine: Engine,
  shape: readonly [number, number, number],
): Promise<Orthogonaliser> {
  const stacked = new Float32Array(sizeOf(shape));
  const orthogonal = new Float32Array(sizeOf(shape));
  const program = await engine.compile(
    ({ inputs }) => ({ outputs: { x: orthogonalise(inputs.x!) } }),
    { inputs: { x: { shape } } },
    { name: 'orthogonalise' },
  );
  const run = () => program.run({ x: { data: stacked, shape } }, { into: { x: orthogonal } });
  return { stacked, orthogonal, run, dispose: () => program.dispose() };
}

/** Matrices of one shape; `index` counts the matrices that a weight holds one above the other. */
type Group = {
  readonly rows: number;
  readonly columns: number;
  readonly places: { readonly name: string; readonly index: number }[];
};

function groupByShape(matrices: HostTensors): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const [name, { shape }] of Object.entries(matrices)) {
    const parts = partsOf(name);
    const [rows, columns] = [shape[0]! / parts, shape[1]!];
    const group = groups.get(`${rows}x${columns}`) ?? { rows, columns, places: [] };
    groups.set(`${rows}x${columns}`, group);
    for (let index = 0; index < parts; index++) group.places.push({ name, index });
  }
  return groups.values();
}

/** Updates the average of gradients and writes Nesterov's look-ahead. */
function lookAhead(
  gradient: Float32Array,
  average: Float32Array,
  to: Float32Array,
  { momentum, scale }: { momentum: number; scale: number },
): void {
  for (let i = 0; i < gradient.length; i++) {
    const g = gradient[i]! * scale;
    const next = average[i]! + (1 - momentum) * (g - average[i]!);
    average[i] = next;
    to[i] = g + momentum * (next - g);
  }
}
