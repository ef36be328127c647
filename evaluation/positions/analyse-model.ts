/** What a model's blocks know of places, on noisy drawings of each size: one row a block. */
import { bagOfWords } from '../../encoders/conditioning/attributes.ts';
import { extentOf } from '../../encoders/positions/grid.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { ditCard, gridOf, layoutOf, type Model, type ModelCard } from '../../generators/model.ts';
import { fromPicture, type Picture } from '../../png.ts';
import { SCHEDULES } from '../../sampling/diffusion/registry.ts';
import { noise, type Size } from '../../sampling/noise.ts';
import type { Engine, HostTensor } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { attentionReach, type Reach, uniformDistance } from './attention-reach.ts';
import { similarityByDistance } from './nearby.ts';
import { type Inside, type Observed, openObserver } from './observe.ts';
import { type Places, placesOf, type States } from './places.ts';
import { type Probe, probePlaces } from './probe.ts';
import { frequencyUse, positionalHeads, type RankedHead } from './rotary-pairs.ts';
import { meanLogits, nonToeplitzResidual } from './toeplitz.ts';
import { seenTokens, varianceSlope } from './variance-law.ts';

export type BlockPositions = {
  /** In cells, by head. */
  readonly distance: readonly number[];
  readonly entropy: readonly number[];
  readonly probe: Probe;
  /** Mean cosine of states by distance, from 1. */
  readonly similarity: readonly number[];
  readonly residual: number;
  /** Slope of log variance of what attention gives against log place: -1 as means over the past have it. */
  readonly variance: number;
  /** With a rotation that has frequencies. */
  readonly heads?: readonly RankedHead[];
  readonly frequencies?: readonly number[];
};
export type ModelPositions = {
  readonly model: string;
  readonly size: Size;
  readonly pictures: number;
  readonly t: number;
  /** Of uniform attention. */
  readonly uniformDistance: number;
  readonly blocks: readonly BlockPositions[];
};

export type AnalyseModelOptions = {
  readonly engine: Engine;
  readonly model: Model;
  /** Drawings of one size and their words' ids. */
  readonly drawings: readonly Picture[];
  readonly words: readonly (readonly number[])[];
  /** How noisy they are made: 1 is pure noise. */
  readonly t?: number;
  /** Numbers of logits and attention that are kept at once: more pictures are looked at in parts. */
  readonly kept?: number;
};

/** 256 MB of them. */
const KEPT = 2 ** 26;

/** Throws for pictures of one token, which has no other to be away from. */
export function checkPlaces({ id, config }: ModelCard, { width, height }: Size): void {
  if (width > config.patch || height > config.patch) return;
  throw new RangeError(
    `positions: expected a size of more than one token, got ${width}x${height}, which is one of '${id}'; take a larger size`,
  );
}

export async function analyseModel({
  engine,
  model,
  drawings,
  words,
  t = 0.5,
  kept = KEPT,
}: AnalyseModelOptions): Promise<ModelPositions> {
  const config = ditCard(model.card).config as DiTConfig;
  const { height, width } = drawings[0]!;
  const grid = gridOf(config, { height, width });
  const sides = extentOf(grid);
  const places = placesOf(sides.height, sides.width);
  const each = 2 * config.depth * config.heads * places.count ** 2;
  const rows = partOf(drawings.length, kept / each);
  const given = (first: number): Observed => {
    const part = [first, first + rows] as const;
    return {
      x: noisy(model, drawings.slice(...part), { t, first }),
      t: { data: new Float32Array(rows).fill(t), shape: [rows] },
      condition: conditionOf(config, words.slice(...part)),
    };
  };
  const observer = await openObserver(engine, model, given(0));
  const parts: Looked[][] = [];
  for (let first = 0; first < drawings.length; first += rows) {
    const inside = await observer.see(given(first));
    parts.push(inside.map((block) => lookAt(block, places)));
  }
  await observer.dispose();
  const turns = layoutOf(model.card, model.registry).positions.place(grid, 'sample', { t });
  const blocks = parts[0]!.map((_, layer) => joined(parts.map((part) => part[layer]!)));
  return {
    ...{ model: model.card.id, size: { width, height }, pictures: drawings.length, t },
    uniformDistance: uniformDistance(places),
    blocks: blocks.map((block) => blockPositions(block, places, turns.frequencies !== undefined)),
  };
}

