/** Starts a new run from a model that was trained before, also one of other words or position methods. */
import type { Model } from '../generators/model.ts';
import type { HostTensor, HostTensors } from '../tensor/program.ts';

const WORDS = 'y_embedder.embedding_table.weight';

export type Reuse = {
  /** All weights of the new network. */
  readonly weights: HostTensors;
  /** Names of tensors taken as they are. */
  readonly reused: readonly string[];
  /** Words whose embeddings were taken, of how many, where the vocabularies differ. */
  readonly words?: { readonly reused: number; readonly of: number };
  /** Names of tensors that the model has not, or has in another shape: they start anew. */
  readonly fresh: readonly string[];
};

/** Takes what fits of `model` into the `fresh` weights of a network with this vocabulary. */
export function reuseWeights(
  fresh: HostTensors,
  { card, weights: given }: Model,
  vocabulary: readonly string[],
): Reuse {
  const weights: Record<string, HostTensor> = {};
  const reused: string[] = [];
  const anew: string[] = [];
  let words: Reuse['words'];
  const sameWords = vocabulary.join('\n') === card.vocabulary.join('\n');
  for (const [name, tensor] of Object.entries(fresh)) {
    const old = given[name];
    if (name === WORDS && old && !sameWords && old.shape[1] === tensor.shape[1]) {
      const table = joinWords(tensor, old, vocabulary, card.vocabulary);
      weights[name] = table.tensor;
      words = { reused: table.reused, of: vocabulary.length };
      continue;
    }
    const fits = old !== undefined && old.shape.join() === tensor.shape.join();
    weights[name] = fits ? old : tensor;
    (fits ? reused : anew).push(name);
  }
  return { weights, reused, fresh: anew, ...(words ? { words } : {}) };
}

/** The embeddings of words that both know. */
function joinWords(
  fresh: HostTensor,
  old: HostTensor,
  vocabulary: readonly string[],
  known: readonly string[],
): { tensor: HostTensor; reused: number } {
  const width = fresh.shape[1]!;
  const data = Float32Array.from(fresh.data);
  const rows = new Map(known.map((word, row) => [word, row]));
  let reused = 0;
  for (const [row, word] of vocabulary.entries()) {
    const from = rows.get(word);
    if (from === undefined) continue;
    data.set(old.data.subarray(from * width, (from + 1) * width), row * width);
    reused++;
  }
  return { tensor: { data, shape: fresh.shape }, reused };
}
