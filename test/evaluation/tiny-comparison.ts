/** What a comparison over sizes needs, as small as it can be: a model of avatars, a reader and a judge. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initReader } from '../../evaluation/reader.ts';
import { saveReader } from '../../evaluation/reader-files.ts';
import type { DiTCard } from '../../generators/model.ts';
import { createRng } from '../../tensor/rng.ts';
import { Graph } from '../../tensor/trace/graph.ts';
import { encodeModel } from '../../tensor/trace/onnx.ts';
import { loadAvatars } from '../../training/data/avatars.ts';
import { tinyCard, writeTinyModel } from '../pipelines/tiny-model.ts';

/** Into a folder of models, with `pixels.onnx`; returns what is not as in tinyCard. */
export async function writeTinyComparison(folder: string): Promise<Partial<DiTCard>> {
  const { vocabulary } = await loadAvatars();
  const changes: Partial<DiTCard> = {
    ...{ data: 'avatars', vocabulary: [...vocabulary], styles: {} },
    positions: { rotate: 'axial' },
    config: { ...tinyCard().config, condition: { words: vocabulary.length } },
  };
  await writeTinyModel(folder, changes);
  await writeTinyReader(join(folder, 'reader-avatars-16'), [...vocabulary]);
  await writeFile(join(folder, 'pixels.onnx'), pixelsAsFeatures());
  return changes;
}

/** An untrained reader of 16 px: what it says means nothing, but all that is said of it is done. */
function writeTinyReader(folder: string, vocabulary: string[]) {
  const network = {
    ...{ size: 16, stem: 4, width: 8, depth: 1 },
    ...{ tokenHidden: 4, hidden: 8, summary: 2, head: 8 },
  };
  const about = {
    ...{ version: 1 as const, id: 'reader-avatars-16', data: 'avatars', licence: 'CC0-1.0' },
    accuracy: { pictures: 1, style: 0, attributes: 0, guessed: 0 },
  };
  const weights = initReader(network, vocabulary.length, createRng(1));
  return saveReader(folder, { ...about, network, vocabulary }, weights);
}

/** A judge whose features are the colours of 4 x 4 places. */
function pixelsAsFeatures(): Uint8Array {
  const graph = new Graph();
  graph.inputs.push({ name: 'x', type: 'float32', shape: [8, 4, 4, 3] });
  graph.outputs.push({ name: graph.node('Flatten', ['x']), type: 'float32', shape: [8, 48] });
  return encodeModel(graph).model;
}
