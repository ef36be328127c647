/**
 * What each position method costs a step of sampling, beside plain axial RoPE: the model that ships with its positions
 * replaced, every method in turn with RoPE on the same grid, all that a step does included (frequencies that depend on t
 * are made at each). Embeddings and biases stand without RoPE, as its rivals; extensions on 1.5 times the trained
 * side. Coordinates are left out: they are constants of the program.
 */
import { fileURLToPath } from 'node:url';
import type { Choice, PositionConfig } from '../encoders/positions/compose.ts';
import { cellsOf, extentOf, type Grid, raster } from '../encoders/positions/grid.ts';
import { POSITION_METHODS } from '../encoders/positions/registry.ts';
import { layoutOf, type Model, readModel } from '../generators/model.ts';
import { createPrograms, type Rows } from '../pipelines/programs.ts';
import { createEngine } from '../tensor/engine.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { timeInTurn } from './machine.ts';

const MODEL = fileURLToPath(new URL('../models/avatars-64', import.meta.url));
const AXIAL = { method: 'axial', base: 100 };
const TRAINED = raster(8, 8);
const LARGER = raster(12, 12);
/** Four guided pictures. */
const ROWS = 8;
const RUNS = 15;
/** Factors that a search would find, of every frequency of an axis. */
const FACTORS = Array(16).fill(1.5);
const OPTIONS: Readonly<Record<string, Choice>> = {
  longrope: { method: 'longrope', y: FACTORS, x: FACTORS },
};

type Arm = { readonly name: string; readonly positions: PositionConfig };

const { embed, rotate, bias, extend } = POSITION_METHODS;
const ON_TRAINED: readonly Arm[] = [
  { name: 'no positions', positions: {} },
  ...embed.map(({ name }) => ({ name: `embed ${name}`, positions: { embed: name } })),
  ...rotate.map(({ name }) => ({ name: `rotate ${name}`, positions: { rotate: name } })),
  ...bias.map(({ name }) => ({ name: `bias ${name}`, positions: { bias: name } })),
];
const ON_LARGER: readonly Arm[] = extend.map(({ name }) => ({
  name: `extend ${name}`,
  positions: { rotate: AXIAL, extend: OPTIONS[name] ?? name },
}));

export async function benchPositions(say: (line: string) => void): Promise<void> {
  const engine = createEngine();
  const model = await readModel(MODEL);
  await beside(engine, model, { grid: TRAINED, arms: ON_TRAINED, say });
  await beside(engine, model, { grid: LARGER, arms: ON_LARGER, say });
}

type Beside = {
  readonly grid: Grid;
  readonly arms: readonly Arm[];
  readonly say: (line: string) => void;
};

async function beside(engine: Engine, model: Model, { grid, arms, say }: Beside): Promise<void> {
  const plain = await openStep(engine, model, { rotate: AXIAL }, grid);
  for (const { name, positions } of arms) {
    const own = await openStep(engine, model, positions, grid);
    const [roPE, other] = await timeInTurn([plain.step, own.step], { runs: RUNS });
    await own.dispose();
    const ratios = (['best', 'median'] as const).map((which) => other![which] / roPE![which]);
    say(
      `${`${cellsOf(grid).length} tokens, ${name}`.padEnd(34)} ${other!.best.toFixed(1)} ms, axial RoPE ${roPE!.best.toFixed(1)} ms: ${ratios[0]!.toFixed(2)}x (medians ${ratios[1]!.toFixed(2)}x)`,
    );
  }
  await plain.dispose();
}

/** A step of `ROWS` rows with these positions, compiled. */
async function openStep(engine: Engine, model: Model, positions: PositionConfig, grid: Grid) {
  const card = { ...model.card, positions: positions as Model['card']['positions'] };
  const learned = layoutOf(card).positions.init(createRng(1));
  const programs = createPrograms(engine, { card, weights: { ...model.weights, ...learned } });
  const rows = rowsOn(model, grid);
  const step = () => programs.predict({ grid }, rows);
  await step();
  return { step, dispose: () => programs.dispose() };
}

function rowsOn({ card: { config, vocabulary } }: Model, grid: Grid): Rows {
  const { height, width } = extentOf(grid);
  const pixels = height * width * config.patch ** 2 * config.channels;
  return {
    x: createRng(2).normals(ROWS * pixels),
    t: Array(ROWS).fill(0.5),
    condition: {
      data: new Float32Array(ROWS * vocabulary.length),
      shape: [ROWS, vocabulary.length],
    },
  };
}
