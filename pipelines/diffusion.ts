/**
 * Pictures from a diffusion model: words become conditions, the driver asks, compiled programs answer.
 * Programs have baked weights, so a picture has the same bits in any batch.
 */
import { bagOfWords, type Word } from '../encoders/conditioning/attributes.ts';
import { microOf, type Told } from '../encoders/conditioning/micro.ts';
import type { PositionChange } from '../encoders/positions/choose.ts';
import type { MicroSize } from '../encoders/positions/contract.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import { gridOf, type Model } from '../generators/model.ts';
import { type Picture, toPicture } from '../png.ts';
import { type Row, sample } from '../sampling/diffusion/driver.ts';
import { denoiseBy, type Network } from '../sampling/diffusion/network.ts';
import { SCHEDULES, SOLVERS, type SolverName } from '../sampling/diffusion/registry.ts';
import { shiftTime } from '../sampling/diffusion/schedules/flow.ts';
import type { Solver } from '../sampling/diffusion/solver.ts';
import { noise, type Size } from '../sampling/noise.ts';
import type { Engine, HostTensor } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { createPrograms, type Programs, type Setting } from './programs.ts';

/** What one picture shows. */
export type Asked = {
  readonly words: readonly Word[];
  /** In place of the null condition. */
  readonly negative?: readonly Word[];
  readonly seed: number;
};
/** How pictures are drawn; what is not given is as the model's card has it. */
export type DrawOptions = PositionChange & {
  /** Default: as trained. */
  readonly size?: Size;
  /** What a model with micro-conditioning is told of every picture. Default: as its card has it. */
  readonly micro?: Told | MicroSize;
  /** By name, or one of your own. */
  readonly solver?: SolverName | Solver;
  readonly steps?: number;
  /** 1 is no guidance. */
  readonly guidance?: number;
  /** Guided while from <= t <= to; t = 1 is pure noise. Default: always. */
  readonly interval?: { readonly from: number; readonly to: number };
  /** Of the time grid: above 1 spends more steps near noise. An extension's own shift multiplies it. */
  readonly shift?: number;
  readonly onStep?: (progress: DrawProgress) => void | Promise<void>;
  readonly signal?: AbortSignal;
};
/** Pictures of one condition; picture i has seed + i. */
export type RenderOptions = DrawOptions & Asked & { readonly count?: number };
export type DrawProgress = {
  /** Steps done and to do, over all pictures. */
  readonly step: number;
  readonly steps: number;
  /** The first of the pictures that are being made. */
  readonly first: number;
  /** What they look like so far. */
  preview(): readonly Picture[];
};

export type DiffusionPipeline = {
  readonly model: Model;
  render(options: RenderOptions): Promise<Picture[]>;
  /** Pictures that are drawn in one batch. */
  batchOf(options?: DrawOptions): number;
  /** Pictures of different conditions, in shared batches. */
  draw(asked: readonly Asked[], options?: DrawOptions): Promise<Picture[]>;
  dispose(): Promise<void>;
};
export type PipelineOptions = {
  readonly engine: Engine;
  readonly model: Model;
  /** Most network rows of one call (a guided picture has two). Default: by the size of the picture. */
  readonly rows?: number;
};

/** Keeps what it compiles until it is disposed of. */
export function createDiffusionPipeline({
  engine,
  model,
  rows,
}: PipelineOptions): DiffusionPipeline {
  const programs = createPrograms(engine, model, rows);
  const chunkOf = ({ guidance, setting }: Settings): number =>
    Math.max(1, Math.floor(programs.limit(setting) / (guidance === 1 ? 1 : 2)));
  const draw: DiffusionPipeline['draw'] = async (asked, options = {}) => {
    const settings = settingsOf(model, options);
    checkSize(settings.size, model.card);
    const chunk = chunkOf(settings);
    const pictures: Picture[] = [];
    for (let first = 0; first < asked.length; first += chunk) {
      const part = asked.slice(first, first + chunk);
      const onStep: DrawOptions['onStep'] = ({ step, preview }) =>
        options.onStep?.({
          step: (first / chunk) * settings.steps + step,
          steps: Math.ceil(asked.length / chunk) * settings.steps,
          first,
          preview,
        });
      pictures.push(...(await drawTogether(programs, model, part, { ...settings, onStep })));
    }
    return pictures;
  };
  return {
    model,
    batchOf: (options = {}) => chunkOf(settingsOf(model, options)),
    draw,
    render: ({ words, negative = [], seed, count = 1, ...options }) =>
      draw(
        Array.from({ length: count }, (_, i) => ({ words, negative, seed: seed + i })),
        options,
      ),
    dispose: () => programs.dispose(),
  };
}

