/**
 * What decoders need beside the model that they decode, opened when it is first asked for: a smaller
 * network, a store of what followed hidden states, the nearest codes of a codebook.
 */
import type { PositionConfig } from '../encoders/positions/compose.ts';
import { extentOf, type Grid } from '../encoders/positions/grid.ts';
import { tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import { type BlockSession, createBlockSession } from '../generators/compile-block.ts';
import type { BlockFiles, DrafterFiles } from '../generators/token-drafters.ts';
import { layoutOfAR, tokenGridOf } from '../generators/token-model.ts';
import { configOf, type TokenizerModel } from '../generators/tokenizer-card.ts';
import { block } from '../sampling/tokens/drafters/block.ts';
import type { Drafter } from '../sampling/tokens/drafters/drafter.ts';
import { networkDrafter } from '../sampling/tokens/drafters/network.ts';
import {
  type RetrievalStore,
  retrieval,
  storedPictures,
} from '../sampling/tokens/drafters/retrieval.ts';
import type { Filters } from '../sampling/tokens/filters.ts';
import { type GuidanceOptions, guidedBy } from '../sampling/tokens/guidance-scales.ts';
import { nearestCodes } from '../sampling/tokens/lantern.ts';
import type { DecoderContext } from '../sampling/tokens/registry.ts';
import type { Engine, HostTensor } from '../tensor/program.ts';
import { createSessions } from './sessions.ts';
import { draftersOf } from './token-decoders.ts';

/** Pictures that the retrieval drafter goes by. */
const NEIGHBOURS = 8;

export type DraftSources = {
  readonly grid: Grid;
  readonly tokenizer: TokenizerModel;
  readonly drafters: DrafterFiles;
};
/** The rows that are decoded: conditions, then those that guidance leads away from. */
export type DraftRows = {
  readonly condition: HostTensor;
  readonly guidance: number;
  readonly guidanceOptions?: GuidanceOptions;
  readonly filters: Filters;
};

export function createDraftResources(engine: Engine, { grid, tokenizer, drafters }: DraftSources) {
  const { width } = extentOf(grid);
  const network = once(async () => openNetwork(engine, await drafters.network!()));
  const store = once(async (): Promise<RetrievalStore> => {
    const { matrix, keys, tokens } = await drafters.retrieval!();
    const [, length] = tokens.shape as [number, number];
    const pictures = tokens.data as Int32Array;
    return storedPictures({ matrix: matrix.data, keys: keys.data, tokens: pictures, length });
  });
  const slots = once(async () => openBlock(engine, grid, await drafters.block!()));
  const nearest = once(async () => {
    const { data, shape } = await codebookOf(engine, tokenizer);
    return nearestOf(data, shape.at(-1)!);
  });
  return {
    /** This many nearest codes of each code, nearest first. */
    nearestCodes: async (count: number) => (await nearest.open())(count),
    /** The context of a decoder with these options; a drafter that the model lacks is left out of it. */
    async contextFor(
      decoder: string,
      options: Readonly<Record<string, unknown>>,
      rows: DraftRows,
    ): Promise<DecoderContext> {
      const named = draftersOf(decoder, options);
      const context: { -readonly [Key in keyof DecoderContext]: DecoderContext[Key] } = { width };
      if (decoder === 'lantern') context.nearest = await nearest.open();
      if (named.includes('network') && drafters.network)
        context.network = await (await network.open()).drafterFor(rows);
      if (named.includes('retrieval') && drafters.retrieval)
        context.retrieval = retrieval({ store: await store.open(), neighbours: NEIGHBOURS });
      if (named.includes('block') && drafters.block)
        context.block = await (await slots.open()).drafterFor(rows);
      return context;
    },
    async dispose(): Promise<void> {
      await (await network.opened())?.dispose();
      await (await slots.opened())?.dispose();
    },
  };
}

/** Guided, filtered and told as the model is, so that it drafts what the model would draw. */
function openNetwork(
  engine: Engine,
  { card, weights }: Awaited<ReturnType<NonNullable<DrafterFiles['network']>>>,
) {
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const sessions = createSessions(engine, { config, positions, grid, weights });
  return {
    async drafterFor(rows: DraftRows): Promise<Drafter> {
      const { condition, guidance, guidanceOptions, filters } = rows;
      const session = await sessions.of(condition.shape[0]!);
      session.condition(condition);
      const network = guidedBy(session, guidance, guidanceOptions);
      return networkDrafter({ network, filters });
    },
    dispose: () => sessions.dispose(),
  };
}

/** Told as the pictures are, not what guidance leads away from; kept for the latest number of pictures. */
function openBlock(engine: Engine, grid: Grid, { config, weights }: BlockFiles) {
  let kept: BlockSession | undefined;
  return {
    async drafterFor({ condition, guidance, filters }: DraftRows): Promise<Drafter> {
      const [rows, words] = condition.shape as [number, number];
      const batch = guidance === 1 ? rows : rows / 2;
      if (kept?.batch !== batch) {
        await kept?.dispose();
        kept = createBlockSession(engine, { config, grid, weights, batch });
      }
      kept.condition({ data: condition.data.slice(0, batch * words), shape: [batch, words] });
      return block(kept, filters);
    },
    dispose: async (): Promise<void> => kept?.dispose(),
  };
}

/** What every code stands for, [1, 1, V, d]. */
async function codebookOf(engine: Engine, { card, weights }: TokenizerModel): Promise<HostTensor> {
  const { quantiser } = tokenizerParts(configOf(card));
  const shape = [1, 1, quantiser.vocabulary];
  const program = await engine.compile(
    ({ inputs, weights: w }) => ({
      outputs: { codes: quantiser.lookup(w, inputs.tokens!).mul(1) },
    }),
    { inputs: { tokens: { shape, dtype: 'int32' } }, weights },
    { name: 'codebook' },
  );
  const tokens = { data: Int32Array.from({ length: quantiser.vocabulary }, (_, i) => i), shape };
  const { codes } = await program.run({ tokens });
  await program.dispose();
  return codes!;
}

/** Nearest codes by their number, each found once. */
function nearestOf(codebook: ArrayLike<number>, width: number) {
  const found = new Map<number, readonly ArrayLike<number>[]>();
  return (count: number): readonly ArrayLike<number>[] => {
    const near = found.get(count) ?? nearestCodes(codebook, width, count);
    found.set(count, near);
    return near;
  };
}

/** Opened at the first call; a failure is tried again. */
function once<Value>(make: () => Promise<Value>) {
  let value: Promise<Value> | undefined;
  return {
    open: (): Promise<Value> => {
      value ??= make();
      value.catch(() => {
        value = undefined;
      });
      return value;
    },
    opened: (): Promise<Value> | undefined => value,
  };
}
