/** Programs of one function for batches of several shapes, each compiled when a batch of its shapes first comes. */
import type { Program, Spec } from '../tensor/program.ts';

type Specs = Readonly<Record<string, Spec>>;

export function createPrograms(compile: (inputs: Specs) => Promise<Program>) {
  const programs = new Map<string, Promise<Program>>();
  return {
    of(inputs: Specs): Promise<Program> {
      const shapes = Object.entries(inputs).map(([name, { shape }]) => [name, shape]);
      const key = JSON.stringify(shapes.sort());
      const found = programs.get(key) ?? compile(inputs);
      programs.set(key, found);
      return found;
    },
    async dispose(): Promise<void> {
      for (const program of programs.values()) await (await program).dispose();
    },
  };
}
