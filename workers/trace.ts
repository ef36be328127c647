/** How the tokens of a picture were decided by one decoder, beside sequential decoding of the same seed. */
import { extentOf } from '../encoders/positions/grid.ts';
import { drafterFiles } from '../generators/token-drafters.ts';
import { readTokenGenerator, tokenGridOf } from '../generators/token-model.ts';
import type { TracePass, TraceReport, TraceRun } from '../jobs/job.ts';
import type { Asked } from '../pipelines/diffusion.ts';
import type { AnyEntry } from '../pipelines/models.ts';
import { resolveRequest } from '../pipelines/render.ts';
import {
  createTokenPipeline,
  type TokenDrawOptions,
  type TokenPipeline,
} from '../pipelines/tokens.ts';
import { encodePng } from '../png.ts';
import type { ImageRequest } from '../request.ts';
import { DECODERS, type DecoderName } from '../sampling/tokens/registry.ts';
import type { Engine } from '../tensor/program.ts';

export type TraceOptions = {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** Tokens decided, of those of all four decodings. */
  readonly onProgress: (step: number, steps: number) => void;
  /** Milliseconds. */
  readonly now: () => number;
};

/** Throws unless the model draws tokens and knows the request. */
export function resolveTrace(request: ImageRequest, { card }: AnyEntry) {
  if (card.architecture !== 'ar')
    throw new RangeError(`trace: expected a token model, got '${card.id}', which has no passes`);
  const { asked, options } = resolveRequest(request, card);
  return { card, asked, options: options as TokenDrawOptions };
}

export async function traceRequest(
  request: ImageRequest,
  entry: AnyEntry,
  { engine, signal, onProgress, now }: TraceOptions,
): Promise<TraceReport> {
  const { card, asked, options } = resolveTrace(request, entry);
  const model = await readTokenGenerator(entry.folder, card);
  const drafters = drafterFiles(entry.folder, card);
  const pipeline = createTokenPipeline({ engine, model, drafters });
  const { decoder } = options;
  const grid = extentOf(tokenGridOf(card));
  const T = grid.height * grid.width;
  let decodings = 0;
  const timed = async (by: TokenDrawOptions): Promise<TraceRun> => {
    let run: TraceRun | undefined;
    // Twice, for the first one compiles.
    for (let i = 0; i < 2; i++) {
      const before = decodings++ * T;
      const onStep: TokenDrawOptions['onStep'] = ({ step }) => onProgress(before + step, 4 * T);
      run = await runOf(pipeline, asked, { ...options, ...by, signal, onStep }, now);
    }
    return run!;
  };
  try {
    const sequential = await timed({ decoder: 'sequential', decoderOptions: {} });
    const chosen = await timed({});
    const exactness = DECODERS[decoder as DecoderName].property;
    return { request, exactness, grid, chosen, sequential };
  } finally {
    await pipeline.dispose();
  }
}

async function runOf(
  pipeline: TokenPipeline,
  asked: Asked,
  options: TokenDrawOptions,
  now: () => number,
): Promise<TraceRun> {
  const passes: TracePass[] = [];
  const start = now();
  const onPass: TokenDrawOptions['onPass'] = ([pass]) => {
    passes.push({ ...pass!, at: (now() - start) / 1000 });
  };
  const [picture] = await pipeline.draw([asked], { ...options, onPass });
  const decoder = options.decoder!;
  return {
    ...{ decoder, seconds: passes.at(-1)!.at },
    passes: decoder.startsWith('tree') ? passes.map(withoutDrafts) : passes,
    png: (await encodePng(picture!)).toString('base64'),
  };
}

/** A tree has several drafts of a place. */
const withoutDrafts = (pass: TracePass): TracePass => ({ ...pass, drafted: [] });
