/** Makes a reader from its configuration: data, training, accuracy on drawings it never saw, files. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { checkSchema } from '../schema.ts';
import type { Engine } from '../tensor/program.ts';
import { openAvatars } from '../training/data/avatars.ts';
import {
  createReader,
  type ReaderCard,
  ReaderNetwork,
  readerAccuracy,
  saveReader,
} from './reader-files.ts';
import { trainReader } from './reader-training.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });
const Rate = Type.Number({ exclusiveMinimum: 0 });

export const ReaderConfiguration = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    licence: Type.String(),
    data: Type.Object({ set: Type.Literal('avatars'), size: Count, count: Count }, exact),
    /** Drawings that accuracy is measured on. */
    validation: Count,
    training: Type.Object(
      {
        network: ReaderNetwork,
        seed: Type.Integer({ minimum: 0 }),
        batch: Count,
        steps: Count,
        warmup: Type.Integer({ minimum: 0 }),
        rates: Type.Object({ muon: Rate, adamw: Rate }, exact),
        noise: Type.Number({ minimum: 0 }),
        shift: Type.Integer({ minimum: 0 }),
      },
      exact,
    ),
  },
  exact,
);
export type ReaderConfiguration = Static<typeof ReaderConfiguration>;

export async function readReaderConfiguration(path: string): Promise<ReaderConfiguration> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`reader: expected a configuration file, got '${path}', which cannot be read`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${path}: expected JSON, got ${(error as Error).message}`);
  }
  const config = checkSchema(ReaderConfiguration, value, path);
  const { size } = config.data;
  if (config.training.network.size === size) return config;
  throw new RangeError(
    `${path}: expected 'training.network.size' to be data.size, ${size}, got ${config.training.network.size}`,
  );
}

export type ReaderRunOptions = {
  readonly engine: Engine;
  /** Folder for drawn pictures. */
  readonly cache: string;
  /** Folder of checkpoints; a stopped run goes on from the newest. */
  readonly run: string;
  /** Folder that the reader is written to. */
  readonly out: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: { step: number; steps: number; loss: number }) => void;
};

/** The card of the finished reader, or nothing where `signal` stopped its training. */
export async function makeReader(
  config: ReaderConfiguration,
  { engine, cache, run, out, signal, onStep }: ReaderRunOptions,
): Promise<ReaderCard | undefined> {
  const { id, licence, training } = config;
  const { size, count } = config.data;
  const data = await openAvatars({ size, count, split: 'train', cache });
  const unseen = await openAvatars({ size, count: config.validation, split: 'validation', cache });
  const { steps } = training;
  const { weights, step } = await trainReader(training, {
    engine,
    data,
    folder: run,
    ...(signal ? { signal } : {}),
    ...(onStep ? { onStep: (progress) => onStep({ ...progress, steps }) } : {}),
  });
  if (step < steps) return undefined;
  const { network } = training;
  const about = { vocabulary: [...data.vocabulary], data: data.name, licence };
  const card = { version: 1, id, network, ...about } as const;
  const complete = await withAccuracy(engine, card, weights, unseen);
  const saved = await saveReader(out, complete, weights);
  await writeFile(join(out, 'README.md'), readerReadme(saved));
  return saved;
}

async function withAccuracy(
  engine: Engine,
  card: Omit<ReaderCard, 'digest' | 'accuracy'>,
  weights: Parameters<typeof saveReader>[2],
  unseen: Parameters<typeof readerAccuracy>[1],
) {
  const reader = await createReader(engine, card, weights);
  try {
    return { ...card, accuracy: await readerAccuracy(reader.read, unseen) };
  } finally {
    await reader.dispose();
  }
}

function readerReadme({ id, network, data, licence, accuracy, vocabulary, digest }: ReaderCard) {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `# ${id}

Looks at a drawing of ${network.size} x ${network.size} px and says its style and the value of each attribute (${vocabulary.length} words).
It measures generators (\`ropewalk evaluate model\`) and is never part of a loss: trained on real drawings only (\`${data}\`), then frozen.

On ${accuracy.pictures} drawings that it never saw: style ${percent(accuracy.style)}, attributes ${percent(accuracy.attributes)} (always the commonest value: ${percent(accuracy.guessed)}).

Licence: ${licence}; NOTICE credits the drawings. Weights: float16, SHA-256 \`${digest}\`.
`;
}
