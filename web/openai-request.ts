/** What an OpenAI request asks of us: a request of a model here, and the form of the answer. */
import type { ImageRequest } from '../request.ts';
import { checkedRequest, chooseModel, type Draft } from './draft.ts';
import { HttpError, refuse } from './errors.ts';
import type { Format, GenerateBody, Usage } from './openai-schemas.ts';
import type { ModelView, Services } from './services.ts';

export type Output = {
  readonly format: Format;
  readonly quality: 'low' | 'medium' | 'high';
  /** Of JPEG and WebP. */
  readonly compression: number;
  readonly partial: number;
  readonly url: boolean;
};

export async function understand(
  body: GenerateBody,
  { models }: Services,
): Promise<{ request: ImageRequest; output: Output }> {
  const output = outputOf(body);
  const model = findModel(await models.list(), body.model);
  const request = await refuse(() => checkedRequest(draftOf(body, model), model, models));
  return { request, output };
}

function outputOf(body: GenerateBody): Output {
  const { quality, background, stream } = body;
  const format = body.output_format ?? 'png';
  const compression = body.output_compression ?? 100;
  const partial = (stream && body.partial_images) || 0;
  const url = body.response_format === 'url';
  const wrong = (field: string, sentence: string) => {
    throw new HttpError('invalid', `request: '${field}': ${sentence}`, { field });
  };
  if (background === 'transparent')
    wrong(
      'background',
      "expected 'opaque' or 'auto', got 'transparent', which no model here draws",
    );
  if (format === 'png' && compression !== 100)
    wrong('output_compression', `expected 100 for png, got ${compression}`);
  if (url && (format !== 'png' || stream))
    wrong('response_format', "expected 'b64_json' for a stream and for jpeg and webp, got 'url'");
  if (partial > 0 && (body.n ?? 1) > 1) wrong('n', `expected 1 with partial_images, got ${body.n}`);
  const named = { low: 'low', high: 'high', hd: 'high' } as const;
  return {
    ...{ format, compression, partial, url },
    quality: named[quality as keyof typeof named] ?? 'medium',
  };
}

function draftOf(body: GenerateBody, { id, sampling }: ModelView): Draft {
  const { prompt, negative_prompt, n, seed, size, guidance, quality } = body;
  const [width, height] = size && size !== 'auto' ? size.split('x').map(Number) : [];
  const times = { low: 0.5, high: 2, hd: 2 }[quality as string] ?? 1;
  const own = sampling.kind === 'diffusion' ? Math.ceil(sampling.steps * times) : undefined;
  const steps = body.steps ?? own;
  return {
    model: id,
    prompt,
    ...(negative_prompt != null && { negativePrompt: negative_prompt }),
    ...(n != null && { count: n }),
    ...(seed != null && { seed }),
    ...(width !== undefined && height !== undefined && { size: { width, height } }),
    sampling: {
      ...(steps !== undefined && { steps }),
      ...(guidance != null && {
        guidance: sampling.kind === 'diffusion' ? { scale: guidance } : guidance,
      }),
    } as NonNullable<Draft['sampling']>,
  };
}

export function findModel(models: readonly ModelView[], id: string | null | undefined): ModelView {
  try {
    return chooseModel(models, id ?? models[0]?.id ?? '');
  } catch (error) {
    throw new HttpError('not_found', (error as Error).message, { field: 'model' });
  }
}

export const shown = ({ size }: ImageRequest, { format, quality }: Output) => ({
  background: 'opaque' as const,
  output_format: format,
  quality,
  size: `${size.width}x${size.height}`,
});

/** Nothing is billed; ours: words of the condition, and squares of 16 pixels. */
export function usageOf({ condition, negative = [], size, count }: ImageRequest): Usage {
  const text_tokens = condition.length + negative.length;
  const output_tokens = count * Math.ceil(size.width / 16) * Math.ceil(size.height / 16);
  return {
    input_tokens: text_tokens,
    output_tokens,
    total_tokens: text_tokens + output_tokens,
    input_tokens_details: { text_tokens, image_tokens: 0 },
  };
}
