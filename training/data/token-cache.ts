/**
 * A data set as tokens: one safetensors file with `tokens` [N, h, w], the words of picture i in
 * `words` from `starts`[i] to `starts`[i + 1], and, as metadata, whose tokens they are. It is read only for
 * the tokenizer whose weights have the digest inside: to any other the numbers mean nothing.
 */
import { Type } from 'typebox';
import { checkSchema } from '../../schema.ts';
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts';

export type TokenCache = {
  readonly tokenizer: string;
  /** SHA-256 of the tokenizer's weights. */
  readonly codebook: string;
  /** Number of codes. */
  readonly codes: number;
  /** Name of the data set. */
  readonly data: string;
  /** Sides of the pictures in pixels. */
  readonly height: number;
  readonly width: number;
  readonly vocabulary: readonly string[];
  /** int32 [N, h, w] */
  readonly tokens: HostTensor;
  /** Ids of each picture's words, ascending. */
  readonly words: readonly (readonly number[])[];
};

const FORMAT = 'ropewalk tokens 1';
const Count = Type.Integer({ minimum: 1 });
const About = Type.Object({
  tokenizer: Type.String(),
  codebook: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  codes: Count,
  data: Type.String(),
  height: Count,
  width: Count,
  vocabulary: Type.Array(Type.String()),
});

/** Replaces the file when the new one is whole. */
export async function writeTokenCache(
  path: string,
  { tokens, words, ...about }: TokenCache,
): Promise<void> {
  const starts = new Int32Array(words.length + 1);
  for (const [i, ids] of words.entries()) starts[i + 1] = starts[i]! + ids.length;
  const all = Int32Array.from(words.flat());
  const tensors = {
    tokens,
    words: { data: all, shape: [all.length] },
    starts: { data: starts, shape: [starts.length] },
  };
  const metadata = { format: FORMAT, about: JSON.stringify(about) };
  await writeSafetensors(path, tensors, { metadata });
}

/** Reads and checks a cache; `codebook` is the digest of the tokenizer that it is wanted for. */
export async function readTokenCache(
  path: string,
  { codebook }: { readonly codebook?: string } = {},
): Promise<TokenCache> {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT)
    throw new TypeError(
      `${path}: expected tokens as \`ropewalk tokenize\` writes them, got ${metadata.format === undefined ? 'another file' : `'${metadata.format}'`}`,
    );
  const about = checkSchema(About, parsed(path, metadata.about), path);
  if (codebook !== undefined && about.codebook !== codebook)
    throw new RangeError(
      `${path}: expected tokens of the codebook ${codebook.slice(0, 12)}, got those of '${about.tokenizer}', ${about.codebook.slice(0, 12)}; make them anew with \`ropewalk tokenize\``,
    );
  checkTokensOf(path, tensors, about);
  const { tokens, words, starts } = tensors;
  const lists = Array.from({ length: tokens!.shape[0]! }, (_, i) => [
    ...words!.data.subarray(starts!.data[i]!, starts!.data[i + 1]!),
  ]);
  return { ...about, tokens: tokens!, words: lists };
}

function parsed(path: string, text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(`${path}: expected JSON in its metadata, got something else; restore it`);
  }
}

function checkTokensOf(
  path: string,
  { tokens, words, starts }: HostTensors,
  { codes, vocabulary }: { codes: number; vocabulary: readonly string[] },
): void {
  const [count = 0] = tokens?.shape ?? [];
  const whole =
    [tokens, words, starts].every((tensor) => tensor?.data instanceof Int32Array) &&
    tokens!.shape.length === 3 &&
    starts!.data.length === count + 1 &&
    starts!.data[0] === 0 &&
    starts!.data[count] === words!.data.length &&
    starts!.data.every((start, i) => i === 0 || start >= starts!.data[i - 1]!);
  if (!whole)
    throw new RangeError(
      `${path}: expected tokens [N, h, w], words and ${count + 1} starts in int32, got other tensors; the file is damaged`,
    );
  const outside = (values: ArrayLike<number>, end: number) =>
    Array.prototype.findIndex.call(values, (value: number) => value < 0 || value >= end);
  const at = outside(tokens!.data, codes);
  if (at >= 0)
    throw new RangeError(
      `${path}: expected tokens from 0 to ${codes - 1}, got ${tokens!.data[at]}; the file is damaged`,
    );
  const word = outside(words!.data, vocabulary.length);
  if (word >= 0)
    throw new RangeError(
      `${path}: expected words from 0 to ${vocabulary.length - 1}, got ${words!.data[word]}; the file is damaged`,
    );
}
