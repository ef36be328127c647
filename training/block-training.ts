/** Trains a block drafter (generators/block-drafter.ts) on a data set's tokens: the next tokens after any place. */
import { bagOfWords } from '../encoders/conditioning/attributes.ts';
import { raster } from '../encoders/positions/grid.ts';
import { type BlockConfig, forwardBlock, initBlock } from '../generators/block-drafter.ts';
import { blockInputs, checkBlock } from '../generators/compile-block.ts';
import { crossEntropy } from '../tensor/ops/cross-entropy.ts';
import { type Engine, type HostTensors, specsOf } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { tf } from '../tensor/tf.ts';
import type { TokenCache } from './data/token-cache.ts';
import { adamW } from './optimisers/adamw.ts';
import { createOrder } from './showing.ts';
import { createUpdate } from './update.ts';

export type BlockTraining = {
  readonly engine: Engine;
  readonly config: BlockConfig;
  readonly data: Pick<TokenCache, 'tokens' | 'words'>;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  readonly rng: Rng;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: { readonly step: number; readonly loss: number }) => void;
};

/** The moving average of the weights; the loss is the mean cross entropy of the slots in nats. */
export async function trainBlock(options: BlockTraining): Promise<HostTensors> {
  const { engine, config, steps, rate, rng, signal, onStep } = options;
  const batches = blockBatches(options);
  const [, height, width] = options.data.tokens.shape as [number, number, number];
  const grid = raster(height, width);
  checkBlock(config, grid);
  const update = await createUpdate(
    ({ weights, inputs }) => {
      const { tokens, recent, places, visible, condition, next, counts } = inputs;
      const logits = forwardBlock(config, weights, {
        ...{ tokens: tokens!, recent: recent!, places: places!, visible: visible! },
        ...{ condition: condition!, grid },
      });
      return tf.sum(crossEntropy(logits, next!).mul(counts!)).div(tf.sum(counts!));
    },
    adamW({ rate, betas: [0.9, 0.95] }),
    {
      ...{ engine, weights: initBlock(config, rng.stream('weights')), clip: 1 },
      inputs: specsOf(batches(0)),
    },
  );
  for (let step = 1; step <= steps; step++) {
    signal?.throwIfAborted();
    const rising = Math.min(1, step / 100);
    const falling = Math.min(1, (3 * (steps - step + 1)) / steps);
    const { loss } = await update.step([batches(step)], rising * falling);
    onStep?.({ step, loss });
  }
  const { ema } = update.state();
  const weights = Object.fromEntries(
    Object.entries(ema).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]),
  );
  await update.dispose();
  return weights;
}

/** Pictures up to a place drawn at random, and the slots' tokens after it; those past the end do not count. */
function blockBatches({ config, data: { tokens, words }, batch, rng }: BlockTraining) {
  const [count, height, width] = tokens.shape as [number, number, number];
  const T = height * width;
  const order = createOrder(count, rng.stream('order'));
  const { slots } = config;
  return (step: number): HostTensors => {
    const draw = rng.stream(`step/${step}`);
    const indices = Array.from({ length: batch }, (_, row) => order(step * batch + row));
    const next = new Int32Array(batch * slots);
    const counts = new Float32Array(batch * slots);
    const decided = indices.map((index, row) => {
      const picture = tokens.data.subarray(index * T, (index + 1) * T);
      const place = 1 + draw.integer(T - 1);
      const after = picture.subarray(place, Math.min(T, place + slots));
      next.set(after, row * slots);
      counts.fill(1, row * slots, row * slots + after.length);
      return picture.subarray(0, place);
    });
    const bags = indices.map((index) => words[index]!.map((id) => ({ id })));
    return {
      ...blockInputs({ config, grid: raster(height, width) }, decided),
      condition: bagOfWords(bags, config.words),
      next: { data: next, shape: [batch, slots] },
      counts: { data: counts, shape: [batch, slots] },
    };
  };
}
