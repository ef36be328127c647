/**
 * A model on disk: `<folder>/{model.safetensors, model.json, README.md}`. The card, model.json, says
 * everything that is needed to run the weights and nothing about how they came to be run.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import { type Grid, raster } from '../encoders/positions/grid.ts';
import type { Registry } from '../encoders/positions/registry.ts';
import { checkSchema } from '../schema.ts';
import type { HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import {
  checkTensors,
  readSafetensors,
  type StoredType,
  writeSafetensors,
} from '../tensor/safetensors.ts';
import { type DiTConfig, DiTSchema } from './dit-config.ts';
import { shapesOfDiT } from './dit-weights.ts';
import { type FiTConfig, FiTSchema } from './fit-config.ts';
import { shapesOfFiT } from './fit-weights.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });
const Choice = Type.Union([Type.String(), Type.Object({ method: Type.String() })]);
const Choices = Type.Union([Choice, Type.Array(Choice)]);

export const PositionSchema = Type.Object(
  {
    coordinates: Type.Optional(Choice),
    embed: Type.Optional(Choices),
    rotate: Type.Optional(Choice),
    bias: Type.Optional(Choices),
    score: Type.Optional(Choice),
    extend: Type.Optional(Choices),
  },
  exact,
);

/** What the network's output is and how noise is mixed into pictures. */
export const ObjectiveSchema = Type.Object(
  {
    prediction: Type.Union([
      Type.Literal('clean'),
      Type.Literal('velocity'),
      Type.Literal('noise'),
    ]),
    schedule: Type.Union([
      Type.Literal('flow'),
      Type.Literal('gvp'),
      Type.Literal('linear'),
      Type.Literal('cosine'),
    ]),
    /** Of `velocity`: also one minus the cosine between channels. */
    cosine: Type.Optional(Type.Boolean()),
    /** Of `clean`: the smallest t that its error is divided by. Default 0.05. */
    least: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  },
  exact,
);
export type ObjectiveConfig = Static<typeof ObjectiveSchema>;

/** What a network that is told sizes is told (encoders/conditioning/micro.ts). */
export const ToldSchema = Type.Union([
  Type.Literal('asked'),
  Type.Literal('trained'),
  Type.Literal('nothing'),
]);

/** How pictures are drawn unless it is said otherwise. */
export const SamplingSchema = Type.Object(
  {
    solver: Type.String(),
    steps: Count,
    guidance: Type.Number({ minimum: 0 }),
    shift: Type.Number({ exclusiveMinimum: 0 }),
    /** Of a network that is told sizes. Default: asked. */
    micro: Type.Optional(ToldSchema),
  },
  exact,
);

/** What made the weights. */
export const TrainedBySchema = Type.Object(
  {
    /** Pictures that were learnt from; one that came again counts again. */
    pictures: Count,
    /** Of the steps alone: pauses and what was looked at on the way do not count. */
    hours: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  },
  exact,
);
export type TrainedBy = Static<typeof TrainedBySchema>;

const FIELDS = {
  version: Type.Literal(1),
  id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
  title: Type.String(),
  positions: PositionSchema,
  objective: ObjectiveSchema,
  /** Size in pixels that it was trained on. */
  trained: Type.Object({ height: Count, width: Count }, exact),
  /** All sizes [height, width] that it saw in training, where they are several. */
  sizes: Type.Optional(Type.Array(Type.Tuple([Count, Count]))),
  /** Sizes it accepts: sides are multiples of the patch, up to this many pixels. */
  largestSide: Count,
  /** "attribute=value" by id, or names of classes. */
  vocabulary: Type.Array(Type.String()),
  /** The words that each style was trained with, by the style's own word. */
  styles: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  sampling: SamplingSchema,
  data: Type.String(),
  training: Type.Optional(TrainedBySchema),
  licence: Type.String(),
  /** SHA-256 of model.safetensors, hexadecimal. */
  digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** Measured results, printed as they are. */
  numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
};
export const DiTCard = Type.Object(
  { ...FIELDS, architecture: Type.Literal('dit'), config: DiTSchema },
  exact,
);
export const FiTCard = Type.Object(
  { ...FIELDS, architecture: Type.Literal('fit'), config: FiTSchema },
  exact,
);
export type DiTCard = Static<typeof DiTCard>;
export type FiTCard = Static<typeof FiTCard>;
/** The card of a diffusion model: DiT's, or FiT's. */
export type ModelCard = DiTCard | FiTCard;
export type Model = {
  readonly card: ModelCard;
  readonly weights: HostTensors;
  /** Where its position methods are looked up. Default: those that ship. */
  readonly registry?: Registry;
};

