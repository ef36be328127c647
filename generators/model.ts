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
import type { DiTConfig } from './dit-config.ts';
import { shapesOfDiT } from './dit-weights.ts';

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

export const DiTSchema = Type.Object(
  {
    patch: Count,
    channels: Count,
    width: Count,
    depth: Count,
    heads: Count,
    condition: Type.Union([
      Type.Object({ classes: Count }, exact),
      Type.Object({ words: Count }, exact),
    ]),
    mlp: Type.Union([Type.Literal('gelu'), Type.Literal('swiglu')]),
    hidden: Count,
    norm: Type.Union([Type.Literal('layer'), Type.Literal('rms')]),
    gain: Type.Boolean(),
    qkNorm: Type.Boolean(),
    shift: Type.Boolean(),
    variance: Type.Boolean(),
    context: Type.Optional(
      Type.Object({ tokens: Count, start: Type.Integer({ minimum: 0 }) }, exact),
    ),
    bottleneck: Type.Optional(Count),
    refiner: Type.Optional(Type.Object({ channels: Count }, exact)),
    micro: Type.Optional(Type.Boolean()),
    timeScale: Type.Number({ exclusiveMinimum: 0 }),
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

export const ModelCard = Type.Object(
  {
    version: Type.Literal(1),
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    title: Type.String(),
    architecture: Type.Literal('dit'),
    config: DiTSchema,
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
    sampling: Type.Object(
      {
        solver: Type.String(),
        steps: Count,
        guidance: Type.Number({ minimum: 0 }),
        shift: Type.Number({ exclusiveMinimum: 0 }),
      },
      exact,
    ),
    data: Type.String(),
    licence: Type.String(),
    /** SHA-256 of model.safetensors, hexadecimal. */
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Measured results, printed as they are. */
    numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))),
  },
  exact,
);
export type ModelCard = Static<typeof ModelCard>;
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

/** Position methods and weights' shapes of a card. */
export function layoutOf(
  {
    config,
    positions: choice,
    trained,
  }: Pick<ModelCard, 'config' | 'trained'> & {
    readonly positions: ModelCard['positions'] | PositionConfig;
  },
  registry?: Registry,
) {
  const { width, heads, depth } = config;
  const positions = composePositions(
    choice as PositionConfig,
    { width, heads, depth, trained: gridOf(config, trained) },
    registry,
  );
  const learned = Object.entries(positions.init(createRng(0)));
  const shapes = {
    ...shapesOfDiT(config as DiTConfig, positions.projectedHeads),
    ...Object.fromEntries(learned.map(([name, { shape }]) => [name, [...shape]])),
  };
  return { positions, shapes };
}

export async function readCard(folder: string): Promise<ModelCard> {
  return checkSchema(ModelCard, await readCardFile(folder), join(folder, 'model.json'));
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
export async function writeModel(
  folder: string,
  card: Omit<ModelCard, 'digest'>,
  weights: HostTensors,
  dtype: Extract<StoredType, 'F32' | 'F16'> = 'F16',
): Promise<ModelCard> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  await writeSafetensors(path, weights, { dtype });
  const complete = { ...card, digest: await digestOf(path) };
  await writeFile(join(folder, 'model.json'), `${JSON.stringify(complete, null, 2)}\n`);
  return complete;
}

/** Throws unless the weights are those of the card. */
export async function checkDigest(path: string, expected: string): Promise<void> {
  const digest = await digestOf(path);
  if (digest === expected) return;
  throw new Error(
    `${path}: expected SHA-256 ${expected} as in model.json, got ${digest}; the file was changed or damaged`,
  );
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