type Settings = Required<Pick<DrawOptions, 'size' | 'solver' | 'steps' | 'guidance' | 'shift'>> &
  Pick<DrawOptions, 'micro' | 'interval' | 'onStep' | 'signal'> & { readonly setting: Setting };

function settingsOf({ card }: Model, { extend, coordinates, ...options }: DrawOptions): Settings {
  const { sampling, trained, config } = card;
  const all = { ...sampling, size: trained, ...options };
  const grid = gridOf(config, all.size);
  const setting = { grid, extend, coordinates };
  return { ...all, solver: all.solver as Settings['solver'], setting };
}

/** One batch, all in step. */
async function drawTogether(
  programs: Programs,
  { card }: Model,
  asked: readonly Asked[],
  { size, setting, micro, solver, steps, guidance, interval, shift, onStep, signal }: Settings,
): Promise<Picture[]> {
  const { height, width } = size;
  const { channels } = card.config;
  const schedule = SCHEDULES[card.objective.schedule]();
  const conditionOf = conditions(card.config, asked);
  const shifted = shift * programs.timeShift(setting);
  const told = microOf(micro ?? 'asked', size, card.trained);
  const network: Network = ({ x, rows }) =>
    programs.predict(setting, {
      ...{ x, t: rows.map(({ t }) => t), condition: conditionOf(rows) },
      ...(told ? { micro: told } : {}),
    });
  const toPictures = (all: readonly Float32Array[]) => all.map((one) => toPicture(one, size));
  const { pictures } = await sample(
    typeof solver === 'string' ? SOLVERS[solver]() : solver,
    denoiseBy(network, card.objective.prediction, schedule),
    asked.map(({ seed }) => ({ rng: createRng(seed) })),
    {
      schedule,
      times: schedule.times(steps).map((u) => shiftTime(u, shifted)),
      length: height * width * channels,
      draw: (stream) => noise(stream, { height, width, channels }, card.trained),
      guidance: { scale: guidance, ...(interval ? { interval } : {}) },
      onStep: ({ step, clean }) =>
        onStep?.({ step, steps, first: 0, preview: () => toPictures(clean) }),
      ...(signal ? { signal } : {}),
    },
  );
  return toPictures(pictures);
}

/** Throws unless a model can draw this size. */
export function checkSize(
  size: Size,
  { config: { patch }, largestSide }: Pick<Model['card'], 'config' | 'largestSide'>,
): void {
  for (const side of ['width', 'height'] as const)
    if (!(size[side] >= patch && size[side] <= largestSide && size[side] % patch === 0))
      throw new RangeError(
        `size.${side}: expected a multiple of the patch (${patch}) from ${patch} to ${largestSide}, got ${size[side]}`,
      );
}

/** The network's condition for the rows of a call. */
function conditions(
  { condition }: Pick<DiTConfig, 'condition'>,
  asked: readonly Asked[],
): (rows: readonly Row[]) => HostTensor {
  const wordsOf = ({ picture, condition: which }: Row): readonly Word[] => {
    const { words, negative = [] } = asked[picture]!;
    return which === 'asked' ? words : negative;
  };
  if ('words' in condition) return (rows) => bagOfWords(rows.map(wordsOf), condition.words);
  const classOf = (words: readonly Word[]): number => {
    if (words.length > 1)
      throw new RangeError(`condition: expected at most one class, got ${words.length}`);
    return words[0]?.id ?? condition.classes; // the last row of the table is the null class
  };
  return (rows) => ({
    data: Int32Array.from(rows, (row) => classOf(wordsOf(row))),
    shape: [rows.length],
  });
}
