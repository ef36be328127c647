/**
 * An autoregressive transformer as decoders see it (TokenModel of sampling/tokens/contract.ts), for a
 * batch of pictures in the making: which slots of the cache hold what, and what a new token may look
 * at. Rows have lengths of their own. Drafts may branch: a new token's parent is another new token of
 * its row, or the last one kept; only what is kept stays in the cache, and forgetting is shortening.
 */

import { cellsOf } from '../encoders/positions/grid.ts';
import type { Engine, HostTensor, HostTensors, Program } from '../tensor/program.ts';
import { HIDDEN } from './ar.ts';
import { prefixLength } from './ar-config.ts';
import { type ARCache, type CompileAR, compilePrefix, compileWindow } from './compile-ar.ts';

/** New tokens of one row; none for a row that waits. */
export type NewTokens = {
  readonly tokens: ArrayLike<number>;
  /** Cells of the grid that they are in, row by row. Default: each one further than its parent. */
  readonly positions?: ArrayLike<number>;
  /** Cells that the answers are about: the network was trained to predict the one after each token's. */
  readonly targets?: ArrayLike<number>;
  /** Index of each token's parent among the new ones, before itself, or -1. Default: a chain. */
  readonly parents?: ArrayLike<number>;
};
export type Answer = {
  /** Tokens a row, padded: what the longest row has, rounded up to a power of two. */
  readonly window: number;
  /** [B, window, codes]: what comes after each new token. */
  readonly logits: Float32Array;
  /** [B, window, C] */
  readonly hidden?: Float32Array;
};
export const MOST_WINDOW = 64;
export type ARSession = ReturnType<typeof createARSession>;

/** `condition` says what the next `start` is about; conditions are those of `compilePrefix`. */
export function createARSession(engine: Engine, options: CompileAR) {
  const { config, grid, batch, cache } = options;
  const prefix = prefixLength(config);
  let asked: HostTensor | undefined;
  const lengths = new Int32Array(batch);
  const waiting: NewTokens[] = Array.from({ length: batch }, () => ({ tokens: [] }));
  const programs = new Map<number, Promise<Program>>();
  const programOf = (window: number): Promise<Program> => {
    const found =
      programs.get(window) ??
      (window === 0
        ? compilePrefix(engine, options)
        : compileWindow(engine, { ...options, window }));
    programs.set(window, found);
    return found;
  };
  let present: HostTensor | undefined;
  const isPresent = (row: number, i: number) =>
    present === undefined || present.data[row * prefix + i]! > 0;

  return {
    vocabulary: config.codes,
    length: cellsOf(grid).length,
    batch,
    window: MOST_WINDOW,
    /** Picture tokens of each row that are kept. */
    lengths: lengths as ArrayLike<number>,
    cache,
    /** Takes conditions, with the words [B, P] that are present in texts. */
    condition(given: HostTensor, words?: HostTensor): void {
      asked = given;
      present = words;
    },
    /** Forgets all tokens; the logits [B, codes] of every row's first token. */
    async start(): Promise<Float32Array> {
      if (!asked) throw new Error('start: expected conditions, got none; call `condition` first');
      const condition = asked;
      lengths.fill(0);
      for (let row = 0; row < batch; row++) waiting[row] = { tokens: [] };
      const { slots, mask } = prefixPlaces(cache, batch, prefix, isPresent);
      const { logits } = await (await programOf(0)).run(
        { condition, slots, mask },
        { state: cache.state },
      );
      const last = new Float32Array(batch * config.codes);
      for (let row = 0; row < batch; row++) {
        const end = (row + 1) * prefix * config.codes;
        last.set(logits!.data.subarray(end - config.codes, end), row * config.codes);
      }
      return last;
    },
    /** One pass over the new tokens of every row. They count when they are committed. */
    async forward(rows: readonly NewTokens[]): Promise<Answer> {
      checkRows(rows, { batch, lengths, capacity: cache.unused - prefix, codes: config.codes });
      const longest = Math.max(1, ...rows.map(({ tokens }) => tokens.length));
      const window = 2 ** Math.ceil(Math.log2(longest));
      const inputs = windowInputs(rows, { cache, window, lengths, prefix, isPresent });
      const program = await programOf(window);
      const { logits, hidden } = await program.run(inputs, { state: cache.state });
      for (const [row, added] of rows.entries()) waiting[row] = added;
      return {
        window,
        logits: logits!.data as Float32Array,
        ...(hidden ? { hidden: hidden.data as Float32Array } : {}),
      };
    },
    /** Keeps the first `count` new tokens of a row (a chain), or those of a path from its last kept token. */
    commit(row: number, kept: number | readonly number[]): void {
      const { tokens, parents } = waiting[row]!;
      const path = typeof kept === 'number' ? Array.from({ length: kept }, (_, i) => i) : kept;
      for (const [i, index] of path.entries()) {
        const parent = index < tokens.length ? (parents?.[index] ?? index - 1) : undefined;
        if (parent === (path[i - 1] ?? -1)) continue;
        throw new RangeError(
          `commit: expected a path through the new tokens of row ${row}, got ${path.join(', ')}`,
        );
      }
      const start = prefix + lengths[row]!;
      for (const [i, index] of path.entries())
        if (index !== i) moveSlot(cache, row, start + index, start + i);
      lengths[row]! += path.length;
      waiting[row] = { tokens: [] };
    },
    /** Forgets the tokens of a row from `length` on. */
    rollBack(row: number, length: number): void {
      if (!(Number.isInteger(length) && length >= 0 && length <= lengths[row]!))
        throw new RangeError(
          `rollBack: expected a length from 0 to ${lengths[row]}, got ${length} in row ${row}`,
        );
      lengths[row] = length;
      waiting[row] = { tokens: [] };
    },
    async dispose(): Promise<void> {
      const open = [...programs.values()];
      programs.clear();
      for (const program of open) await (await program).dispose();
    },
  };
}

