/** A block drafter's pass over the decided tokens of every row, from plain arrays. */
import { cellsOf, extentOf, type Grid } from '../encoders/positions/grid.ts';
import type { Engine, HostTensor, HostTensors, Program } from '../tensor/program.ts';
import { specsOf } from '../tensor/program.ts';
import { type BlockConfig, forwardBlock } from './block-drafter.ts';

export type BlockShape = { readonly config: BlockConfig; readonly grid: Grid };
export type CompileBlock = BlockShape & {
  readonly weights: HostTensors;
  readonly batch: number;
};
export type BlockSession = ReturnType<typeof createBlockSession>;

/** Throws unless a configuration fits a grid. */
export function checkBlock({ pool, rows, width, heads }: BlockConfig, grid: Grid): void {
  const size = extentOf(grid);
  if (size.width % pool !== 0)
    throw new RangeError(
      `block drafter: expected groups that divide a row of ${size.width} tokens, got ${pool}`,
    );
  if (rows > size.height)
    throw new RangeError(`block drafter: expected at most ${size.height} rows kept, got ${rows}`);
  if (width % heads !== 0 || width % 4 !== 0)
    throw new RangeError(
      `block drafter: expected a width that is a multiple of 4 and of the ${heads} heads, got ${width}`,
    );
}

/** What the network is given besides conditions for each row's decided tokens; none for a row that is not asked. */
export function blockInputs(
  { config: { slots, rows, pool }, grid }: BlockShape,
  decided: readonly (ArrayLike<number> | undefined)[],
): HostTensors {
  const { height, width } = extentOf(grid);
  const T = height * width;
  const [kept, groups] = [rows * width, T / pool];
  const L = 1 + groups + kept + slots;
  const B = decided.length;
  const tokens = new Int32Array(B * T);
  const recent = new Int32Array(B * kept);
  const places = new Float32Array(B * (kept + slots) * 2);
  const visible = new Float32Array(B * L);
  for (const [row, own = []] of decided.entries()) {
    const n = own.length;
    const whole = Math.max(0, Math.floor(n / width) - rows + 1) * width; // the first token kept whole
    const seen = visible.subarray(row * L, (row + 1) * L).fill(1, 0, 1 + whole / pool);
    seen.fill(1, 1 + groups, 1 + groups + n - whole).fill(1, L - slots);
    tokens.set(own, row * T);
    for (let i = 0; i < n - whole; i++) recent[row * kept + i] = own[whole + i]!;
    for (let i = 0; i < kept + slots; i++) {
      const place = i < kept ? whole + i : n + i - kept;
      places.set([Math.floor(place / width), place % width], 2 * (row * (kept + slots) + i));
    }
  }
  return {
    tokens: { data: tokens, shape: [B, T] },
    recent: { data: recent, shape: [B, kept] },
    places: { data: places, shape: [B, kept + slots, 2] },
    visible: { data: visible, shape: [B, L] },
  };
}

/** Compiled at its first pass; `condition` [B, V] says what the next ones are about. */
export function createBlockSession(engine: Engine, { config, grid, weights, batch }: CompileBlock) {
  checkBlock(config, grid);
  let told: HostTensor | undefined;
  let program: Promise<Program> | undefined;
  const { codes, slots } = config;
  return {
    batch,
    vocabulary: codes,
    size: slots,
    length: cellsOf(grid).length,
    condition(given: HostTensor): void {
      told = given;
    },
    /** Logits [slots, codes] of every row. */
    async forward(decided: readonly (readonly number[] | undefined)[]): Promise<Float32Array[]> {
      if (!told) throw new Error('forward: expected conditions, got none; call `condition` first');
      const inputs = { ...blockInputs({ config, grid }, decided), condition: told };
      program ??= engine.compile(
        ({ inputs: given, weights: w }) => {
          const { tokens, recent, places, visible, condition } = given;
          const logits = forwardBlock(config, w, {
            ...{ tokens: tokens!, recent: recent!, places: places!, visible: visible! },
            ...{ condition: condition!, grid },
          });
          return { outputs: { logits } };
        },
        { inputs: specsOf(inputs), weights },
        { name: 'block drafter' },
      );
      const { logits } = await (await program).run(inputs);
      const all = logits!.data as Float32Array;
      return decided.map((_, row) => all.slice(row * slots * codes, (row + 1) * slots * codes));
    },
    async dispose(): Promise<void> {
      await (await program)?.dispose();
      program = undefined;
    },
  };
}
