/**
 * Pictures from an autoregressive model: words become conditions, a decoder draws tokens, the tokenizer
 * turns them into pixels. Programs have baked weights and every picture its own noise, so a picture has
 * the same bits in any batch.
 */
import { bagOfWords, type Word } from '../encoders/conditioning/attributes.ts';
import type { PositionConfig } from '../encoders/positions/compose.ts';
import { cellsOf, extentOf } from '../encoders/positions/grid.ts';
import { createTokenizer } from '../encoders/tokenizers/tokenizer.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import type { DrafterFiles } from '../generators/token-drafters.ts';
import { layoutOfAR, type TokenGenerator, tokenGridOf } from '../generators/token-model.ts';
import { configOf, type TokenizerModel } from '../generators/tokenizer-card.ts';
import { type Picture, toPicture } from '../png.ts';
import type { TokenModel } from '../sampling/tokens/contract.ts';
import type { Decoder, Decoding, RowPass } from '../sampling/tokens/decoder.ts';
import type { Filters } from '../sampling/tokens/filters.ts';
import { type GuidanceOptions, guidedBy } from '../sampling/tokens/guidance-scales.ts';
import type { Engine, HostTensor } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import type { Asked, DrawProgress } from './diffusion.ts';
import { createDraftResources } from './draft-resources.ts';
import { createSessions, type TokenNetwork } from './sessions.ts';
import {
  createDecoder,
  type DecoderOptions,
  decidesByBatch,
  draftersOf,
} from './token-decoders.ts';

/** How tokens are drawn; what is not given is as the model's card has it. */
export type TokenDrawOptions = Filters & {
  readonly decoder?: string;
  readonly decoderOptions?: DecoderOptions;
  /** 1 is no guidance. */
  readonly guidance?: number;
  readonly guidanceOptions?: GuidanceOptions;
  readonly onStep?: (progress: DrawProgress) => void | Promise<void>;
  /** What each pass did to each picture of a batch; `first` is the index of the batch's first. */
  readonly onPass?: (pass: readonly RowPass[], first: number) => void;
  readonly signal?: AbortSignal;
};
/** Guidance as the model's card has it, unless given; hidden states for drafters that go by them. */
export type OpenOptions = Pick<TokenDrawOptions, 'guidance' | 'guidanceOptions'> & {
  readonly withHidden?: boolean;
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
  /**
   * One batch as decoders see it, for those that a program makes itself; `paint` has the pictures of what they
   * decide. Good until the pipeline draws, decodes or opens again.
   */
  open(asked: readonly Asked[], options?: OpenOptions): Promise<TokenModel>;
  /** Pictures of whole grids of tokens. */
  paint(tokens: readonly Int32Array[]): Promise<Picture[]>;
  /** For each code of the tokenizer its nearest ones, nearest first. */
  nearestCodes(count: number): Promise<readonly ArrayLike<number>[]>;
  dispose(): Promise<void>;
};
export type TokenPipelineOptions = {
  readonly engine: Engine;
  readonly model: TokenGenerator;
  /** What was made to draft for it, as `drafterFiles` finds it. Default: nothing. */
  readonly drafters?: DrafterFiles;
  /** Most pictures of one batch. */
  readonly pictures?: number;
};

/** Pictures of one batch: enough that weights are read for many rows. */
const PICTURES = 16;

export function createTokenPipeline({
  engine,
  model,
  drafters = {},
  pictures = PICTURES,
}: TokenPipelineOptions): TokenPipeline {
  const { card, weights, tokenizer } = model;
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const network = { config, positions, grid, weights };
  const painter = createTokenPainter(engine, network, { tokenizer, drafters });
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
    open: async (asked, options = {}) =>
      (await painter.open(asked, { ...card.sampling, ...options })).rows,
    paint: (tokens) => painter.pictures(tokens),
    nearestCodes: (count) => painter.nearestCodes(count),
    dispose: () => painter.dispose(),
  };
}

