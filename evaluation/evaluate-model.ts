/**
 * Measures a generator of drawings with known words: are the asked style and attributes found, are there seams or
 * speckle, are pictures copies of training drawings? Every number stands beside the same number of real drawings with the
 * same conditions. One picture a condition; conditions and seeds follow from the weights' digest, so nobody chose them.
 */
import type { AnyCard } from '../generators/token-model.ts';
import type { Picture } from '../png.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { type Attributes, attributesOf, type Reading } from './attributes.ts';
import { combinationIn, wordIds } from './combinations.ts';
import { type Features, kidOfPictures, type PictureKid } from './kid-of-pictures.ts';
import {
  compareDistances,
  type Distance,
  indexTraining,
  type Memorisation,
} from './memorisation.ts';
import { picturesOf, type Reader } from './reader-files.ts';
import {
  type Control,
  compareRates,
  permutedControl,
  type Rates,
  ratesByAttribute,
  scoreReadings,
  shuffled,
} from './reading-rates.ts';
import { compareSeams, type Seams } from './seams.ts';
import { compareSpeckle, type Speckle } from './speckle.ts';

/** Draws one picture for each condition (word ids of the card's vocabulary) with its seed. */
export type Render = (
  conditions: readonly (readonly number[])[],
  seeds: readonly number[],
) => Promise<readonly Picture[]>;

/** How the pictures are made: printed with the numbers. */
export type Made = (
  | { readonly solver: string; readonly steps: number }
  | { readonly decoder: string; readonly temperature: number }
) & {
  readonly guidance: number;
  readonly engine: string;
  readonly dtype: string;
};

export type EvaluateModelOptions = {
  readonly card: Pick<AnyCard, 'id' | 'digest' | 'vocabulary'>;
  /** Pixels a side of what the generator puts together: a token. */
  readonly patch: number;
  readonly render: Render;
  readonly reader: Pick<Reader, 'read'> & {
    readonly card: Pick<Reader['card'], 'id' | 'digest' | 'accuracy' | 'vocabulary'>;
  };
  readonly made: Made;
  /** Real drawings that the generator was not trained on, of the combinations it was trained on. */
  readonly seen: Dataset;
  /** Drawings of combinations that were kept out of training, and these combinations' words. */
  readonly heldOut?: {
    readonly data: Dataset;
    readonly combinations: readonly (readonly string[])[];
  };
  /** What the kernel distance is measured in. Default: it is not. */
  readonly features?: Features;
  /** What it was trained on. Default: memorisation is not measured. */
  readonly training?: Dataset;
  /** Pictures of seen and of held-out combinations. */
  readonly samples?: number;
  readonly heldOutSamples?: number;
  readonly onProgress?: (progress: { stage: string; done: number; of: number }) => void;
  readonly signal?: AbortSignal;
};

/** Conditions, seeds and both sides' pictures: what the numbers are of, and what to look at. */
export type Samples = {
  readonly conditions: readonly (readonly number[])[];
  readonly seeds: readonly number[];
  readonly generated: readonly Picture[];
  readonly real: readonly Picture[];
};

export type Evaluation = {
  readonly model: { readonly id: string; readonly digest: string };
  readonly reader: EvaluateModelOptions['reader']['card']['accuracy'] & {
    readonly id: string;
    readonly digest: string;
  };
  readonly made: Made;
  readonly size: { readonly width: number; readonly height: number };
  readonly patch: number;
  readonly samples: number;
  readonly style: Rates;
  readonly attributes: Rates;
  readonly byAttribute: ReturnType<typeof ratesByAttribute>;
  readonly control: Control;
  readonly seams: Seams;
  readonly speckle: Speckle;
  /** From real drawings of the same words, in these features. */
  readonly kid?: PictureKid & { readonly samples: number };
  readonly heldOut?: {
    readonly samples: number;
    readonly style: Rates;
    readonly attributes: Rates;
    /** All words of the held-out combination, style included, found in one picture. */
    readonly combination: Rates;
  };
  readonly memorisation?: Memorisation;
};

/** Pictures that are drawn between two reports of progress. */
const CHUNK = 32;
/** Pictures of each side whose kernel distance is measured; fewer have no error to say. */
const KID_SAMPLES = { least: 20, most: 1000 };

