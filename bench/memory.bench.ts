/**
 * Peak memory of a training step against what it cannot do without: weights, gradients, moments, the
 * moving average and the results of the
 * forward pass. Each network runs in a process of its
 * own, whose peak is the operating system's figure less that of the same process before it compiles.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../tensor/engine.ts';
import { sizeOf } from '../tensor/shape.ts';
import { createNetworks, createStep, inputsOf, type Network } from './networks.ts';

const MEGABYTE = 2 ** 20;

export async function benchMemory(say: (line: string) => void): Promise<void> {
  for (const network of createNetworks()) {
    const needed = neededBytes(network);
    const output = execFileSync(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(import.meta.url), network.name],
      {
        encoding: 'utf8',
      },
    );
    const { before, peak } = JSON.parse(output) as { before: number; peak: number };
    const total = needed.weights + needed.activations;
    say(
      `${network.name.padEnd(10)} needs ${mb(total)} (weights, gradients, moments, average ${mb(needed.weights)}; activations ${mb(needed.activations)}), peak ${mb(peak - before)} above ${mb(before)}: ${((peak - before) / total).toFixed(2)}x`,
    );
  }
}

const mb = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(0)} MB`;

/** Activations: every result of the forward pass that is not a view of another, block by block. */
export function neededBytes({ config, side, batch, weights }: Network): {
  weights: number;
  activations: number;
} {
  const { width, depth, heads, hidden, patch, context } = config;
  const tokens = (side / patch) ** 2 + (context?.tokens ?? 0);
  const rows = batch * tokens;
  // q, k, v; their transposes; the attention's output and its transpose; projection, gate, residual.
  // With qk-norm and rotation: q and k normalised, scaled and turned.
  const attention = rows * width * (3 + 3 + 2 + 3 + (config.qkNorm ? 6 : 0));
  const logits = 3 * batch * heads * tokens * tokens; // products, scaled, softmax
  const norms = 2 * 3 * rows * width; // normalised, scaled, shifted
  const mlp = rows * hidden * (config.mlp === 'swiglu' ? 4 : 2) + 3 * rows * width;
  const count = Object.values(weights).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { weights: 4 * 5 * count, activations: 4 * depth * (attention + logits + norms + mlp) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const network = createNetworks().find(({ name }) => name === process.argv[2])!;
  const batch = inputsOf(network);
  const engine = createEngine();
  const before = process.resourceUsage().maxRSS * 1024;
  const update = await createStep(engine, network);
  for (let i = 0; i < 3; i++) await update.step([batch]);
  console.log(JSON.stringify({ before, peak: process.resourceUsage().maxRSS * 1024 }));
}
