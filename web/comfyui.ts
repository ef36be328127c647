/**
 * What a ComfyUI graph says, read from the sampling node back along its links. The graph is data from a
 * stranger: links may be missing, circular or thousands long.
 */
import { type Facts, factsIn } from './infotext.ts';

type Node = { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> };
type Graph = ReadonlyMap<string, Node>;

const MOST_NODES = 1000;

export function comfyFacts(value: Readonly<Record<string, unknown>>): Facts {
  const graph: Graph = new Map(
    Object.entries(value)
      .slice(0, MOST_NODES)
      .flatMap(([id, node]) => (isNode(node) ? [[id, node] as const] : [])),
  );
  const sampler = [...graph.values()].find(
    ({ inputs }) => 'positive' in inputs && ('seed' in inputs || 'noise_seed' in inputs),
  );
  const along = (inputs: Node['inputs'], key: string, wanted: string) =>
    findInput(graph, inputs[key], wanted, new Set());
  const inputs = sampler?.inputs ?? {};
  return factsIn(
    {
      ...inputs,
      seed: inputs.seed ?? inputs.noise_seed,
      prompt: along(inputs, 'positive', 'text'),
      negative: along(inputs, 'negative', 'text'),
      width: along(inputs, 'latent_image', 'width'),
      height: along(inputs, 'latent_image', 'height'),
      model: along(inputs, 'model', 'ckpt_name') ?? along(inputs, 'model', 'unet_name'),
    },
    {
      Prompt: 'prompt',
      'Negative prompt': 'negative',
      Steps: 'steps',
      Sampler: 'sampler_name',
      'Schedule type': 'scheduler',
      'CFG scale': 'cfg',
      Seed: 'seed',
      width: 'width',
      height: 'height',
      Model: 'model',
    },
  );
}

function isNode(value: unknown): value is Node {
  const { class_type, inputs } = (value ?? {}) as Partial<Node>;
  return typeof class_type === 'string' && typeof inputs === 'object' && inputs !== null;
}

/** The nearest text or number called `wanted` behind a link `[id of a node, output]`. */
function findInput(graph: Graph, link: unknown, wanted: string, seen: Set<string>): unknown {
  const queue = [link];
  for (let at = 0; at < queue.length; at++) {
    const next = queue[at];
    if (!Array.isArray(next) || typeof next[0] !== 'string' || seen.has(next[0])) continue;
    seen.add(next[0]);
    const inputs = graph.get(next[0])?.inputs ?? {};
    if (typeof inputs[wanted] === 'string' || typeof inputs[wanted] === 'number')
      return inputs[wanted];
    queue.push(...Object.values(inputs));
  }
  return undefined;
}
