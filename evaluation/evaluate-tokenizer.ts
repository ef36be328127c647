/** Measures a tokenizer by what it makes of drawings that it was not trained on: nearness, likeness, use of codes. */
import type { FeatureNetwork } from '../encoders/features/contract.ts';
import type { Tokenizer } from '../encoders/tokenizers/contract.ts';
import type { TokenizerCard } from '../generators/tokenizer-card.ts';
import { fromPicture, type Picture, toPicture } from '../png.ts';
import { createRng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';
import { kidOfPictures } from './kid-of-pictures.ts';
import { figureOf, psnr, squaredError, ssim } from './reconstruction.ts';

export type TokenizerEvaluation = {
  readonly model: { readonly id: string; readonly digest: string };
  readonly pictures: number;
  readonly size: { readonly width: number; readonly height: number };
  readonly dtype: string;
  readonly engine: string;
  /** PSNR over figures: mean over pictures, and of the mean squared error of all. */
  readonly foreground: Interval;
  readonly pooled: number;
  readonly whole: Interval;
  readonly ssim: Interval;
  readonly kid?: { readonly features: string; readonly value: number; readonly error: number };
  readonly codes: {
    readonly vocabulary: number;
    /** Share of the codes that occur. */
    readonly used: number;
    /** exp of the entropy of the tokens' frequencies. */
    readonly perplexity: number;
  };
};

export type EvaluateTokenizerOptions = {
  readonly card: TokenizerCard;
  readonly tokenizer: Tokenizer;
  readonly pictures: readonly Picture[];
  /** For KID; left out where it is not wanted. */
  readonly features?: FeatureNetwork;
  readonly made: { readonly dtype: string; readonly engine: string };
  readonly onProgress?: (progress: { stage: string; done: number; of: number }) => void;
  readonly signal?: AbortSignal;
};

/** Pictures between two reports of progress. */
const CHUNK = 32;

export async function evaluateTokenizer(
  options: EvaluateTokenizerOptions,
): Promise<{ evaluation: TokenizerEvaluation; reconstructions: Picture[] }> {
  const { card, tokenizer, pictures, features, made, signal } = options;
  const { reconstructions, counts } = await reconstruct(options);
  const rng = createRng(BigInt(`0x${card.digest.slice(0, 16)}`)).stream('tokenizer');
  const errors = pictures.map((picture, i) => {
    const figure = figureOf(picture);
    const back = reconstructions[i]!;
    return {
      figure: squaredError(back, picture, figure),
      whole: squaredError(back, picture),
      ssim: ssim(back, picture),
    };
  });
  // A drawing without a figure has nothing to be measured on.
  const drawn = errors.map(({ figure }) => figure).filter(({ count }) => count > 0);
  const mean = (name: string, values: readonly number[]): Interval => {
    const all = Float64Array.from(values);
    const rest = { rng: rng.stream(name) };
    return bootstrap(all.length, (pick) => sumOf(all, pick) / pick.length, rest);
  };
  const total = (of: 'sum' | 'count') => drawn.reduce((sum, error) => sum + error[of], 0);
  const { width, height } = pictures[0]!;
  const evaluation: TokenizerEvaluation = {
    model: { id: card.id, digest: card.digest },
    pictures: pictures.length,
    size: { width, height },
    ...made,
    foreground: mean('foreground', drawn.map(psnr)),
    pooled: psnr({ sum: total('sum'), count: total('count') }),
    whole: mean(
      'whole',
      errors.map(({ whole }) => psnr(whole)),
    ),
    ssim: mean(
      'ssim',
      errors.map((error) => error.ssim),
    ),
    ...(features
      ? { kid: await kidOfPictures(features, reconstructions, pictures, { signal }) }
      : {}),
    codes: { vocabulary: tokenizer.vocabulary, ...usageOf(counts) },
  };
  return { evaluation, reconstructions };
}

/** Every picture through tokens and back, and how often each code was taken. */
async function reconstruct({
  tokenizer,
  pictures,
  onProgress,
  signal,
}: EvaluateTokenizerOptions): Promise<{ reconstructions: Picture[]; counts: Float64Array }> {
  const counts = new Float64Array(tokenizer.vocabulary);
  const reconstructions: Picture[] = [];
  for (let at = 0; at < pictures.length; at += CHUNK) {
    signal?.throwIfAborted();
    const part = pictures.slice(at, at + CHUNK);
    const { width, height } = part[0]!;
    const length = width * height * 3;
    const data = new Float32Array(part.length * length);
    for (const [i, picture] of part.entries()) data.set(fromPicture(picture), i * length);
    const tokens = await tokenizer.encode({ data, shape: [part.length, height, width, 3] });
    for (const token of tokens.data) counts[token]!++;
    const back = (await tokenizer.decode(tokens)).data as Float32Array;
    for (let i = 0; i < part.length; i++)
      reconstructions.push(
        toPicture(back.subarray(i * length, (i + 1) * length), { width, height }),
      );
    onProgress?.({ stage: 'reconstruct', done: reconstructions.length, of: pictures.length });
  }
  return { reconstructions, counts };
}

/** Share of codes with a count, and exp of the entropy of their frequencies. */
export function usageOf(counts: Float64Array): { used: number; perplexity: number } {
  const total = counts.reduce((a, b) => a + b, 0);
  let [used, entropy] = [0, 0];
  for (const count of counts) {
    if (count === 0) continue;
    used++;
    entropy -= (count / total) * Math.log(count / total);
  }
  return { used: used / counts.length, perplexity: Math.exp(entropy) };
}
