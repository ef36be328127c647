/**
 * Passes of token networks (guided: two rows), by precision of the baked weights and by window, the bytes
 * that a pass reads a second beside what the machine reads at most, and pictures a second by batch.
 * Windows are timed at the start of a picture; a pass costs the same anywhere, as all slots are looked at.
 */
import { shapesOfAR } from '../generators/ar-weights.ts';
import { cacheBytes } from '../generators/compile-ar.ts';
import { createEngine } from '../tensor/engine.ts';
import type { Precision } from '../tensor/program.ts';
import { sizeOf } from '../tensor/shape.ts';
import { tf } from '../tensor/tf.ts';
import { time } from './machine.ts';
import {
  createTokenNetworks,
  type NamedNetwork,
  openDrawing,
  openSession,
} from './token-networks.ts';

const WINDOWS = [1, 2, 4, 8, 16, 32, 64];
const BATCHES = [1, 2, 4, 8, 16];
const BYTES: Readonly<Record<Precision, number>> = { float32: 4, float16: 4, int8: 1 };
const GIGABYTE = 1e9;
const MEBIBYTE = 2 ** 20;

type Say = (line: string) => void;

export async function benchTokens(say: Say): Promise<void> {
  const rate = await readRate();
  say(`the machine reads ${rate.toFixed(1)} GB/s (row sums of 420 MB by the engine)`);
  for (const network of createTokenNetworks()) {
    say(`\n${network.name}`);
    await benchPasses(say, network, rate);
    await benchBatches(say, network);
  }
}

async function benchPasses(say: Say, network: NamedNetwork, rate: number): Promise<void> {
  let full = Number.NaN;
  for (const precision of ['float32', 'float16', 'int8'] as const) {
    const session = await openSession(createEngine(), network, { batch: 2, precision });
    const read = readBytes(network, precision) + session.cache.bytes;
    for (const window of precision === 'float32' ? WINDOWS : [1]) {
      const tokens = Array.from({ length: window }, (_, i) => (97 * i) % network.config.codes);
      const pass = () => session.forward([{ tokens }, { tokens }]);
      const { median, best } = await time(pass, { runs: 25, warm: 3 });
      if (precision === 'float32' && window === 1) full = best;
      const achieved = read / GIGABYTE / (best / 1000);
      say(
        [
          `${precision} window ${String(window).padStart(2)}: best ${best.toFixed(2)} ms, median ${median.toFixed(2)} ms a pass`,
          `${(best / window).toFixed(2)} ms a token`,
          `${(read / MEBIBYTE).toFixed(0)} MB at ${achieved.toFixed(1)} GB/s, ${((100 * achieved) / rate).toFixed(0)} % of the machine's`,
          ...(precision === 'float32' ? [] : [`${(full / best).toFixed(2)}x float32`]),
        ].join(', '),
      );
    }
    await session.dispose();
  }
}

/** Whole pictures, drawing of tokens included: every batch decodes twice and the faster one counts. */
async function benchBatches(say: Say, network: NamedNetwork): Promise<void> {
  for (const count of BATCHES) {
    const { draw, cache, dispose } = await openDrawing(createEngine(), network, { count });
    const { best } = await time(draw, { runs: 2, warm: 0 });
    const held = Object.values(cache.state.values).reduce((sum, v) => sum + v.data.byteLength, 0);
    const formula = cacheBytes({ ...network, batch: 2 * count });
    say(
      `batch ${String(count).padStart(2)}: ${(best / 1000).toFixed(2)} s, ${((1000 * count) / best).toFixed(2)} pictures/s, ` +
        `cache ${(held / MEBIBYTE).toFixed(1)} MB, 2 L B S C numbers of 4 bytes: ${(formula / MEBIBYTE).toFixed(1)} MB`,
    );
    await dispose();
  }
}

/** Matrices as they lie in memory when they run (float16 is cast when the model is loaded). */
const readBytes = ({ config }: NamedNetwork, precision: Precision): number =>
  Object.entries(shapesOfAR(config))
    .filter(([name]) => !name.includes('embedding'))
    .reduce((sum, [, shape]) => sum + BYTES[precision] * sizeOf(shape), 0);

/** GB/s of the engine's row sums over as many bytes as a pass reads, as processors may hold much of them. */
async function readRate(): Promise<number> {
  const shape = [1600, 65536];
  const x = { data: new Float32Array(sizeOf(shape)).fill(1), shape };
  const program = await createEngine().compile(
    ({ inputs }) => ({ outputs: { sums: tf.sum(inputs.x!, 1) } }),
    { inputs: { x: { shape } } },
  );
  const { best } = await time(() => program.run({ x }), { runs: 8, warm: 2 });
  await program.dispose();
  return x.data.byteLength / GIGABYTE / (best / 1000);
}
