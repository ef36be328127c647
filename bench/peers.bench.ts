/** Ours and PyTorch's in turn, in one run: forward and training step of networks, and pictures of token networks. */
import { availableParallelism } from 'node:os';
import { raster } from '../encoders/positions/grid.ts';
import { compileDiT } from '../generators/compile.ts';
import { createEngine } from '../tensor/engine.ts';
import type { Engine, Precision } from '../tensor/program.ts';
import { sgemm } from './engine.bench.ts';
import { createNetworks, createStep, inputsOf, type Network } from './networks.ts';
import { type Peer, type PeerShape, startPeer } from './peers/peer.ts';
import { createTokenNetworks, type NamedNetwork, openDrawing } from './token-networks.ts';

const RUNS = 12;
/** A picture of tokens is 256 passes. */
const PICTURES = 4;

export async function benchPeers(
  say: (line: string) => void,
  python: string | undefined,
): Promise<void> {
  const threads = availableParallelism();
  const peer = await startPeer({ threads, ...(python === undefined ? {} : { python }) });
  const { torch, diffusers, transformers } = peer.info;
  // Threads that wait busily would take the cores from the other program.
  const engine = createEngine({ spinning: false });
  const theirs = (2 * 1024 ** 3) / (await peer.sgemm(1024)) / 1e6;
  say(
    `PyTorch ${torch}, diffusers ${diffusers}, transformers ${transformers}, ${threads} threads: sgemm 1024 ${theirs.toFixed(0)} GFLOP/s, ours ${(await sgemm(engine)).toFixed(0)}`,
  );
  for (const network of createNetworks()) {
    say(await compareForward(engine, peer, network));
    say(await compareTraining(engine, peer, network));
  }
  for (const network of createTokenNetworks()) {
    for (const precision of ['float32', 'int8'] as const)
      say(await comparePictures(engine, peer, network, precision));
  }
  await peer.close();
}

async function compareForward(engine: Engine, peer: Peer, network: Network): Promise<string> {
  const { config, positions, weights, batch, side, name } = network;
  const grid = raster(side / config.patch, side / config.patch);
  const program = await compileDiT(engine, { config, positions, weights, grid, batch });
  const { x, t, condition } = inputsOf(network);
  const ours = () => program.run({ x: x!, t: t!, condition: condition! });
  const line = await inTurn(`${name} forward`, ours, () => peer.forward(name as PeerShape));
  await program.dispose();
  return line;
}

async function compareTraining(engine: Engine, peer: Peer, network: Network): Promise<string> {
  const update = await createStep(engine, network);
  const batch = inputsOf(network);
  const ours = () => update.step([batch]);
  const line = await inTurn(`${network.name} training step`, ours, () =>
    peer.train(network.name as PeerShape),
  );
  await update.dispose();
  return line;
}

/** Drawing the tokens of one guided picture; the peer's weights are float32. */
async function comparePictures(
  engine: Engine,
  peer: Peer,
  network: NamedNetwork,
  precision: Precision,
): Promise<string> {
  const { draw, dispose } = await openDrawing(engine, network, { count: 1, precision });
  const theirs = () => peer.draw(network.name);
  const line = await inTurn(`${network.name} ${precision}, picture`, draw, theirs, {
    runs: PICTURES,
    warm: 1,
  });
  await dispose();
  return line;
}

/** The peer's time over ours, above 1 where we are faster: of the best runs and of each pair's median. */
async function inTurn(
  what: string,
  ours: () => Promise<unknown>,
  theirs: () => Promise<number>,
  { runs = RUNS, warm = 3 } = {},
): Promise<string> {
  for (let i = 0; i < warm; i++) await ours();
  await theirs();
  const pairs: { ours: number; theirs: number }[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await ours();
    pairs.push({ ours: performance.now() - start, theirs: await theirs() });
  }
  const best = (pick: (pair: { ours: number; theirs: number }) => number) =>
    Math.min(...pairs.map(pick));
  const [us, them] = [best((pair) => pair.ours), best((pair) => pair.theirs)];
  const ratios = pairs.map((pair) => pair.theirs / pair.ours).sort((a, b) => a - b);
  const median = ratios[Math.floor(ratios.length / 2)]!;
  return `${what.padEnd(26)} ours ${us.toFixed(0)} ms, PyTorch ${them.toFixed(0)} ms: ${(them / us).toFixed(2)}x (median of pairs ${median.toFixed(2)}x)`;
}
