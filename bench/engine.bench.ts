/** Compile time, forward and training step of both networks, beside the sgemm of the same engine. */
import { openDevice } from '../cli/device.ts';
import { raster } from '../encoders/positions/grid.ts';
import { compileDiT } from '../generators/compile.ts';
import { createEngine } from '../tensor/engine.ts';
import type { Engine } from '../tensor/program.ts';
import { tf } from '../tensor/tf.ts';
import { time } from './machine.ts';
import { createNetworks, createStep, forwardFlops, inputsOf, type Network } from './networks.ts';

const SIDE = 1024;

/** GFLOP/s of one product of 1024 x 1024 matrices, both of them inputs. */
export async function sgemm(engine: Engine): Promise<number> {
  const square = { data: new Float32Array(SIDE * SIDE).fill(0.5), shape: [SIDE, SIDE] };
  const program = await engine.compile(
    ({ inputs: { a, b } }) => ({ outputs: { y: tf.matMul(a!, b!) } }),
    { inputs: { a: { shape: [SIDE, SIDE] }, b: { shape: [SIDE, SIDE] } } },
  );
  const into = { y: new Float32Array(SIDE * SIDE) };
  const { best } = await time(() => program.run({ a: square, b: square }, { into }), { runs: 30 });
  await program.dispose();
  return (2 * SIDE ** 3) / best / 1e6;
}

export const benchEngine = (say: (line: string) => void): Promise<void> =>
  benchOn(createEngine(), say);

/** The same on native TensorFlow, where `ropewalk doctor --install tensorflow` put it. */
export async function benchTensorflow(say: (line: string) => void): Promise<void> {
  await benchOn(await openDevice({ device: 'tensorflow' }, { env: process.env }), say);
}

async function benchOn(engine: Engine, say: (line: string) => void): Promise<void> {
  const roof = await sgemm(engine);
  say(`${engine.name}: sgemm ${SIDE}: ${roof.toFixed(0)} GFLOP/s`);
  for (const network of createNetworks()) {
    await benchForward(engine, network, roof, say);
    await benchTraining(engine, network, roof, say);
  }
}

async function benchForward(
  engine: Engine,
  network: Network,
  roof: number,
  say: (line: string) => void,
) {
  const { config, positions, weights, batch, side } = network;
  const grid = raster(side / config.patch, side / config.patch);
  const start = performance.now();
  const program = await compileDiT(engine, { config, positions, weights, grid, batch });
  const compile = performance.now() - start;
  const { x, t, condition } = inputsOf(network);
  const { best, median } = await time(() => program.run({ x: x!, t: t!, condition: condition! }));
  say(
    report(`${network.name} forward`, {
      compile,
      best,
      median,
      flops: forwardFlops(network),
      roof,
    }),
  );
  await program.dispose();
}

async function benchTraining(
  engine: Engine,
  network: Network,
  roof: number,
  say: (line: string) => void,
) {
  const start = performance.now();
  const update = await createStep(engine, network);
  const compile = performance.now() - start;
  const batch = inputsOf(network);
  const { best, median } = await time(() => update.step([batch]));
  say(
    report(`${network.name} training step`, {
      compile,
      best,
      median,
      flops: 3 * forwardFlops(network),
      roof,
    }),
  );
  await update.dispose();
}

type Figures = { compile: number; best: number; median: number; flops: number; roof: number };

function report(what: string, { compile, best, median, flops, roof }: Figures): string {
  const speed = flops / best / 1e6;
  return `${what.padEnd(24)} compile ${compile.toFixed(0)} ms, best ${best.toFixed(1)} ms, median ${median.toFixed(1)} ms, ${speed.toFixed(0)} GFLOP/s = ${((100 * speed) / roof).toFixed(0)} % of sgemm`;
}
