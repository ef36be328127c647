/**
 * Muon (Jordan et al. 2024): Nesterov momentum whose step is made nearly orthogonal by five
 * Newton-Schulz iterations. For the matrices of blocks; every other weight goes to AdamW.
 *
 * A weight that holds several matrices one above the other (qkv, the two halves of SwiGLU) is
 * split first. Step scale sqrt(max(1, rows / columns)).
 */
import type { Engine, HostTensor, HostTensors, Program } from '../../tensor/program.ts';
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

const MATRIX = /blocks\.\d+\.(attn|mlp)\.\w+\.weight$/;
const partsOf = (name: string): number =>
  name.includes('.qkv.') ? 3 : name.includes('.w12.') ? 2 : 1;
const isMatrix = (name: string, { shape }: HostTensor): boolean =>
  shape.length === 2 && MATRIX.test(name);

/** Coefficients of the quintic iteration, from the reference implementation's description. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;

/** Matrices [n, r, c], r <= c -> the nearly orthogonal matrices with the same singular vectors. */
export function orthogonalise(matrices: Tensor): Tensor {
  const norm = tf.sqrt(tf.sum(tf.square(matrices), [1, 2], true)).add(1e-7);
  let x = matrices.div(norm);
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = tf.matMul(x, x, false, true);
    const polynomial = gram.mul(B).add(tf.matMul(gram, gram).mul(C));
    x = x.mul(A).add(tf.matMul(polynomial, x));
  }
  return x;
}

export function muon({
  engine,
  rate,
  momentum = 0.95,
  others,
}: MuonOptions): Optimiser & { dispose(): Promise<void> } {
  const rest = adamW(others);
  const programs = new Map<string, Promise<Program>>();
  const split = (weights: HostTensors) => {
    const entries = Object.entries(weights);
    return {
      matrices: Object.fromEntries(entries.filter(([name, tensor]) => isMatrix(name, tensor))),
      others: Object.fromEntries(entries.filter(([name, tensor]) => !isMatrix(name, tensor))),
    };
  };
  const programFor = (count: number, rows: number, columns: number): Promise<Program> => {
    const key = `${count}x${rows}x${columns}`;
    const found =
      programs.get(key) ??
      engine.compile(
        ({ inputs }) => ({ outputs: { x: orthogonalise(inputs.x!) } }),
        { inputs: { x: { shape: [count, rows, columns] } } },
        { name: 'orthogonalise' },
      );
    programs.set(key, found);
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
      const groups = groupByShape(matrices);
      for (const { rows, columns, places } of groups.values()) {
        const [r, c] = rows <= columns ? [rows, columns] : [columns, rows];
        const stacked = new Float32Array(places.length * r * c);
        for (const [i, { name, offset }] of places.entries()) {
          const gradient = gradients[name]!.data as Float32Array;
          const average = momentOf(moments, name, 'momentum');
          const to = stacked.subarray(i * r * c, (i + 1) * r * c);
          nesterov({
            gradient,
            average,
            offset,
            to,
            rows,
            columns,
            momentum,
            scale: step.gradientScale,
          });
        }
        const program = await programFor(places.length, r, c);
        const { x } = await program.run({ x: { data: stacked, shape: [places.length, r, c] } });
        const size = rate * step.rate * Math.sqrt(Math.max(1, rows / columns));
        for (const [i, { name, offset }] of places.entries()) {
          const direction = (x!.data as Float32Array).subarray(i * r * c, (i + 1) * r * c);
          subtract(matrices[name]!.data as Float32Array, direction, {
            offset,
            rows,
            columns,
            size,
          });
        }
      }
    },
    async dispose() {
      for (const program of programs.values()) await (await program).dispose();
    },
  };
}

type Group = { rows: number; columns: number; places: { name: string; offset: number }[] };

function groupByShape(matrices: HostTensors): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const [name, { shape }] of Object.entries(matrices)) {
    const parts = partsOf(name);
    const [rows, columns] = [shape[0]! / parts, shape[1]!];
    const key = `${rows}x${columns}`;
    const group = groups.get(key) ?? { rows, columns, places: [] };
    for (let part = 0; part < parts; part++)
      group.places.push({ name, offset: part * rows * columns });
    groups.set(key, group);
  }
  return groups;
}

type Nesterov = {
  gradient: Float32Array;
  average: Float32Array;
  offset: number;
  to: Float32Array;
  rows: number;
  columns: number;
  momentum: number;
  scale: number;
};

/** Updates the average and writes the look-ahead gradient, lying on its longer side. */
function nesterov({
  gradient,
  average,
  offset,
  to,
  rows,
  columns,
  momentum,
  scale,
}: Nesterov): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = offset + row * columns + column;
      const g = gradient[at]! * scale;
      const next = average[at]! + (1 - momentum) * (g - average[at]!);
      average[at] = next;
      const ahead = g + momentum * (next - g);
      to[rows <= columns ? row * columns + column : column * rows + row] = ahead;
    }
  }
}

type Place = { offset: number; rows: number; columns: number; size: number };

function subtract(
  weight: Float32Array,
  direction: Float32Array,
  { offset, rows, columns, size }: Place,
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = rows <= columns ? row * columns + column : column * rows + row;
      const at = offset + row * columns + column;
      weight[at] = weight[at]! - size * direction[from]!;
    }
  }
}
