/**
 * Trained small, tested large ("The impact of positional encoding on length generalization": Kazemnejad et al. 2023), in
 * two dimensions (ours): a transformer of two blocks sees a grid of symbols and then as many blank tokens at the same
 * places, and says a symbol at each of these. `copy`: the one at that place; `flip`: the one at the mirrored place of the
 * row; `count`: the one that the grid has most of, which takes no places. It learns on the first grid only.
 *
 * Without encodings and without a mask all blanks are alike, so they cannot be told what to copy: the negative
 * control. Under a causal mask they are not, for each sees another number of blanks.
 */
import type { Engine, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { tf } from '../../tensor/tf.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { createUpdate } from '../../training/update.ts';
import { createNetwork, type Network, type ProtocolArm, SYMBOLS } from './protocol-network.ts';

export type Task = 'copy' | 'flip' | 'count';
export const TASKS: readonly Task[] = ['copy', 'flip', 'count'];
export const ARMS: readonly ProtocolArm[] = [
  { name: 'none', positions: {}, causal: false },
  { name: 'none, causal', positions: {}, causal: true },
  { name: 'sin-cos', positions: { embed: 'sincos2d' }, causal: false },
  { name: 'axial RoPE', positions: { rotate: 'axial' }, causal: false },
  { name: 'ALiBi', positions: { bias: 'alibi' }, causal: false },
];

export type ProtocolOptions = {
  readonly engine: Engine;
  readonly rng: Rng;
  readonly arms?: readonly ProtocolArm[];
  readonly tasks?: readonly Task[];
  /** Sides of grids; the first is trained on. */
  readonly sides?: readonly number[];
  readonly steps?: number;
  readonly batch?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly signal?: AbortSignal;
  readonly onRow?: (row: ProtocolRow) => void;
};
export type ProtocolRow = {
  readonly arm: string;
  readonly task: Task;
  readonly chance: number;
  readonly tested: readonly { readonly grid: string; readonly accuracy: number }[];
};

/** Batches of a test: what a grid has most of is one answer a grid. */
const TESTS = 8;

export async function nopeProtocol(options: ProtocolOptions): Promise<ProtocolRow[]> {
  const { arms = ARMS, tasks = TASKS, rng, signal, onRow } = options;
  const rows: ProtocolRow[] = [];
  for (const task of tasks)
    for (const arm of arms) {
      signal?.throwIfAborted();
      const row = await trainAndTest(options, arm, task, rng.stream(`${task}/${arm.name}`));
      rows.push(row);
      onRow?.(row);
    }
  return rows;
}

async function trainAndTest(
  options: ProtocolOptions,
  arm: ProtocolArm,
  task: Task,
  rng: Rng,
): Promise<ProtocolRow> {
  const { engine, sides = [8, 12, 16], steps = 400, batch = 16, signal } = options;
  const network = createNetwork(arm, sides[0]!, options);
  const update = await createUpdate(
    ({ weights, inputs }) => {
      const logits = network.forward(weights, inputs.symbols!, sides[0]!); // [B, S S, symbols]
      const truth = tf.oneHot(inputs.answers!.toInt(), SYMBOLS);
      const likelihoods = tf.log(tf.softmax(logits)).mul(truth);
      return tf.neg(tf.mean(tf.sum(likelihoods, -1)));
    },
    adamW({ rate: 3e-3 }),
    {
      engine,
      inputs: specsOf(sides[0]!, batch),
      weights: network.init(rng.stream('weights')),
      clip: 1,
    },
  );
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const rate = Math.min(1, (step + 1) / 20) * Math.min(1, (2 * (steps - step)) / steps);
    await update.step([examples(task, sides[0]!, batch, rng.stream(`step/${step}`))], rate);
  }
  const { weights } = update.state();
  const tested: { grid: string; accuracy: number }[] = [];
  for (const side of sides) {
    const drawn = (i: number) => examples(task, side, batch, rng.stream(`test/${side}/${i}`));
    const given = Array.from({ length: TESTS }, (_, i) => drawn(i));
    const accuracy = await accuracyOn(engine, network, weights, { given, side });
    tested.push({ grid: `${side}x${side}`, accuracy });
  }
  await update.dispose();
  return { arm: arm.name, task, chance: 1 / SYMBOLS, tested };
}

const specsOf = (side: number, batch: number) =>
  ({
    symbols: { shape: [batch, side * side], dtype: 'int32' },
    answers: { shape: [batch, side * side], dtype: 'int32' },
  }) as const;

/** Grids of random symbols and what is to be said at each place. */
export function examples(task: Task, side: number, batch: number, rng: Rng): HostTensors {
  const T = side * side;
  const symbols = Int32Array.from({ length: batch * T }, () => rng.integer(SYMBOLS));
  const answers = symbols.map((symbol, at) => {
    const [b, x] = [Math.floor(at / T), at % side];
    if (task === 'copy') return symbol;
    if (task === 'flip') return symbols[at + side - 1 - 2 * x]!;
    return commonest(symbols.subarray(b * T, (b + 1) * T));
  });
  const shape = [batch, T];
  return { symbols: { data: symbols, shape }, answers: { data: answers, shape } };
}

/** Of several the first. */
function commonest(symbols: Int32Array): number {
  const times = new Int32Array(SYMBOLS);
  for (const symbol of symbols) times[symbol]!++;
  return times.indexOf(Math.max(...times));
}

async function accuracyOn(
  engine: Engine,
  network: Network,
  weights: HostTensors,
  { given, side }: { readonly given: readonly HostTensors[]; readonly side: number },
): Promise<number> {
  const [batch] = given[0]!.symbols!.shape as [number];
  const { symbols } = specsOf(side, batch);
  const program = await engine.compile(
    ({ inputs, weights: w }) => ({
      outputs: { logits: network.forward(w, inputs.symbols!, side) },
    }),
    { inputs: { symbols }, weights },
    { name: 'protocol' },
  );
  let [right, asked] = [0, 0];
  for (const one of given) {
    const { logits } = await program.run({ symbols: one.symbols! });
    for (const [at, answer] of one.answers!.data.entries()) {
      const said = (logits!.data as Float32Array).subarray(at * SYMBOLS, (at + 1) * SYMBOLS);
      if (said.indexOf(Math.max(...said)) === answer) right++;
      asked++;
    }
  }
  await program.dispose();
  return right / asked;
}
