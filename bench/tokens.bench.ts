/**
 * One pass of LlamaGen-B (111 million weights, 256 tokens, guided: two rows), by precision of the baked
 * weights and by window, and the bytes that it reads a second beside what the machine reads at most.
 * Windows are timed in the middle of a picture; a pass costs the same anywhere, as all slots are looked at.
 */
import { composePositions } from '../encoders/positions/compose.ts';
import { raster } from '../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../encoders/positions/rotate/axial.ts';
import { AR_PRESETS } from '../generators/ar-config.ts';
import { createARSession } from '../generators/ar-session.ts';
import { shapesOfAR } from '../generators/ar-weights.ts';
import { createCache } from '../generators/compile-ar.ts';
import { createEngine } from '../tensor/engine.ts';
import type { HostTensors, Precision } from '../tensor/program.ts';
import { sizeOf } from '../tensor/shape.ts';
import { tf } from '../tensor/tf.ts';
import { time } from './machine.ts';

const CONFIG = AR_PRESETS['gpt-b'];
const GRID = raster(16, 16);
const BATCH = 2;
const WINDOWS = [1, 2, 4, 8, 16, 32, 64];
const BYTES: Readonly<Record<Precision, number>> = { float32: 4, float16: 4, int8: 1 };
const GIGABYTE = 1e9;

export async function benchTokens(say: (line: string) => void): Promise<void> {
  const rate = await readRate();
  say(`the machine reads ${rate.toFixed(1)} GB/s (row sums of 420 MB by the engine)`);
  const weights = someWeights();
  for (const precision of ['float32', 'float16', 'int8'] as const) {
    for (const window of precision === 'float32' ? WINDOWS : [1])
      await benchWindow(say, { weights, precision, window, rate });
  }
}

type Case = {
  readonly weights: HostTensors;
  readonly precision: Precision;
  readonly window: number;
  readonly rate: number;
};

async function benchWindow(
  say: (line: string) => void,
  { weights, precision, window, rate }: Case,
): Promise<void> {
  const engine = createEngine();
  const shape = { config: CONFIG, grid: GRID, batch: BATCH };
  const cache = createCache(engine, shape);
  const rotate = { method: 'axial', ...AXIAL_PRESETS.llamagen };
  const positions = composePositions(
    { rotate },
    { width: CONFIG.width, heads: CONFIG.heads, trained: GRID },
  );
  const session = createARSession(engine, { ...shape, positions, weights, cache, precision });
  session.condition({ data: Int32Array.of(7, 1000), shape: [BATCH] });
  await session.start();
  const tokens = Array.from({ length: window }, (_, i) => (97 * i) % CONFIG.codes);
  const { median, best } = await time(() => session.forward([{ tokens }, { tokens }]), {
    runs: 15,
    warm: 3,
  });
  const read = readBytes(precision) + cache.bytes;
  const achieved = read / GIGABYTE / (best / 1000);
  say(
    `${precision} window ${String(window).padStart(2)}: best ${best.toFixed(1)} ms, median ${median.toFixed(1)} ms a pass, ${(best / window).toFixed(1)} ms a token, ` +
      `${(read / 2 ** 20).toFixed(0)} MB (cache ${(cache.bytes / 2 ** 20).toFixed(0)} MB) at ${achieved.toFixed(1)} GB/s, ${((100 * achieved) / rate).toFixed(0)} % of the machine's`,
  );
  await session.dispose();
}

/** Matrices as they lie in memory when they run (float16 is cast when the model is loaded). */
const readBytes = (precision: Precision): number =>
  Object.entries(shapesOfAR(CONFIG))
    .filter(([name]) => !name.includes('embedding'))
    .reduce((sum, [, shape]) => sum + BYTES[precision] * sizeOf(shape), 0);

/** Values do not matter to the time; they must only be finite and not all alike. */
function someWeights(): HostTensors {
  return Object.fromEntries(
    Object.entries(shapesOfAR(CONFIG)).map(([name, shape]) => {
      const data = new Float32Array(sizeOf(shape));
      for (let i = 0; i < data.length; i++) data[i] = 0.02 * (((i * 7919) % 2003) / 1000 - 1);
      return [name, { data, shape }];
    }),
  );
}

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
