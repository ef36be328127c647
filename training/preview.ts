/** Sheets of samples at fixed seeds and conditions, from the weights as they are now. */
import { bagOfWords } from '../encoders/conditioning/attributes.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import { gridOf, type ObjectiveConfig } from '../generators/model.ts';
import { type Picture, toPicture } from '../png.ts';
import { sample } from '../sampling/diffusion/driver.ts';
import { denoiseBy } from '../sampling/diffusion/network.ts';
import { SCHEDULES, SOLVERS, type SolverName } from '../sampling/diffusion/registry.ts';
import { shiftTime } from '../sampling/diffusion/schedules/flow.ts';
import type { HostTensors, Program } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { SHEET } from './held-out.ts';

/** A network that draws pictures: its program takes x, t and condition and gives `prediction`. */
export type PreviewNetwork = {
  readonly patch: number;
  readonly channels: number;
  readonly variance: boolean;
  /** With live weights. */
  compile(grid: Grid, batch: number): Promise<Program>;
  /** What else its program takes. */
  inputs?(grid: Grid, batch: number, t: number): HostTensors;
};

export type PreviewOptions = {
  readonly network: PreviewNetwork;
  readonly objective: ObjectiveConfig;
  /** Whose first conditions are drawn, and their size. */
  readonly heldOut: Dataset;
  readonly sampling: {
    readonly solver: string;
    readonly steps: number;
    readonly guidance: number;
    readonly shift: number;
  };
  readonly rng: Rng;
};
export type Preview = { sheet(weights: HostTensors): Promise<Picture[]>; dispose(): Promise<void> };

export async function createPreview(options: PreviewOptions): Promise<Preview> {
  const { network: drawn, objective, heldOut, sampling, rng } = options;
  const { size, vocabulary } = heldOut;
  const conditions = Array.from({ length: Math.min(SHEET, heldOut.length) }, (_, i) =>
    heldOut.words(i),
  );
  const batch = 2 * conditions.length; // asked and null rows of every picture
  const grid = gridOf(drawn, { height: size, width: size });
  const program = await drawn.compile(grid, batch);
  const schedule = SCHEDULES[objective.schedule]();
  const length = size * size * drawn.channels;
  return {
    async sheet(current) {
      const network: Parameters<typeof denoiseBy>[0] = async ({ x, rows }) => {
        const padded = new Float32Array(batch * length);
        padded.set(x);
        const bags = rows.map(({ picture, condition }) =>
          condition === 'asked' ? conditions[picture]!.map((id) => ({ id })) : [],
        );
        const empty = Array.from({ length: batch - rows.length }, () => []);
        const t = new Float32Array(batch);
        t.set(rows.map((row) => row.t));
        const out = await program.run(
          {
            x: { data: padded, shape: [batch, size, size, drawn.channels] },
            t: { data: t, shape: [batch] },
            condition: bagOfWords([...bags, ...empty], vocabulary.length),
            // On the trained grid every extension is the identity, so any row's t will do.
            ...drawn.inputs?.(grid, batch, rows[0]!.t),
          },
          { weights: current },
        );
        const own = (name: string) => (out[name]!.data as Float32Array).subarray(0, x.length);
        return {
          prediction: own('prediction'),
          ...(drawn.variance ? { variance: own('variance') } : {}),
        };
      };
      const { pictures } = await sample(
        SOLVERS[sampling.solver as SolverName](),
        denoiseBy(network, objective.prediction, schedule),
        conditions.map((_, i) => ({ rng: rng.stream(`sheet/${i}`) })),
        {
          schedule,
          times: schedule.times(sampling.steps).map((u) => shiftTime(u, sampling.shift)),
          length,
          guidance: { scale: sampling.guidance },
        },
      );
      return pictures.map((values) => toPicture(values, { width: size, height: size }));
    },
    dispose: () => program.dispose(),
  };
}
