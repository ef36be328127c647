/**
 * Compiles an autoregressive transformer's passes over one shared cache: the condition (once a picture)
 * and windows of new tokens. The cache of B rows has a slot for every token of the sequence, `extra` ones
 * for drafts that branch, and a last one that nobody looks at, for rows that have fewer new tokens.
 */
import type { Positions } from '../encoders/positions/compose.ts';
import { cellsOf, type Grid } from '../encoders/positions/grid.ts';
import type { Engine, HostTensors, Precision, Program, Spec, State } from '../tensor/program.ts';
import { type Tensors, tf } from '../tensor/tf.ts';
import { cacheNames, forwardPrefix, forwardWindow, type WindowOutput } from './ar.ts';
import { type ARConfig, prefixLength } from './ar-config.ts';
import { placedConstants } from './compile.ts';

export type CacheShape = {
  readonly config: ARConfig;
  readonly grid: Grid;
  readonly batch: number;
  /** Slots beyond one a token. Default: 0. */
  readonly extra?: number;
};
export type ARCache = {
  readonly state: State;
  /** Slots of a row. */
  readonly capacity: number;
  /** The slot that nobody looks at. */
  readonly unused: number;
  readonly bytes: number;
};

/** The last token is seen by none, so the slots are the condition's, T - 1, the extra ones, one unused. */
export const cacheCapacity = ({ config, grid, extra = 0 }: Omit<CacheShape, 'batch'>): number =>
  prefixLength(config) + cellsOf(grid).length + extra;

/** Keys and values of every block in float32: 2 L B S C numbers of 4 bytes. */
export const cacheBytes = (shape: CacheShape): number =>
  8 * shape.config.depth * shape.batch * cacheCapacity(shape) * shape.config.width;

export function createCache(engine: Engine, shape: CacheShape): ARCache {
  const { width, heads } = shape.config;
  const capacity = cacheCapacity(shape);
  const entry = {
    shape: [shape.batch, heads, capacity, width / heads],
    update: { write: 2, at: 'slots' },
  } as const;
  const state = engine.state(
    Object.fromEntries(cacheNames(shape.config).map((name) => [name, entry])),
  );
  return { state, capacity, unused: capacity - 1, bytes: cacheBytes(shape) };
}

export type CompileAR = CacheShape & {
  readonly positions: Positions;
  readonly weights: HostTensors;
  readonly cache: ARCache;
  /** Default: baked. Training looks at its current weights with live ones. */
  readonly mode?: 'baked' | 'live';
  readonly precision?: Precision;
  /** Default: only logits. */
  readonly withHidden?: boolean;
};

/**
 * A program of inputs tokens, cells and slots [B, n] (int32) and mask [B, n, S] and output logits
 * [B, n, codes]: what comes after each token.
 */
export async function compileWindow(
  engine: Engine,
  { window, ...options }: CompileAR & { readonly window: number },
): Promise<Program> {
  const { config, positions, grid, batch } = options;
  const tokens = { shape: [batch, window], dtype: 'int32' } as const;
  return compilePass(engine, options, { tokens, cells: tokens }, window, (given, w, cached) => {
    const placed = placedConstants(positions.place(grid, 'sample'));
    const coordinates = tf.gather(placed.coordinates, given.cells!); // [B, n, 2]
    return forwardWindow(config, positions, w, {
      ...cached,
      tokens: given.tokens!,
      placed: { ...placed, coordinates },
    });
  });
}

/** A program of inputs condition, slots [B, P] and mask [B, P, S] and output logits [B, P, codes]. */
export async function compilePrefix(engine: Engine, options: CompileAR): Promise<Program> {
  const { config, positions, grid, batch } = options;
  const { condition: kind } = config;
  const condition: Spec =
    'classes' in kind
      ? { shape: [batch], dtype: 'int32' }
      : { shape: 'words' in kind ? [batch, kind.words] : [batch, kind.tokens, kind.text] };
  return compilePass(engine, options, { condition }, prefixLength(config), (given, w, cached) =>
    forwardPrefix(config, positions, w, {
      ...cached,
      condition: given.condition!,
      placed: placedConstants(positions.place(grid, 'sample')),
    }),
  );
}

type Pass = (
  inputs: Tensors,
  weights: Tensors,
  cached: Pick<Parameters<typeof forwardWindow>[3], 'cache' | 'slots' | 'mask' | 'grid'>,
) => WindowOutput;

function compilePass(
  engine: Engine,
  { batch, cache, weights, grid, mode = 'baked', precision, withHidden = false }: CompileAR,
  inputs: Record<string, Spec>,
  rows: number,
  pass: Pass,
): Promise<Program> {
  const slots = { shape: [batch, rows], dtype: 'int32' } as const;
  const mask = { shape: [batch, rows, cache.capacity] };
  return engine.compile(
    ({ inputs: given, weights: w, state }) => {
      const cached = { cache: state, slots: given.slots!, mask: given.mask!, grid };
      const { logits, hidden, cache: next } = pass(given, w, cached);
      return { outputs: withHidden ? { logits, hidden } : { logits }, state: next };
    },
    { inputs: { ...inputs, slots, mask }, weights, state: cache.state },
    {
      name: 'autoregressive transformer',
      weights: mode,
      ...(precision === undefined ? {} : { precision }),
    },
  );
}
