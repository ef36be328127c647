/** A model of 10,000 random weights: what it draws means nothing, but depends on every input. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIT_PRESETS } from '../../generators/dit-config.ts';
import { FIT_PRESETS } from '../../generators/fit-config.ts';
import {
  type DiTCard,
  type FiTCard,
  layoutOf,
  type Model,
  type ModelCard,
  writeModel,
} from '../../generators/model.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';

const VOCABULARY = [
  'glasses=no',
  'glasses=yes',
  'hair color=blue',
  'hair color=red',
  'style=cat',
  'style=robot',
];

export function tinyCard(changes: Partial<DiTCard> = {}): Omit<DiTCard, 'digest'> {
  return {
    version: 1,
    id: 'tiny',
    title: 'Tiny',
    architecture: 'dit',
    config: {
      ...DIT_PRESETS.avatars,
      patch: 4,
      width: 32,
      depth: 2,
      heads: 2,
      hidden: 48,
      condition: { words: VOCABULARY.length },
      context: { tokens: 2, start: 1 },
    },
    positions: { embed: 'sincos2d', rotate: { method: 'axial', base: 100 } as { method: string } },
    objective: { prediction: 'clean', schedule: 'flow' },
    trained: { height: 16, width: 16 },
    largestSide: 64,
    vocabulary: VOCABULARY,
    styles: {
      'style=cat': VOCABULARY.filter((word) => word !== 'style=robot'),
      'style=robot': ['glasses=no', 'glasses=yes', 'style=robot'],
    },
    sampling: { solver: 'euler', steps: 3, guidance: 2, shift: 1 },
    data: 'none',
    licence: 'CC0-1.0',
    ...changes,
  };
}

/** `scale` 0 makes a network that predicts zero. */
export function tinyModel(changes: Partial<DiTCard> = {}, scale = 0.3) {
  const card: DiTCard = { ...tinyCard(changes), digest: '0'.repeat(64) };
  return { card, weights: randomWeights(card, scale) };
}

/** The same in FiT's architecture. */
export function tinyFiT(): Model {
  const config = { ...FIT_PRESETS['avatars-fit'], patch: 4, width: 32, depth: 2, heads: 2 };
  const condition = { words: VOCABULARY.length };
  const card: FiTCard = {
    ...tinyCard({ positions: { rotate: 'axial' } }),
    ...{ architecture: 'fit', config: { ...config, hidden: 48, lora: 8, condition } },
    digest: '0'.repeat(64),
  };
  return { card, weights: randomWeights(card, 0.3) };
}

const randomWeights = (card: ModelCard, scale: number): HostTensors =>
  Object.fromEntries(
    Object.entries(layoutOf(card).shapes).map(([name, shape]) => {
      const draw = createRng(5).stream(name);
      return [name, { data: draw.normals(sizeOf(shape)).map((v) => v * scale), shape }];
    }),
  );

/** Writes it under `parent`, which then is a folder of models. */
export async function writeTinyModel(
  parent: string,
  changes: Partial<DiTCard> = {},
  scale?: number,
) {
  const { card, weights } = tinyModel(changes, scale);
  const { digest: _, ...rest } = card;
  const folder = join(parent, card.id);
  const written = await writeModel(folder, rest, weights, 'F32');
  await writeFile(join(folder, 'README.md'), '# Tiny\n');
  return { folder, card: written };
}
