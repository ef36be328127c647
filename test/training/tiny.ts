/** A run small enough for tests: 16 px pictures of two kinds, a network of 20,000 weights. */

import { createRng } from '../../tensor/rng.ts';
import { parseTrainingConfig, type TrainingConfig } from '../../training/config.ts';
import type { Dataset } from '../../training/data/dataset.ts';

const SIZE = 16;

/** Discs or bars in red or blue, with words that say so. */
export function shapes(length: number, seed = 1): Dataset {
  const vocabulary = ['color=blue', 'color=red', 'style=bar', 'style=disc'];
  const rng = createRng(seed);
  const pictures = Array.from({ length }, () => {
    const [red, disc] = [rng.integer(2), rng.integer(2)];
    const [cy, cx] = [6 + rng.integer(4), 6 + rng.integer(4)];
    const pixels = new Uint8Array(SIZE * SIZE * 3).fill(255);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const inside = disc ? (y - cy) ** 2 + (x - cx) ** 2 < 20 : Math.abs(y - cy) < 3;
        if (inside) pixels.set(red ? [220, 30, 30] : [30, 30, 220], 3 * (y * SIZE + x));
      }
    }
    return { pixels, words: [red, 2 + disc] };
  });
  return {
    name: 'shapes',
    size: SIZE,
    length,
    vocabulary,
    pixels: (index) => pictures[index]!.pixels,
    words: (index) => pictures[index]!.words,
  };
}

/** The same pictures, each pixel four times. */
export function doubled(data: Dataset): Dataset {
  const { size } = data;
  const pixels = (index: number) => {
    const from = data.pixels(index);
    return Uint8Array.from({ length: 4 * from.length }, (_, i) => {
      const [y, x] = [Math.floor(i / (6 * size)), Math.floor(i / 3) % (2 * size)];
      return from[3 * ((y >> 1) * size + (x >> 1)) + (i % 3)]!;
    });
  };
  return { ...data, size: 2 * size, pixels };
}

export function tinyConfig(changes: Record<string, unknown> = {}): TrainingConfig {
  return parseTrainingConfig(
    {
      name: 'tiny',
      title: 'Tiny',
      licence: 'CC0-1.0',
      data: { set: 'folder', size: SIZE },
      model: {
        preset: 'avatars',
        config: {
          patch: 4,
          width: 32,
          depth: 2,
          heads: 2,
          hidden: 64,
          context: { tokens: 2, start: 1 },
        },
        positions: { embed: 'sincos2d', rotate: { method: 'axial', base: 100 } },
      },
      objective: { prediction: 'clean', schedule: 'flow' },
      time: { mean: 0.5, std: 1 },
      optimiser: {
        muon: { rate: 0.02 },
        adamw: { rate: 0.002, betas: [0.9, 0.95], embeddings: 0.01 },
      },
      batch: 8,
      steps: 12,
      warmup: 4,
      rate: { kind: 'constant', decay: 0.3 },
      drop: { all: 0.1, some: 0.3 },
      seed: 3,
      sampling: { solver: 'euler', steps: 4, guidance: 2, shift: 1 },
      every: { checkpoint: 4, heldOut: 6, sheet: 100 },
      ...changes,
    },
    'tiny',
  );
}
