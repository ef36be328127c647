import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import type { StepProgress } from '../../training/loop.ts';
import { parseTokenTraining, type TokenTraining } from '../../training/token-config.ts';
import { type TokenData, trainTokens } from '../../training/token-run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-tokens-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const CODES = 6;
const STAYS = 0.8;

/**
 * 2 x 2 tokens of a known law: the first is one of the three codes of its word, the second the same with
 * probability 0.8 and else any, the third likewise of the first (above it), the fourth of the second.
 */
function toyTokens(length: number, seed: number): TokenData {
  const rng = createRng(seed);
  const near = (code: number) => (rng.uniform() < STAYS ? code : rng.integer(CODES));
  const words = Array.from({ length }, () => [rng.integer(2)]);
  const all = words.flatMap(([word]) => {
    const first = 3 * word! + rng.integer(3);
    const second = near(first);
    return [first, second, near(first), near(second)];
  });
  return {
    codes: CODES,
    vocabulary: ['style=high', 'style=low'],
    tokens: { data: Int32Array.from(all), shape: [length, 2, 2] },
    words,
  };
}
/** Entropy of the law a token, in nats: what no model can beat. */
const ENTROPY = (() => {
  const kept = STAYS + (1 - STAYS) / CODES;
  const other = (1 - STAYS) / CODES;
  const near = -kept * Math.log(kept) - (CODES - 1) * other * Math.log(other);
  return (Math.log(3) + 3 * near) / 4;
})();

const config = (changes: Record<string, unknown> = {}): TokenTraining =>
  parseTokenTraining(
    {
      name: 'toy',
      title: 'Toy',
      licence: 'CC0-1.0',
      data: { set: 'folder', size: 8 },
      tokens: { tokenizer: 'nowhere' },
      model: {
        preset: 'avatars-drafter',
        config: { width: 32, depth: 2, heads: 2, hidden: 48 },
        positions: { rotate: { method: 'axial', base: 100 } },
      },
      optimiser: { muon: { rate: 0.02 }, adamw: { rate: 0.005, betas: [0.9, 0.95] } },
      batch: 64,
      steps: 8,
      warmup: 4,
      rate: { kind: 'constant', decay: 0.3 },
      ema: 0.98,
      drop: { all: 0, some: 0 },
      seed: 3,
      sampling: { decoder: 'sequential', temperature: 1, guidance: 1 },
      every: { checkpoint: 4, heldOut: 4, sheet: 100 },
      ...changes,
    },
    'toy',
  );

async function runTo(given: TokenTraining, where: string, stopAfter = Number.POSITIVE_INFINITY) {
  const engine = createEngine({ threads: 1 });
  const stop = new AbortController();
  const seen: StepProgress[] = [];
  const { update, network } = await trainTokens(given, {
    engine,
    data: toyTokens(3000, 1),
    heldOut: toyTokens(256, 2),
    folder: where,
    signal: stop.signal,
    onStep: (progress) => {
      seen.push(progress);
      if (progress.step === stopAfter) stop.abort();
    },
  });
  await update.dispose();
  expect(engine.open).toBe(0);
  return { seen, network };
}

async function stateOf(run: string) {
  const latest = await readFile(join(run, 'latest'), 'utf8');
  const parts = ['weights', 'ema', 'moments'].map(async (part) => {
    const { tensors } = await readSafetensors(join(run, latest, `${part}.safetensors`));
    return [part, tensors] as const;
  });
  return { latest, parts: Object.fromEntries(await Promise.all(parts)) };
}

describe('a token model in training', () => {
  test('comes close to the entropy of the law it is shown, and not below', async () => {
    const steps = 150;
    const every = { checkpoint: steps, heldOut: steps, sheet: steps };
    const { seen } = await runTo(config({ steps, every }), join(folder, 'run'));
    // Its head is zero at first, so every code is as likely as any other.
    expect(seen[0]!.loss).toBeCloseTo(Math.log(CODES), 5);
    const unseen = seen.at(-1)!.heldOutLoss!;
    // 256 pictures: the loss's standard error is about 0.03 nats.
    expect(unseen).toBeLessThan(ENTROPY + 0.08);
    expect(unseen).toBeGreaterThan(ENTROPY - 0.08);
    // Without the condition the first token alone would cost log 2 more.
    expect(ENTROPY + Math.log(2) / 4).toBeGreaterThan(unseen);
  });

  test('stopped and continued is the same run, bit for bit', async () => {
    await runTo(config(), join(folder, 'whole'));
    await runTo(config(), join(folder, 'parts'), 5);
    const { seen } = await runTo(config(), join(folder, 'parts'));
    expect(seen[0]?.step).toBe(6);
    expect(await stateOf(join(folder, 'parts'))).toEqual(await stateOf(join(folder, 'whole')));
  });

  test('trains the matrices of its blocks by Muon', async () => {
    await runTo(config({ steps: 1 }), join(folder, 'run'));
    const moments = Object.keys((await stateOf(join(folder, 'run'))).parts.moments!);
    const ofMatrix = moments.filter((name) => name.startsWith('layers.0.attention.wqkv.weight'));
    const ofTable = moments.filter((name) => name.startsWith('tok_embeddings.weight'));
    expect(ofMatrix).toHaveLength(1); // Muon has one moment, AdamW two
    expect(ofTable).toHaveLength(2);
  });

  test('refuses positions that need all tokens at once', async () => {
    const model = { ...config().model, positions: { bias: 'alibi' } };
    await expect(runTo(config({ model }), join(folder, 'run'))).rejects.toThrow(
      /positions.bias: expected none for an autoregressive model/,
    );
  });
});
