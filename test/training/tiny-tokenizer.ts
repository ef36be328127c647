/** A tokenizer's run small enough for tests: 16 px pictures as 4 x 4 tokens. */
import { parseTokenizerTraining, type TokenizerTraining } from '../../training/tokenizer-config.ts';

export const tinyVq = (codebook: 'gradient' | 'average' = 'average') => ({
  kind: 'vq',
  codes: 16,
  width: 4,
  commitment: 0.25,
  entropy: 0,
  codebook,
});

export function tinyTokenizer(changes: Record<string, unknown> = {}): TokenizerTraining {
  return parseTokenizerTraining(
    {
      name: 'tiny-tokenizer',
      title: 'Tiny tokenizer',
      licence: 'CC0-1.0',
      data: { set: 'folder', size: 16 },
      tokenizer: {
        network: {
          kind: 'patch-transformer',
          patch: 4,
          width: 32,
          depth: [1, 1],
          heads: 2,
          hidden: 48,
        },
        quantiser: tinyVq(),
      },
      loss: { l1: 0.1, l2: 1 },
      codebook: { decay: 0.9, reset: { below: 0.5, until: 100 } },
      optimiser: { muon: { rate: 0.02 }, adamw: { rate: 0.002, betas: [0.9, 0.95] } },
      batch: 8,
      steps: 12,
      warmup: 4,
      rate: { kind: 'constant', decay: 0.3 },
      clip: 1,
      ema: 0.9,
      seed: 3,
      every: { checkpoint: 4, heldOut: 6, sheet: 100 },
      ...changes,
    },
    'tiny',
  );
}