export async function evaluateModel(
  options: EvaluateModelOptions,
): Promise<{ evaluation: Evaluation; seen: Samples; heldOut?: Samples }> {
  const { card, patch, reader, made, seen: data, heldOut } = options;
  const { samples = 2000, heldOutSamples = 500, features } = options;
  for (const [name, other] of [
    ['reader', reader.card.vocabulary],
    ['drawings', data.vocabulary],
  ] as const)
    checkVocabulary(name, other, card.vocabulary);
  const attributes = attributesOf(card.vocabulary);
  const rng = createRng(BigInt(`0x${card.digest.slice(0, 16)}`)).stream('evaluate');

  const seen = await draw(options, data, samples, rng.stream('seen'));
  const unseen = heldOut && (await draw(options, heldOut.data, heldOutSamples, rng.stream('held')));
  const readings = await readBoth(reader, seen);
  const { real, generated, conditions } = seen;
  const scored = (side: readonly Reading[]) => scoreReadings(attributes, side, conditions);
  const [mine, theirs] = [scored(readings.generated), scored(readings.real)];
  const { width, height } = generated[0]!;
  const { id, digest, accuracy } = reader.card;
  const evaluation: Evaluation = {
    model: { id: card.id, digest: card.digest },
    reader: { id, digest, ...accuracy },
    made,
    size: { width, height },
    patch,
    samples: generated.length,
    style: compareRates(mine, theirs, 'style', rng.stream('style')),
    attributes: compareRates(mine, theirs, 'attributes', rng.stream('attributes')),
    byAttribute: ratesByAttribute(attributes, readings.generated, readings.real, conditions),
    control: permutedControl(attributes, readings.generated, conditions, rng.stream('permuted')),
    seams: compareSeams(generated, real, patch, rng.stream('seams')),
    speckle: compareSpeckle(generated, real, rng.stream('speckle')),
    ...(features && samples >= KID_SAMPLES.least
      ? { kid: await kidOf(features, seen, options) }
      : {}),
    ...(unseen
      ? { heldOut: await measureHeldOut(options, attributes, unseen, rng.stream('held-out')) }
      : {}),
    ...(options.training
      ? { memorisation: memorisationOf(options, attributes, seen, rng.stream('memorisation')) }
      : {}),
  };
  return { evaluation, seen, ...(unseen ? { heldOut: unseen } : {}) };
}

/** Throws unless both have the same words in the same places. */
export function checkVocabulary(
  name: string,
  found: readonly string[],
  wanted: readonly string[],
): void {
  const at = wanted.findIndex((word, i) => word !== found[i]);
  if (at < 0 && found.length === wanted.length) return;
  throw new RangeError(
    `evaluate: expected the vocabulary of the ${name} to be the model's ${wanted.length} words, got ${found.length} words${at < 0 ? '' : ` that differ from '${wanted[at]}' on`}; use a ${name === 'reader' ? 'reader' : 'data set'} of the same version`,
  );
}

/** Real drawings picked at random, and a generated picture for the words of each. */
async function draw(
  { render, onProgress, signal }: EvaluateModelOptions,
  data: Dataset,
  samples: number,
  rng: Rng,
): Promise<Samples> {
  if (!Number.isInteger(samples) || samples < 2 || samples > data.length)
    throw new RangeError(
      `evaluate: expected 2 to ${data.length} samples (the drawings of ${data.name}), got ${samples}`,
    );
  const indices = shuffled(data.length, rng.stream('drawings')).slice(0, samples);
  const conditions = indices.map((index) => data.words(index));
  const seeds = indices.map((_, i) => rng.stream(`seed/${i}`).uint32());
  const generated: Picture[] = [];
  for (let at = 0; at < samples; at += CHUNK) {
    signal?.throwIfAborted();
    const part = [at, at + CHUNK] as const;
    generated.push(...(await render(conditions.slice(...part), seeds.slice(...part))));
    onProgress?.({ stage: `draw ${data.name}`, done: generated.length, of: samples });
  }
  return { conditions, seeds, generated, real: picturesOf(data, indices) };
}

const readBoth = async (
  { read }: Pick<Reader, 'read'>,
  { generated, real }: Samples,
): Promise<{ generated: Reading[]; real: Reading[] }> => ({
  generated: await read(generated),
  real: await read(real),
});

async function kidOf(
  features: Features,
  { generated, real }: Samples,
  { onProgress, signal }: EvaluateModelOptions,
): Promise<NonNullable<Evaluation['kid']>> {
  const samples = Math.min(generated.length, KID_SAMPLES.most);
  const distance = await kidOfPictures(
    features,
    generated.slice(0, samples),
    real.slice(0, samples),
    { signal, onRead: (done) => onProgress?.({ stage: features.name, done, of: 2 * samples }) },
  );
  return { ...distance, samples };
}

async function measureHeldOut(
  { reader, heldOut, card }: EvaluateModelOptions,
  attributes: Attributes,
  samples: Samples,
  rng: Rng,
): Promise<NonNullable<Evaluation['heldOut']>> {
  const combinations = wordIds(heldOut!.combinations, card.vocabulary);
  const asked = samples.conditions.map((words) => combinationIn(words, combinations) ?? []);
  const { generated, real } = await readBoth(reader, samples);
  const scored = (side: readonly Reading[]) =>
    scoreReadings(attributes, side, samples.conditions, asked);
  const [mine, theirs] = [scored(generated), scored(real)];
  return {
    samples: generated.length,
    style: compareRates(mine, theirs, 'style', rng.stream('style')),
    attributes: compareRates(mine, theirs, 'attributes', rng.stream('attributes')),
    combination: compareRates(mine, theirs, 'combination', rng.stream('combination')),
  };
}

/** Distances to training drawings of the asked style. */
function memorisationOf(
  { training, onProgress }: EvaluateModelOptions,
  attributes: Attributes,
  { conditions, generated, real }: Samples,
  rng: Rng,
): Memorisation {
  const index = indexTraining(training!, attributes);
  const distances: { generated: Distance[]; real: Distance[] } = { generated: [], real: [] };
  for (const [i, words] of conditions.entries()) {
    distances.generated.push(index.nearest(generated[i]!, words));
    distances.real.push(index.nearest(real[i]!, words));
    if (i % CHUNK === 0 || i + 1 === conditions.length)
      onProgress?.({ stage: 'nearest training drawings', done: i + 1, of: conditions.length });
  }
  return compareDistances(index, distances.generated, distances.real, rng);
}