/** The grid of tokens of a picture of this many pixels. */
export const gridOf = (
  { patch }: { patch: number },
  { height, width }: { height: number; width: number },
): Grid => raster(height / patch, width / patch);

type Network = Pick<DiTCard, 'architecture' | 'config'> | Pick<FiTCard, 'architecture' | 'config'>;

/** Position methods and weights' shapes of a card. */
export function layoutOf(
  card: Network & {
    readonly trained: ModelCard['trained'];
    readonly positions: ModelCard['positions'] | PositionConfig;
  },
  registry?: Registry,
) {
  const { config, positions: choice, trained } = card;
  const { width, heads, depth } = config;
  const positions = composePositions(
    choice as PositionConfig,
    { width, heads, depth, trained: gridOf(config, trained) },
    registry,
  );
  const learned = Object.entries(positions.init(createRng(0)));
  const shapes = {
    ...(card.architecture === 'dit'
      ? shapesOfDiT(card.config as DiTConfig, positions.projectedHeads)
      : shapesOfFiT(card.config as FiTConfig, positions.projectedHeads)),
    ...Object.fromEntries(learned.map(([name, { shape }]) => [name, [...shape]])),
  };
  return { positions, shapes };
}

export const readCard = async (folder: string): Promise<ModelCard> =>
  parseCard(await readCardFile(folder), join(folder, 'model.json'));

/** Checked by the schema of its architecture; a value that names none is checked as DiT's. */
export function parseCard(value: unknown, where: string): ModelCard {
  const { architecture } = (value ?? {}) as { readonly architecture?: unknown };
  return checkSchema(architecture === 'fit' ? FiTCard : DiTCard, value, where);
}

/** The card of a diffusion transformer on a grid; throws for others. */
export function ditCard(card: ModelCard): DiTCard {
  if (card.architecture === 'dit') return card;
  throw new RangeError(
    `model: expected a diffusion transformer (dit), got '${card.id}', which is of ${card.architecture}; name another`,
  );
}

/** The JSON of a model's card, not checked. */
export async function readCardFile(folder: string): Promise<unknown> {
  const path = join(folder, 'model.json');
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(
      `model: expected a model folder with model.json, got '${folder}'; name one that \`ropewalk models\` lists`,
    );
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(
      `${path}: expected JSON, got something that cannot be read; restore the file`,
    );
  }
}

/** Reads and checks a model; weights come as float32. A model with methods of one's own needs their registry. */
export async function readModel(
  folder: string,
  { registry }: Pick<Model, 'registry'> = {},
): Promise<Model> {
  const card = await readCard(folder);
  const path = join(folder, 'model.safetensors');
  await checkDigest(path, card.digest);
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, layoutOf(card, registry).shapes);
  return { card, weights: tensors, ...(registry ? { registry } : {}) };
}

/** Writes weights, then the card with their digest, so that a card never names weights that are not there. */
export async function writeModel<Card extends ModelCard>(
  folder: string,
  card: Omit<Card, 'digest'>,
  weights: HostTensors,
  dtype: Extract<StoredType, 'F32' | 'F16'> = 'F16',
): Promise<Card> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  await writeSafetensors(path, weights, { dtype });
  const complete = { ...card, digest: await digestOf(path) } as Card;
  await writeFile(join(folder, 'model.json'), `${JSON.stringify(complete, null, 2)}\n`);
  return complete;
}

/** Throws unless the weights are those of the card. */
export async function checkDigest(path: string, expected: string): Promise<void> {
  const digest = await digestOf(path).catch(({ code }) => {
    throw new RangeError(`${path}: expected weights to read, got ${code}; restore the file`);
  });
  if (digest === expected) return;
  throw new RangeError(
    `${path}: expected SHA-256 ${expected} as in model.json, got ${digest}; the file was changed or damaged`,
  );
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
