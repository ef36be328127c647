/**
 * Pictures from an autoregressive model: words become conditions, a decoder draws tokens, the tokenizer
 * turns them into pixels. Programs have baked weights and every picture its own noise, so a picture has
 * the same bits in any batch.
 */
import { bagOfWords, type Word } from '../encoders/conditioning/attributes.ts';
import type { PositionConfig, Positions } from '../encoders/positions/compose.ts';
import { cellsOf, extentOf, type Grid } from '../encoders/positions/grid.ts';
import { createTokenizer } from '../encoders/tokenizers/tokenizer.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import { type ARSession, createARSession } from '../generators/ar-session.ts';
import { createCache } from '../generators/compile-ar.ts';
import { layoutOfAR, type TokenGenerator, tokenGridOf } from '../generators/token-model.ts';
import { configOf, type TokenizerModel } from '../generators/tokenizer-card.ts';
import { type Picture, toPicture } from '../png.ts';
import type { TokenModel } from '../sampling/tokens/contract.ts';
import type { Decoding, RowPass } from '../sampling/tokens/decoder.ts';
import type { Filters } from '../sampling/tokens/filters.ts';
import { guided } from '../sampling/tokens/guided.ts';
import type { Engine, HostTensor, HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import type { Asked, DrawProgress } from './diffusion.ts';
import { createDecoder, type DecoderOptions, decidesByBatch } from './token-decoders.ts';

/** How tokens are drawn; what is not given is as the model's card has it. */
export type TokenDrawOptions = Filters & {
  readonly decoder?: string;
  readonly decoderOptions?: DecoderOptions;
  /** 1 is no guidance. */
  readonly guidance?: number;
  readonly onStep?: (progress: DrawProgress) => void | Promise<void>;
  /** What each pass did to each picture of a batch; `first` is the index of the batch's first. */
  readonly onPass?: (pass: readonly RowPass[], first: number) => void;
  readonly signal?: AbortSignal;
};
/** Pictures of one condition; picture i has seed + i. */
export type TokenRenderOptions = TokenDrawOptions & Asked & { readonly count?: number };
export type TokenPipeline = {
  readonly model: TokenGenerator;
  render(options: TokenRenderOptions): Promise<Picture[]>;
  /** Pictures that are drawn in one batch: one where a decoder looks at the whole batch, so that none depends on it. */
  batchOf(options?: TokenDrawOptions): number;
  draw(asked: readonly Asked[], options?: TokenDrawOptions): Promise<Picture[]>;
  /** One batch, with what its decoder did. */
  decode(asked: readonly Asked[], options?: TokenDrawOptions): Promise<Decoding>;
  /** Pictures of whole grids of tokens. */
  paint(tokens: readonly Int32Array[]): Promise<Picture[]>;
  dispose(): Promise<void>;
};
export type TokenPipelineOptions = {
  readonly engine: Engine;
  readonly model: TokenGenerator;
  /** Most pictures of one batch. */
  readonly pictures?: number;
};

/** Pictures of one batch: enough that weights are read for many rows. */
const PICTURES = 16;

export function createTokenPipeline({
  engine,
  model,
  pictures = PICTURES,
}: TokenPipelineOptions): TokenPipeline {
  const { card, weights, tokenizer } = model;
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const painter = createTokenPainter(engine, { config, positions, grid, weights }, tokenizer);
  const T = cellsOf(grid).length;
  const batchOf = ({ decoder = card.sampling.decoder }: TokenDrawOptions = {}): number =>
    decidesByBatch(decoder) ? 1 : pictures;
  const draw: TokenPipeline['draw'] = async (asked, options = {}) => {
    const made: Picture[] = [];
    const chunk = batchOf(options);
    for (let first = 0; first < asked.length; first += chunk) {
      const part = asked.slice(first, first + chunk);
      const steps = Math.ceil(asked.length / chunk) * T;
      const onStep = (step: number) =>
        options.onStep?.({
          ...{ step: (first / chunk) * T + step, steps, first },
          preview: () => [],
        });
      const onPass = (pass: readonly RowPass[]) => options.onPass?.(pass, first);
      made.push(...(await painter.paint(part, { ...card.sampling, ...options, onStep, onPass })));
    }
    return made;
  };
  return {
    model,
    batchOf,
    draw,
    render: ({ words, negative = [], seed, count = 1, ...options }) =>
      draw(
        Array.from({ length: count }, (_, i) => ({ words, negative, seed: seed + i })),
        options,
      ),
    decode: (asked, { onStep: _, onPass: __, ...options } = {}) =>
      painter.decode(asked, { ...card.sampling, ...options }),
    paint: (tokens) => painter.pictures(tokens),
    dispose: () => painter.dispose(),
  };
}

/** A network with its weights, as models and training runs have it. */
export type TokenNetwork = {
  readonly config: ARConfig;
  readonly positions: Positions;
  readonly grid: Grid;
  readonly weights: HostTensors;
};
type Settings = Filters & {
  readonly decoder: string;
  readonly decoderOptions?: DecoderOptions;
  readonly guidance: number;
  readonly onStep?: (step: number) => void | Promise<void>;
  readonly onPass?: (pass: readonly RowPass[]) => void;
  readonly signal?: AbortSignal;
};

export type TokenPainter = ReturnType<typeof createTokenPainter>;

/** Draws batches, all in step; keeps what it compiled for the latest number of rows. */
export function createTokenPainter(
  engine: Engine,
  network: TokenNetwork,
  { card, weights }: TokenizerModel,
) {
  const { condition } = network.config;
  if (!('words' in condition))
    throw new RangeError(
      `condition: expected a model of words, got one of ${Object.keys(condition)[0]}`,
    );
  const tokenizer = createTokenizer(engine, { config: configOf(card), weights });
  let kept: ARSession | undefined;
  const sessionOf = async (batch: number): Promise<ARSession> => {
    if (kept?.batch === batch) return kept;
    await kept?.dispose();
    const shape = { ...network, batch };
    kept = createARSession(engine, { ...shape, cache: createCache(engine, shape) });
    return kept;
  };
  const { height, width } = extentOf(network.grid);
  /** Guided, each picture has a second row of what to lead away from. */
  const decode = async (asked: readonly Asked[], settings: Settings): Promise<Decoding> => {
    const isGuided = settings.guidance !== 1;
    const rows: (readonly Word[])[] = [
      ...asked.map(({ words }) => words),
      ...(isGuided ? asked.map(({ negative = [] }) => negative) : []),
    ];
    const session = await sessionOf(rows.length);
    session.condition(bagOfWords(rows, condition.words));
    const model = isGuided ? guided(session, settings.guidance) : session;
    const seeds = asked.map(({ seed }) => seed);
    return decodeBy(model, seeds, settings, width);
  };
  const pictures = async (tokens: readonly Int32Array[]): Promise<Picture[]> => {
    const data = new Int32Array(tokens.length * height * width);
    for (const [row, own] of tokens.entries()) data.set(own, row * height * width);
    return picturesOf(await tokenizer.decode({ data, shape: [tokens.length, height, width] }));
  };
  return {
    decode,
    pictures,
    paint: async (asked: readonly Asked[], settings: Settings): Promise<Picture[]> =>
      pictures((await decode(asked, settings)).tokens),
    async dispose(): Promise<void> {
      await kept?.dispose();
      kept = undefined;
      await tokenizer.dispose();
    },
  };
}

/** A picture's tokens depend on its own seed alone. */
function decodeBy(
  model: TokenModel,
  seeds: readonly number[],
  { decoder, decoderOptions = {}, onStep, onPass, signal, guidance: _, ...filters }: Settings,
  width: number,
): Promise<Decoding> {
  const decided = seeds.map(() => 0);
  return createDecoder(decoder, decoderOptions, width).decode(model, {
    rngs: seeds.map((seed) => createRng(seed)),
    filters,
    onPass: async (pass) => {
      for (const [row, { decided: now }] of pass.entries()) decided[row]! += now.length;
      onPass?.(pass);
      await onStep?.(Math.min(...decided));
    },
    ...(signal ? { signal } : {}),
  });
}

/** [B, H, W, 3] as pictures. */
function picturesOf({ data, shape }: HostTensor): Picture[] {
  const [count, height, width] = shape as [number, number, number];
  const size = height * width * 3;
  return Array.from({ length: count }, (_, i) =>
    toPicture((data as Float32Array).subarray(i * size, (i + 1) * size), { height, width }),
  );
}