const int32 = (shape: readonly number[], value = 0): HostTensor & { data: Int32Array } => ({
  data: new Int32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  shape,
});
type IsPresent = (row: number, i: number) => boolean;

/** The condition's slots and mask: causal over the words that are present; a token looks at itself. */
function prefixPlaces(
  { capacity }: ARCache,
  batch: number,
  prefix: number,
  isPresent: IsPresent,
): { slots: HostTensor; mask: HostTensor } {
  const slots = int32([batch, prefix]);
  const mask = new Float32Array(batch * prefix * capacity).fill(HIDDEN);
  for (let row = 0; row < batch; row++) {
    for (let i = 0; i < prefix; i++) {
      slots.data[row * prefix + i] = i;
      for (let j = 0; j <= i; j++)
        if (j === i || isPresent(row, j)) mask[(row * prefix + i) * capacity + j] = 0;
    }
  }
  return { slots, mask: { data: mask, shape: [batch, prefix, capacity] } };
}

type Places = {
  readonly cache: ARCache;
  readonly window: number;
  readonly lengths: Int32Array;
  readonly prefix: number;
  readonly isPresent: IsPresent;
};

/** The inputs of a window: places after what is kept, and a mask of the kept tokens and the ancestors. */
function windowInputs(
  rows: readonly NewTokens[],
  { cache: { capacity, unused }, window, lengths, prefix, isPresent }: Places,
): HostTensors {
  const shape = [rows.length, window];
  const [tokens, cells, slots] = [int32(shape), int32(shape), int32(shape, unused)];
  const mask = new Float32Array(rows.length * window * capacity).fill(HIDDEN);
  for (const [row, added] of rows.entries()) {
    const start = prefix + lengths[row]!;
    for (let j = 0; j < window; j++) {
      const at = row * window + j;
      const seen = mask.subarray(at * capacity, (at + 1) * capacity);
      if (j >= added.tokens.length) {
        seen[unused] = 0;
        continue;
      }
      const parent = added.parents?.[j] ?? j - 1;
      const before = parent < 0 ? lengths[row]! - 1 : cells.data[row * window + parent]!;
      tokens.data[at] = added.tokens[j]!;
      cells.data[at] = added.positions?.[j] ?? before + 1;
      checkTarget(cells.data[at], added.targets?.[j]);
      slots.data[at] = start + j;
      if (parent < 0) {
        for (let i = 0; i < prefix; i++) if (isPresent(row, i)) seen[i] = 0;
        seen.fill(0, prefix, start);
      } else seen.set(mask.subarray((row * window + parent) * capacity).subarray(0, capacity));
      seen[start + j] = 0;
    }
  }
  return { tokens, cells, slots, mask: { data: mask, shape: [...shape, capacity] } };
}

/** Throws unless every row has tokens of the codebook and room for them. */
function checkRows(
  rows: readonly NewTokens[],
  limits: { batch: number; lengths: Int32Array; capacity: number; codes: number },
): void {
  const { batch, lengths, capacity, codes } = limits;
  if (rows.length !== batch)
    throw new RangeError(`window: expected ${batch} rows, got ${rows.length}`);
  for (const [row, { tokens, parents }] of rows.entries()) {
    if (tokens.length > MOST_WINDOW)
      throw new RangeError(
        `window: expected at most ${MOST_WINDOW} tokens, got ${tokens.length} in row ${row}`,
      );
    const room = capacity - lengths[row]!;
    if (tokens.length > room)
      throw new RangeError(
        `window: expected at most the ${room} tokens that are left, got ${tokens.length} in row ${row}`,
      );
    for (let j = 0; j < tokens.length; j++) {
      const [token, parent] = [tokens[j]!, parents?.[j] ?? j - 1];
      if (!(Number.isInteger(token) && token >= 0 && token < codes))
        throw new RangeError(`window: expected tokens from 0 to ${codes - 1}, got ${token}`);
      if (!(Number.isInteger(parent) && parent >= -1 && parent < j))
        throw new RangeError(`window: expected parents before ${j} or -1, got ${parent}`);
    }
  }
}

function checkTarget(cell: number, target = cell + 1): void {
  if (target !== cell + 1)
    throw new RangeError(
      `window: expected ${cell + 1} as the target of cell ${cell}, for the network predicts row by row, got ${target}`,
    );
}

/** Copies a slot's keys and values of every block. */
function moveSlot({ state }: ARCache, row: number, from: number, to: number): void {
  for (const { data, shape } of Object.values(state.values)) {
    const [, heads, capacity, size] = shape as [number, number, number, number];
    for (let h = 0; h < heads; h++) {
      const start = (row * heads + h) * capacity;
      const at = (slot: number) => (start + slot) * size;
      (data as Float32Array).copyWithin(at(to), at(from), at(from) + size);
    }
  }
}
