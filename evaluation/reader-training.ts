/** Trains an attribute reader on real drawings; a run can be stopped and continued, as a generator's. */
import { bagOfWords } from '../encoders/conditioning/attributes.ts';
import type { Engine, HostTensor, HostTensors } from '../tensor/program.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import { loadCheckpoint, saveCheckpoint } from '../training/checkpoint.ts';
import { rateAt } from '../training/config.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { muon } from '../training/optimisers/muon.ts';
import { createUpdate, emaDecay } from '../training/update.ts';
import { attributesOf } from './attributes.ts';
import { forwardReader, initReader, type ReaderConfig, readingLoss } from './reader.ts';

export type ReaderTraining = {
  readonly network: ReaderConfig;
  readonly seed: number;
  readonly batch: number;
  readonly steps: number;
  readonly warmup: number;
  readonly rates: { readonly muon: number; readonly adamw: number };
  /** Light changes to the drawings: noise up to this deviation on half of them ([-1, 1]), shifts up to this many pixels. */
  readonly noise: number;
  readonly shift: number;
};

export type ReaderTrainingOptions = {
  readonly engine: Engine;
  readonly data: Dataset;
  /** Checkpoints are kept here, every `checkpoint` steps. */
  readonly folder?: string;
  readonly checkpoint?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: { step: number; loss: number }) => void;
};

/** The moving average of the weights after the last step, or after the step at which `signal` stopped it. */
export async function trainReader(
  config: ReaderTraining,
  { engine, data, folder, checkpoint = 500, signal, onStep }: ReaderTrainingOptions,
): Promise<{ weights: HostTensors; step: number }> {
  const rng = createRng(config.seed);
  const attributes = attributesOf(data.vocabulary);
  const batches = createBatches(data, rng, config);
  const { size } = data;
  const optimiser = muon({
    engine,
    rate: config.rates.muon,
    others: { rate: config.rates.adamw, betas: [0.9, 0.98], decay: 0.01 },
  });
  const update = await createUpdate(
    ({ weights, inputs }) =>
      readingLoss(
        attributes,
        forwardReader(config.network, weights, inputs.pictures!),
        inputs.truth!,
      ),
    optimiser,
    {
      engine,
      inputs: {
        pictures: { shape: [config.batch, size, size, 3] },
        truth: { shape: [config.batch, data.vocabulary.length] },
      },
      weights: initReader(config.network, data.vocabulary.length, rng.stream('weights')),
      clip: 1,
      ema: emaDecay(0.998),
    },
  );
  try {
    const saved = folder === undefined ? undefined : await loadCheckpoint(folder, update.state());
    if (saved) update.restore(saved);
    const rate = { ...config, rate: { kind: 'cosine' } } as const;
    for (let step = update.state().step + 1; step <= config.steps; step++) {
      if (signal?.aborted) {
        if (folder !== undefined) await saveCheckpoint(folder, update.state());
        break;
      }
      const { loss } = await update.step([batches(step)], rateAt(rate, step));
      if (folder !== undefined && (step % checkpoint === 0 || step === config.steps))
        await saveCheckpoint(folder, update.state());
      onStep?.({ step, loss });
    }
    const { ema, step } = update.state();
    return { weights: ema, step };
  } finally {
    await update.dispose();
  }
}

/** Batches in which everything random comes from the stream of their step. */
function createBatches(data: Dataset, rng: Rng, { batch, noise, shift }: ReaderTraining) {
  const length = data.size * data.size * 3;
  return (step: number): Record<'pictures' | 'truth', HostTensor> => {
    const draw = rng.stream(`step/${step}`);
    const pictures = new Float32Array(batch * length);
    const rows = Array.from({ length: batch }, (_, row) => {
      const index = draw.integer(data.length);
      const picture = pictures.subarray(row * length, (row + 1) * length);
      const offset = () => draw.integer(2 * shift + 1) - shift;
      writeShifted(data.pixels(index), data.size, picture, { down: offset(), right: offset() });
      const deviation = draw.uniform() < 0.5 ? 0 : noise * draw.uniform();
      if (deviation > 0) addNoise(picture, draw.normals(length), deviation);
      return data.words(index).map((id) => ({ id }));
    });
    return {
      pictures: { data: pictures, shape: [batch, data.size, data.size, 3] },
      truth: bagOfWords(rows, data.vocabulary.length),
    };
  };
}

/** Bytes to [-1, 1], moved; what comes in from outside is the nearest edge. */
function writeShifted(
  pixels: Uint8Array,
  size: number,
  to: Float32Array,
  { down, right }: { down: number; right: number },
): void {
  const inside = (at: number) => Math.min(size - 1, Math.max(0, at));
  for (let y = 0; y < size; y++) {
    const row = inside(y - down) * size;
    for (let x = 0; x < size; x++) {
      const from = 3 * (row + inside(x - right));
      const at = 3 * (y * size + x);
      for (let c = 0; c < 3; c++) to[at + c] = pixels[from + c]! / 127.5 - 1;
    }
  }
}

function addNoise(picture: Float32Array, normals: Float32Array, deviation: number): void {
  for (let i = 0; i < picture.length; i++) picture[i] = picture[i]! + deviation * normals[i]!;
}