/** The largest number of equal parts' pictures that is no more than `most`, at least one. */
function partOf(pictures: number, most: number): number {
  for (let rows = pictures; rows > 1; rows--)
    if (pictures % rows === 0 && rows <= most) return rows;
  return 1;
}

/** What is kept of a part of the pictures: states as they are, of attention what its means need. */
type Looked = Pick<Inside, 'hidden' | 'q' | 'k' | 'out'> & {
  readonly reach: Reach;
  /** Mean logits, [T, T]. */
  readonly logits: ArrayLike<number>;
};

const lookAt = ({ attention, logits, ...states }: Inside, places: Places): Looked => ({
  ...states,
  reach: attentionReach(attention.data, states.q.shape[2]!, places),
  logits: meanLogits(logits.data, places.count),
});

/** Of parts of as many pictures each. */
function joined(parts: readonly Looked[]): Looked {
  const along = (name: 'hidden' | 'q' | 'k' | 'out'): HostTensor => {
    const [first] = parts as [Looked];
    const each = first[name].data.length;
    const data = new Float32Array(parts.length * each);
    for (const [i, part] of parts.entries()) data.set(part[name].data, i * each);
    const [rows, ...rest] = first[name].shape as [number, ...number[]];
    return { data, shape: [parts.length * rows, ...rest] };
  };
  const mean = (of: (part: Looked) => ArrayLike<number>): number[] =>
    Array.from(of(parts[0]!), (_, i) =>
      parts.reduce((sum, part) => sum + of(part)[i]! / parts.length, 0),
    );
  return {
    ...{ hidden: along('hidden'), q: along('q'), k: along('k'), out: along('out') },
    reach: {
      distance: mean(({ reach }) => reach.distance),
      entropy: mean(({ reach }) => reach.entropy),
    },
    logits: mean(({ logits }) => logits),
  };
}

function blockPositions(block: Looked, places: Places, turns: boolean): BlockPositions {
  const { hidden, q, k, out, logits, reach } = block;
  const [pictures, tokens, width] = hidden.shape as [number, number, number];
  const [, , heads, headSize] = q.shape as [number, number, number, number];
  const states: States = { data: hidden.data, pictures, tokens, width };
  const given: States = { data: out.data, pictures, tokens, width: out.shape[2]! };
  const turned = { q: q.data, k: k.data, heads, headSize, places };
  return {
    ...reach,
    probe: probePlaces(states, places),
    similarity: similarityByDistance(states, places),
    residual: nonToeplitzResidual(logits, places),
    variance: varianceSlope(given, seenTokens(logits, tokens)),
    ...(turns ? { heads: positionalHeads(turned), frequencies: frequencyUse(turned) } : {}),
  };
}

/** Each drawing with its own noise, as the schedule mixes them at t; `first` is the number of the first. */
function noisy(
  { card }: Model,
  drawings: readonly Picture[],
  { t, first }: { readonly t: number; readonly first: number },
): HostTensor {
  const { height, width } = drawings[0]!;
  const schedule = SCHEDULES[card.objective.schedule]();
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  const each = height * width * 3;
  const data = new Float32Array(drawings.length * each);
  for (const [i, drawing] of drawings.entries()) {
    const own = noise(createRng(first + i), { height, width, channels: 3 }, card.trained);
    data.set(
      fromPicture(drawing).map((value, at) => alpha * value + sigma * own[at]!),
      i * each,
    );
  }
  return { data, shape: [drawings.length, height, width, 3] };
}

function conditionOf({ condition }: DiTConfig, words: readonly (readonly number[])[]): HostTensor {
  if ('words' in condition)
    return bagOfWords(
      words.map((ids) => ids.map((id) => ({ id }))),
      condition.words,
    );
  return { data: Int32Array.from(words, ([id]) => id ?? condition.classes), shape: [words.length] };
}
