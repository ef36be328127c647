/** A reader on disk: `<folder>/{reader.safetensors, reader.json, README.md}`. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { fromPicture, type Picture } from '../png.ts';
import { checkSchema } from '../schema.ts';
import type { Engine, HostTensors } from '../tensor/program.ts';
import { checkTensors, readSafetensors, writeSafetensors } from '../tensor/safetensors.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { attributesOf, type Reading, readingOf } from './attributes.ts';
import { forwardReader, shapesOfReader } from './reader.ts';
import { scoreReadings } from './reading-rates.ts';

const exact = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 1 });
const Share = Type.Number({ minimum: 0, maximum: 1 });

export const ReaderNetwork = Type.Object(
  {
    size: Type.Integer({ minimum: 16, multipleOf: 16 }),
    stem: Count,
    width: Count,
    depth: Count,
    tokenHidden: Count,
    hidden: Count,
    summary: Count,
    head: Count,
  },
  exact,
);

export const ReaderCard = Type.Object(
  {
    version: Type.Literal(1),
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]*$' }),
    network: ReaderNetwork,
    vocabulary: Type.Array(Type.String()),
    /** What it was trained on. */
    data: Type.String(),
    licence: Type.String(),
    /** On real drawings that it was not trained on. */
    accuracy: Type.Object(
      { pictures: Count, style: Share, attributes: Share, guessed: Share },
      exact,
    ),
    /** SHA-256 of reader.safetensors, hexadecimal. */
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  exact,
);
export type ReaderCard = Static<typeof ReaderCard>;

export type Reader = {
  readonly card: ReaderCard;
  read(pictures: readonly Picture[]): Promise<Reading[]>;
  dispose(): Promise<void>;
};

/** Pictures that a program reads at once. */
const BATCH = 32;

/** Compiles a reader; dispose of it after use. */
export async function createReader<Card extends Pick<ReaderCard, 'network' | 'vocabulary'>>(
  engine: Engine,
  card: Card,
  weights: HostTensors,
): Promise<Omit<Reader, 'card'> & { readonly card: Card }> {
  const { network, vocabulary } = card;
  const { size } = network;
  const attributes = attributesOf(vocabulary);
  const shape = [BATCH, size, size, 3];
  const program = await engine.compile(
    ({ inputs, weights: w }) => ({
      outputs: { logits: forwardReader(network, w, inputs.pictures!) },
    }),
    { inputs: { pictures: { shape } }, weights },
    { name: 'attribute reader' },
  );
  const readBatch = async (pictures: readonly Picture[]): Promise<Reading[]> => {
    const data = new Float32Array(BATCH * size * size * 3);
    for (const [i, picture] of pictures.entries()) {
      if (picture.width !== size || picture.height !== size)
        throw new RangeError(
          `reader: expected pictures of ${size} x ${size} pixels, got ${picture.width} x ${picture.height}; use a reader trained on that size`,
        );
      data.set(fromPicture(picture), i * size * size * 3);
    }
    const { logits } = await program.run({ pictures: { data, shape } });
    const values = logits!.data as Float32Array;
    const row = (i: number) => values.subarray(i * vocabulary.length, (i + 1) * vocabulary.length);
    return pictures.map((_, i) => readingOf(attributes, row(i)));
  };
  return {
    card,
    async read(pictures) {
      const readings: Reading[] = [];
      for (let at = 0; at < pictures.length; at += BATCH)
        readings.push(...(await readBatch(pictures.slice(at, at + BATCH))));
      return readings;
    },
    dispose: () => program.dispose(),
  };
}

/** Reads and checks a reader's folder. */
export async function loadReader(engine: Engine, folder: string): Promise<Reader> {
  const text = await readFile(join(folder, 'reader.json'), 'utf8').catch(() => {
    throw new Error(`reader: expected a folder with reader.json, got '${folder}'; train one first`);
  });
  const card = checkSchema(ReaderCard, JSON.parse(text), join(folder, 'reader.json'));
  const path = join(folder, 'reader.safetensors');
  const digest = await digestOf(path);
  if (digest !== card.digest)
    throw new Error(
      `${path}: expected SHA-256 ${card.digest} as in reader.json, got ${digest}; the file was changed or damaged`,
    );
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, shapesOfReader(card.network, card.vocabulary.length), path);
  return createReader(engine, card, tensors);
}

/** Accuracy on drawings whose words are known; `guessed` is what the commonest value of each attribute would reach. */
export async function readerAccuracy(
  read: Reader['read'],
  data: Dataset,
): Promise<ReaderCard['accuracy']> {
  const attributes = attributesOf(data.vocabulary);
  const conditions = Array.from({ length: data.length }, (_, i) => data.words(i));
  const scores = scoreReadings(attributes, await read(picturesOf(data)), conditions);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const times = new Float64Array(data.vocabulary.length);
  for (const word of conditions.flat()) times[word]!++;
  const others = attributes.words.filter((_, attribute) => attribute !== attributes.style);
  const commonest = sum(others.map((words) => Math.max(...words.map((word) => times[word]!))));
  const asked = sum(scores.map((score) => score.asked));
  return {
    pictures: scores.length,
    style: sum(scores.map(({ style }) => style)) / scores.length,
    attributes: sum(scores.map(({ found }) => found)) / asked,
    guessed: commonest / asked,
  };
}

/** The drawings at `indices` (default: all) as pictures. */
export function picturesOf(
  data: Dataset,
  indices: readonly number[] = Array.from({ length: data.length }, (_, i) => i),
): Picture[] {
  return indices.map((i) => ({ data: data.pixels(i), width: data.size, height: data.size }));
}

/** Writes weights in half precision, then the card with their digest. */
export async function saveReader(
  folder: string,
  card: Omit<ReaderCard, 'digest'>,
  weights: HostTensors,
): Promise<ReaderCard> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'reader.safetensors');
  await writeSafetensors(path, weights, { dtype: 'F16' });
  const complete = { ...card, digest: await digestOf(path) };
  await writeFile(join(folder, 'reader.json'), `${JSON.stringify(complete, null, 2)}\n`);
  return complete;
}

const digestOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