type Settings = Filters & {
  readonly decoder: string;
  readonly decoderOptions?: DecoderOptions;
  readonly guidance: number;
  readonly guidanceOptions?: GuidanceOptions;
  readonly onStep?: (step: number) => void | Promise<void>;
  readonly onPass?: (pass: readonly RowPass[]) => void;
  readonly signal?: AbortSignal;
};

export type TokenPainter = ReturnType<typeof createTokenPainter>;

export type PainterOptions = {
  readonly tokenizer: TokenizerModel;
  readonly drafters?: DrafterFiles;
};

/** Draws batches, all in step; keeps what it compiled for the latest number of rows. */
export function createTokenPainter(
  engine: Engine,
  network: TokenNetwork,
  { tokenizer: model, drafters = {} }: PainterOptions,
) {
  const { condition } = network.config;
  if (!('words' in condition))
    throw new RangeError(
      `condition: expected a model of words, got one of ${Object.keys(condition)[0]}`,
    );
  const tokenizer = createTokenizer(engine, {
    config: configOf(model.card),
    weights: model.weights,
  });
  const sessions = createSessions(engine, network);
  const resources = createDraftResources(engine, {
    ...{ grid: network.grid, tokenizer: model, drafters },
  });
  const { height, width } = extentOf(network.grid);
  /** Guided, each picture has a second row of what to lead away from. */
  const open = async (
    asked: readonly Asked[],
    { guidance, guidanceOptions, withHidden = false }: OpenOptions & { readonly guidance: number },
  ): Promise<{ rows: TokenModel; bags: HostTensor }> => {
    const words: (readonly Word[])[] = [
      ...asked.map((one) => one.words),
      ...(guidance === 1 ? [] : asked.map(({ negative = [] }) => negative)),
    ];
    const session = await sessions.of(words.length, { withHidden });
    const bags = bagOfWords(words, condition.words);
    session.condition(bags);
    return { rows: guidedBy(session, guidance, guidanceOptions), bags };
  };
  const decode = async (asked: readonly Asked[], settings: Settings): Promise<Decoding> => {
    const { decoder, decoderOptions = {}, guidance, guidanceOptions, ...more } = settings;
    const { onStep, onPass, signal, ...filters } = more;
    const told = { guidance, ...(guidanceOptions ? { guidanceOptions } : {}) };
    const withHidden = draftersOf(decoder, decoderOptions).includes('retrieval');
    const { rows, bags } = await open(asked, { ...told, withHidden });
    const context = await resources.contextFor(decoder, decoderOptions, {
      ...{ condition: bags, filters, ...told },
    });
    const drawn = createDecoder(decoder, decoderOptions, { ...context, T: height * width });
    return decodeBy(drawn, rows, { asked, filters, progress: { onStep, onPass, signal } });
  };
  const pictures = async (tokens: readonly Int32Array[]): Promise<Picture[]> => {
    const data = new Int32Array(tokens.length * height * width);
    for (const [row, own] of tokens.entries()) data.set(own, row * height * width);
    return picturesOf(await tokenizer.decode({ data, shape: [tokens.length, height, width] }));
  };
  return {
    open,
    decode,
    pictures,
    nearestCodes: resources.nearestCodes,
    paint: async (asked: readonly Asked[], settings: Settings): Promise<Picture[]> =>
      pictures((await decode(asked, settings)).tokens),
    async dispose(): Promise<void> {
      await sessions.dispose();
      await resources.dispose();
      await tokenizer.dispose();
    },
  };
}

type Decoded = {
  readonly asked: readonly Asked[];
  readonly filters: Filters;
  readonly progress: { readonly [Key in 'onStep' | 'onPass' | 'signal']: Settings[Key] };
};

/** A picture's tokens depend on its own seed alone. */
function decodeBy(
  decoder: Decoder,
  model: TokenModel,
  { asked, filters, progress: { onStep, onPass, signal } }: Decoded,
): Promise<Decoding> {
  const decided = asked.map(() => 0);
  return decoder.decode(model, {
    rngs: asked.map(({ seed }) => createRng(seed)),
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
