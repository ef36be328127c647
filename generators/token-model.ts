/**
 * An autoregressive model on disk: `<folder>/{model.safetensors, model.json, README.md}`, told from other
 * models by its architecture, and the tokenizer whose codes it predicts: beside it under the
 * tokenizer's own name, or inside as `tokenizer`.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import { type Grid, raster } from '../encoders/positions/grid.ts';
import { checkSchema } from '../schema.ts';
import type { HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { checkTensors, readSafetensors, writeSafetensors } from '../tensor/safetensors.ts';
import type { ARConfig } from './ar-config.ts';
import { shapesOfAR } from './ar-weights.ts';
import {
  checkDigest,
  digestOf,
  type ModelCard,
  PositionSchema,
  parseCard,
  readCardFile,
  TrainedBySchema,
} from './model.ts';
import { readTokenizer, type TokenizerModel } from './tokenizer-card.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });

export const ARSchema = Type.Object(
  {
    codes: Type.Integer({ minimum: 2 }),
    width: Count,
    depth: Count,
    heads: Count,
    hidden: Count,
    condition: Type.Union([
      Type.Object({ classes: Count }, exact),
      Type.Object(
        {
          words: Count,
          tokens: Count,
          slots: Type.Optional(
            Type.Unsafe<readonly number[]>(Type.Array(Type.Integer({ minimum: 0 }))),
          ),
        },
        exact,
      ),
      Type.Object({ text: Count, tokens: Count }, exact),
    ]),
  },
  exact,
);

/** How tokens are drawn where a request does not say. */
export const TokenSampling = Type.Object(
  {
    decoder: Type.String(),
    temperature: Type.Number({ minimum: 0 }),
    topK: Type.Optional(Count),
    topP: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    minP: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    /** 1 is no guidance. */
    guidance: Type.Number({ minimum: 0 }),
  },
  exact,
);
export type TokenSampling = Static<typeof TokenSampling>;

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** What guesses its tokens besides what every model has; `ropewalk drafters` writes it. */
export const Drafters = Type.Object(
  {
    /** A smaller model of the same codes and words: inside as `drafter`, or beside under its id. */
    network: Type.Optional(Type.Object({ id: Type.String(), digest: Digest }, exact)),
    /** What followed its hidden states in pictures: `retrieval.safetensors` inside. */
    retrieval: Type.Optional(Type.Object({ digest: Digest }, exact)),
    /** A network that guesses several tokens a pass: `block.safetensors` inside. */
    block: Type.Optional(Type.Object({ digest: Digest }, exact)),
  },
  exact,
);
export type Drafters = Static<typeof Drafters>;

export const TokenCard = Type.Object(
  {
    version: Type.Literal(1),
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    title: Type.String(),
    architecture: Type.Literal('ar'),
    config: ARSchema,
    positions: PositionSchema,
    /** Whose codes it predicts: id, SHA-256 of the weights, pixels a token. */
    tokenizer: Type.Object({ id: Type.String(), digest: Digest, factor: Count }, exact),
    /** The size in pixels that it was trained on, and draws. */
    trained: Type.Object({ height: Count, width: Count }, exact),
    /** "attribute=value" by id. */
    vocabulary: Type.Array(Type.String()),
    /** The words that each style was trained with, by the style's own word. */
    styles: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    sampling: TokenSampling,
    drafters: Type.Optional(Drafters),
    data: Type.String(),
    training: Type.Optional(TrainedBySchema),
    licence: Type.String(),
    /** SHA-256 of model.safetensors, hexadecimal. */
    digest: Digest,
    /** Measured results, printed as they are. */
    numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
  },
  exact,
);
export type TokenCard = Static<typeof TokenCard>;
export type TokenGenerator = {
  readonly card: TokenCard;
  readonly weights: HostTensors;
  readonly tokenizer: TokenizerModel;
};

/** The grid of tokens of a model's pictures. */
export const tokenGridOf = ({
  trained: { height, width },
  tokenizer: { factor },
}: Pick<TokenCard, 'trained' | 'tokenizer'>): Grid => raster(height / factor, width / factor);

/** Position methods and weights' shapes. */
export function layoutOfAR(config: ARConfig, choice: PositionConfig, trained: Grid) {
  for (const hook of ['bias', 'score'] as const)
    if (choice[hook] !== undefined)
      throw new RangeError(
        `positions.${hook}: expected none for an autoregressive model, whose tokens are placed one by one, got ${JSON.stringify(choice[hook])}`,
      );
  const { width, heads, depth } = config;
  const positions = composePositions(choice, { width, heads, depth, trained });
  if (positions.timed || Object.keys(positions.init(createRng(0))).length > 0)
    throw new RangeError(
      `positions: expected methods without weights and times for an autoregressive model, got ${JSON.stringify(choice)}`,
    );
  return { positions, shapes: shapesOfAR(config) };
}

export type AnyCard = ModelCard | TokenCard;

/** The card of a model of any architecture. */
export async function readAnyCard(folder: string): Promise<AnyCard> {
  const value = await readCardFile(folder);
  const isToken = (value as { architecture?: unknown } | null)?.architecture === 'ar';
  const where = join(folder, 'model.json');
  return isToken ? checkSchema(TokenCard, value, where) : parseCard(value, where);
}

/** The card of a diffusion model; throws for others. */
export function diffusionCard(card: AnyCard): ModelCard {
  if (card.architecture !== 'ar') return card;
  throw new RangeError(
    `model: expected a diffusion model, got '${card.id}', which draws tokens; name another with --model`,
  );
}

/** Reads and checks model and tokenizer; weights come as float32. */
export async function readTokenGenerator(folder: string, card: TokenCard): Promise<TokenGenerator> {
  const path = join(folder, 'model.safetensors');
  await checkDigest(path, card.digest);
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, shapesOfAR(card.config as ARConfig), path);
  return { card, weights: tensors, tokenizer: await tokenizerOf(folder, card) };
}

async function tokenizerOf(folder: string, { id, tokenizer }: TokenCard): Promise<TokenizerModel> {
  const places = [join(folder, 'tokenizer'), join(folder, '..', tokenizer.id)];
  const found = places.find((place) => existsSync(join(place, 'tokenizer.json')));
  if (found === undefined)
    throw new Error(
      `model '${id}': expected its tokenizer '${tokenizer.id}' in ${places.join(' or ')}, got none; put it there`,
    );
  const read = await readTokenizer(found);
  if (read.card.digest !== tokenizer.digest)
    throw new Error(
      `model '${id}': expected a tokenizer with SHA-256 ${tokenizer.digest.slice(0, 12)}..., got '${read.card.id}' with ${read.card.digest.slice(0, 12)}...; its codes mean something else`,
    );
  return read;
}

/** Writes weights in half precision, then the card with their digest. */
export async function writeTokenModel(
  folder: string,
  card: Omit<TokenCard, 'digest'>,
  weights: HostTensors,
): Promise<TokenCard> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  await writeSafetensors(path, weights, { dtype: 'F16' });
  const complete = { ...card, digest: await digestOf(path) };
  await writeFile(join(folder, 'model.json'), `${JSON.stringify(complete, null, 2)}\n`);
  return complete;
}
