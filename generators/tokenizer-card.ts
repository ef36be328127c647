/**
 * A tokenizer on disk: `<folder>/{tokenizer.safetensors, tokenizer.json, README.md}`. The digest of its
 * weights names its codebook: tokens mean something to this file alone.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { type TokenizerConfig, tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import { checkSchema } from '../schema.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import type { HostTensors } from '../tensor/program.ts';
import { checkTensors, readSafetensors, writeSafetensors } from '../tensor/safetensors.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });
const Weight = Type.Number({ minimum: 0 });

const NetworkSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('patch-transformer'),
      patch: Count,
      width: Count,
      depth: Type.Tuple([Count, Count]),
      heads: Count,
      hidden: Count,
    },
    exact,
  ),
  Type.Object(
    {
      kind: Type.Literal('conv'),
      channels: Count,
      multipliers: Type.Array(Count, { minItems: 1 }),
      blocks: Count,
      latent: Count,
      groups: Count,
    },
    exact,
  ),
]);
const QuantiserSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('vq'),
      codes: Type.Integer({ minimum: 2 }),
      width: Count,
      commitment: Weight,
      entropy: Weight,
      codebook: Type.Union([Type.Literal('gradient'), Type.Literal('average')]),
    },
    exact,
  ),
  Type.Object(
    {
      kind: Type.Literal('fsq'),
      levels: Type.Array(Type.Integer({ minimum: 3 }), { minItems: 1 }),
    },
    exact,
  ),
]);
export const TokenizerSchema = Type.Object(
  { network: NetworkSchema, quantiser: QuantiserSchema },
  exact,
);

export const TokenizerCard = Type.Object(
  {
    version: Type.Literal(1),
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    title: Type.String(),
    config: TokenizerSchema,
    /** Size in pixels that it was trained on. */
    trained: Type.Object({ height: Count, width: Count }, exact),
    data: Type.String(),
    licence: Type.String(),
    /** SHA-256 of tokenizer.safetensors, hexadecimal. */
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Measured results, printed as they are. */
    numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
  },
  exact,
);
export type TokenizerCard = Static<typeof TokenizerCard>;
export type TokenizerModel = { readonly card: TokenizerCard; readonly weights: HostTensors };

export async function readTokenizerCard(folder: string): Promise<TokenizerCard> {
  const path = join(folder, 'tokenizer.json');
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(
      `tokenizer: expected a folder with tokenizer.json, got '${folder}'; train one with \`ropewalk train\``,
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError(
      `${path}: expected JSON, got something that cannot be read; restore the file`,
    );
  }
  return checkSchema(TokenizerCard, value, path);
}

/** Reads and checks a tokenizer; weights come as float32. */
export async function readTokenizer(folder: string): Promise<TokenizerModel> {
  const card = await readTokenizerCard(folder);
  const path = join(folder, 'tokenizer.safetensors');
  const digest = await digestOf(path);
  if (digest !== card.digest)
    throw new Error(
      `${path}: expected SHA-256 ${card.digest} as in tokenizer.json, got ${digest}; the file was changed or damaged`,
    );
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, tokenizerParts(configOf(card)).shapes, path);
  return { card, weights: tensors };
}

/** Writes weights in half precision, then the card with their digest. */
export async function writeTokenizer(
  folder: string,
  card: Omit<TokenizerCard, 'digest'>,
  weights: HostTensors,
): Promise<TokenizerCard> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'tokenizer.safetensors');
  await writeSafetensors(path, weights, { dtype: 'F16' });
  const complete = { ...card, digest: await digestOf(path) };
  const text = `${JSON.stringify(complete, null, 2)}\n`;
  await replaceFile(join(folder, 'tokenizer.json'), (file) =>
    writeFully(file, new TextEncoder().encode(text)),
  );
  return complete;
}

/** A checked configuration. */
export const configOf = ({ config }: Pick<TokenizerCard, 'config'>): TokenizerConfig =>
  config as TokenizerConfig;

const digestOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
