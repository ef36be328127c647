/** The weights of an autoregressive transformer: names and shapes as in LlamaGen's checkpoints, and new ones. */
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { sizeOf } from '../tensor/shape.ts';
import type { ARConfig, Prefix } from './ar-config.ts';

/** Shapes of all weights but those of position methods. */
export function shapesOfAR(config: ARConfig): Record<string, number[]> {
  const { width: C, depth, hidden, codes } = config;
  const blockShapes = (name: string): Record<string, number[]> => ({
    [`${name}.attention.wqkv.weight`]: [3 * C, C],
    [`${name}.attention.wo.weight`]: [C, C],
    [`${name}.feed_forward.w1.weight`]: [hidden, C],
    [`${name}.feed_forward.w3.weight`]: [hidden, C],
    [`${name}.feed_forward.w2.weight`]: [C, hidden],
    [`${name}.attention_norm.weight`]: [C],
    [`${name}.ffn_norm.weight`]: [C],
  });
  return {
    ...prefixShapes(config.condition, C),
    'tok_embeddings.weight': [codes, C],
    ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => blockShapes(`layers.${i}`))),
    'norm.weight': [C],
    'output.weight': [codes, C],
  };
}

function prefixShapes(condition: Prefix, C: number): Record<string, number[]> {
  const table = 'cls_embedding.embedding_table.weight';
  if ('classes' in condition) return { [table]: [condition.classes + 1, C] };
  if ('words' in condition) {
    checkSlots(condition);
    return { [table]: [condition.words, C], 'cls_embedding.offsets': [condition.tokens, C] };
  }
  const { text, tokens } = condition;
  return {
    /** The features of no text. */
    'cls_embedding.uncond_embedding': [tokens, text],
    'cls_embedding.cap_proj.fc1.weight': [C, text],
    'cls_embedding.cap_proj.fc2.weight': [C, C],
  };
}

/** Throws unless every word has a slot among the tokens. */
function checkSlots({ words, tokens, slots }: Extract<Prefix, { words: number }>): void {
  if (!slots || (slots.length === words && slots.every((slot) => slot >= 0 && slot < tokens)))
    return;
  throw new RangeError(
    `condition.slots: expected one of 0 to ${tokens - 1} for each of ${words} words, got ${slots.length} from ${Math.min(...slots)} to ${Math.max(...slots)}`,
  );
}

/** New weights as LlamaGen's: normal with deviation 0.02, gains 1, and a head of zeros. */
export function initAR(config: ARConfig, rng: Rng): HostTensors {
  return Object.fromEntries(
    Object.entries(shapesOfAR(config)).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      const draw = rng.stream(name);
      if (/norm\.weight$/.test(name)) data.fill(1);
      else if (name.endsWith('uncond_embedding'))
        data.set(draw.normals(data.length).map((v) => v / Math.sqrt(shape[1]!)));
      else if (name !== 'output.weight') data.set(draw.normals(data.length).map((v) => v * 0.02));
      return [name, { data, shape }];
    }),
  );
}
