/** What a model's blocks know of places, on noisy drawings of each size: one row a block. */
import { bagOfWords } from '../../encoders/conditioning/attributes.ts';
import { extentOf } from '../../encoders/positions/grid.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { ditCard, gridOf, layoutOf, type Model } from '../../generators/model.ts';
import { fromPicture, type Picture } from '../../png.ts';
import { SCHEDULES } from '../../sampling/diffusion/registry.ts';
import { noise } from '../../sampling/noise.ts';
import type { Engine, HostTensor } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { attentionReach, uniformDistance } from './attention-reach.ts';
import { similarityByDistance } from './nearby.ts';
import { type Inside, observeDiT } from './observe.ts';
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
  readonly size: { readonly width: number; readonly height: number };
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
};

export async function analyseModel({
  engine,
  model,
  drawings,
  words,
  t = 0.5,
}: AnalyseModelOptions): Promise<ModelPositions> {
  const config = ditCard(model.card).config as DiTConfig;
  const { height, width } = drawings[0]!;
  const grid = extentOf(gridOf(config, { height, width }));
  const places = placesOf(grid.height, grid.width);
  const inside = await observeDiT(engine, model, {
    x: noisy(model, drawings, t),
    t: { data: new Float32Array(drawings.length).fill(t), shape: [drawings.length] },
    condition: conditionOf(config, words),
  });
  const turns = layoutOf(model.card, model.registry).positions.place(
    gridOf(config, { height, width }),
    'sample',
    { t },
  );
  return {
    ...{ model: model.card.id, size: { width, height }, pictures: drawings.length, t },
    uniformDistance: uniformDistance(places),
    blocks: inside.map((block) => blockPositions(block, places, turns.frequencies !== undefined)),
  };
}

function blockPositions(block: Inside, places: Places, turns: boolean): BlockPositions {
  const { hidden, q, k, logits, attention, out } = block;
  const [pictures, tokens, width] = hidden.shape as [number, number, number];
  const [, , heads, headSize] = q.shape as [number, number, number, number];
  const states: States = { data: hidden.data, pictures, tokens, width };
  const given: States = { data: out.data, pictures, tokens, width: out.shape[2]! };
  const meant = meanLogits(logits.data, tokens);
  const turned = { q: q.data, k: k.data, heads, headSize, places };
  return {
    ...attentionReach(attention.data, heads, places),
    probe: probePlaces(states, places),
    similarity: similarityByDistance(states, places),
    residual: nonToeplitzResidual(meant, places),
    variance: varianceSlope(given, seenTokens(meant, tokens)),
    ...(turns ? { heads: positionalHeads(turned), frequencies: frequencyUse(turned) } : {}),
  };
}

/** Each drawing with its own noise, as the schedule mixes them at t. */
function noisy({ card }: Model, drawings: readonly Picture[], t: number): HostTensor {
  const { height, width } = drawings[0]!;
  const schedule = SCHEDULES[card.objective.schedule]();
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  const each = height * width * 3;
  const data = new Float32Array(drawings.length * each);
  for (const [i, drawing] of drawings.entries()) {
    const own = noise(createRng(i), { height, width, channels: 3 }, card.trained);
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
