/**
 * Ways to grow a tree of drafts. Node 0 is a row's last decided token. Depth stops where the sequence
 * does, and so does the number of drafts: a cache has room for all tokens but the last.
 *
 * - Branches (RSD-C: Jeon et al. 2024, Algorithm 2): every node of a depth has as many children, the
 *   largest log q + Gumbel noise (Gumbel top-k), in that order.
 * - Beams (RSD-S, Algorithm 3; stochastic beam search: Kool et al. 2019, Algorithm 1): the `width` largest of
 *   all drafts of a depth by their perturbed log-probabilities, whose largest among siblings is their
 *   parent's. Given the children of a node so far, whether there is another depends on values only, and
 *   which token it is on what is left of the law: they are draws without replacement, in order.
 * - Search (ADED: Liu et al. 2024): one draft at a time, where the drafter's probability and the visits so
 *   far say so (PUCT: Silver et al. 2017). Chosen, not drawn. Ours: a visit is worth the probability
 *   that the drafts below a node are what follows.
 */
import type { Batch } from './decoder.ts';
import { type Drafter, lawsOf } from './drafters/drafter.ts';
import { gumbels, type Law } from './law.ts';

export type Node = {
  readonly token: number;
  readonly parent: number;
  readonly depth: number;
  /** Children in the order they are tried. */
  readonly children: number[];
  /** The law that they were drawn from without replacement; none where they were chosen. */
  law?: Law;
};
/** A tree a row. */
export type Grow = {
  /** Drafts of a tree, and its depth, at most. */
  readonly drafts: number;
  readonly depth: number;
  grow(batch: Batch, drafter: Drafter): Promise<Node[][]>;
};

const rootsOf = (batch: Batch): Node[][] =>
  batch.rows.map((decided) => [{ token: decided.at(-1)!, parent: -1, depth: 0, children: [] }]);

function add(nodes: Node[], parent: number, token: number): number {
  const index = nodes.length;
  nodes[parent]!.children.push(index);
  nodes.push({ token, parent, depth: nodes[parent]!.depth + 1, children: [] });
  return index;
}

/** The drafter's laws after one node of some rows, by row. */
async function lawsAfter(
  batch: Batch,
  drafter: Drafter,
  trees: readonly (readonly Node[])[],
  at: ReadonlyMap<number, number>,
): Promise<Map<number, Law>> {
  const asked = [...at].map(([row, index]) => {
    const decided = batch.rows[row]!;
    return { row, tokens: [...decided, ...pathTo(trees[row]!, index)], decided: decided.length };
  });
  const laws = asked.length > 0 ? await lawsOf(drafter, asked, batch.vocabulary) : [];
  return new Map(asked.map(({ row }, i) => [row, laws[i]!]));
}

/** Drafts from the root to a node. */
const pathTo = (nodes: readonly Node[], index: number): number[] =>
  index === 0 ? [] : [...pathTo(nodes, nodes[index]!.parent), nodes[index]!.token];

const noiseAt = (batch: Batch, row: number, { depth }: Node, vocabulary: number): Float64Array =>
  gumbels(batch.streams[row]!('draft', batch.rows[row]!.length + depth), vocabulary);

/** `branching` children of each node, by depth: [3, 2] has 3 + 6 drafts. */
export const branches = (branching: readonly number[]): Grow => ({
  drafts: branching.reduceRight((below, n) => n * (1 + below), 0),
  depth: branching.length,
  async grow(batch, drafter) {
    const trees = rootsOf(batch);
    const depths = batch.rows.map((_, row) => Math.min(branching.length, batch.room(row)));
    // Node by node, all rows at once: a drafter that is a network is asked as seldom as it can be.
    for (let index = 0; trees.some(({ length }) => index < length); index++) {
      const growing = batch.open().filter((row) => {
        const node = trees[row]![index];
        return node !== undefined && node.depth < depths[row]!;
      });
      const at = new Map(growing.map((row) => [row, index]));
      for (const [row, law] of await lawsAfter(batch, drafter, trees, at)) {
        const nodes = trees[row]!;
        const node = nodes[index]!;
        const noise = noiseAt(batch, row, node, law.length);
        node.law = law;
        const most = Math.min(branching[node.depth]!, batch.room(row) + 1 - nodes.length);
        for (const { token } of perturbed(law, noise).slice(0, most)) add(nodes, index, token);
      }
    }
    return trees;
  },
});

/** Tokens that are possible by log p + noise, largest first. */
const perturbed = (law: Law, noise: Float64Array): { token: number; value: number }[] =>
  Array.from(law.keys())
    .filter((token) => law[token]! > 0)
    .map((token) => ({ token, value: Math.log(law[token]!) + noise[token]! }))
    .sort((a, b) => b.value - a.value);

/** A draft of a beam: log-probability of its path, and that perturbed. */
type Entry = { readonly index: number; readonly logP: number; readonly value: number };
type Candidate = Omit<Entry, 'index'> & { readonly parent: number; readonly token: number };

export const beams = ({ width, depth }: { width: number; depth: number }): Grow => ({
  drafts: width * depth,
  depth,
  async grow(batch, drafter) {
    const trees = rootsOf(batch);
    let level = batch.rows.map((): Entry[] => [{ index: 0, logP: 0, value: 0 }]);
    for (let d = 0; d < depth; d++) {
      const rows = batch.open().filter((row) => d < batch.room(row));
      const candidates = batch.rows.map((): Candidate[] => []);
      for (let i = 0; i < width; i++) {
        const here = rows.filter((row) => level[row]![i] !== undefined);
        const at = new Map(here.map((row) => [row, level[row]![i]!.index]));
        for (const [row, law] of await lawsAfter(batch, drafter, trees, at)) {
          const entry = level[row]![i]!;
          const node = trees[row]![entry.index]!;
          node.law = law;
          candidates[row]!.push(...childrenOf(entry, law, noiseAt(batch, row, node, law.length)));
        }
      }
      level = candidates.map((found, row) => {
        const most = Math.min(width, batch.room(row) + 1 - trees[row]!.length);
        const best = found.sort((a, b) => b.value - a.value).slice(0, Math.max(0, most));
        return best.map(({ parent, token, logP, value }) => ({
          ...{ index: add(trees[row]!, parent, token), logP, value },
        }));
      });
    }
    return trees;
  },
});

/** All children, their perturbed log-probabilities moved so that the largest is the parent's (Kool et al., eq. 9). */
function childrenOf({ index, logP, value }: Entry, law: Law, noise: Float64Array): Candidate[] {
  const found = perturbed(law, noise);
  const top = logP + found[0]!.value;
  return found.map(({ token, value: own }) => {
    const drawn = logP + own;
    const gap = value - drawn + (drawn < top ? Math.log1p(-Math.exp(drawn - top)) : -Infinity);
    const moved = value - Math.max(0, gap) - Math.log1p(Math.exp(-Math.abs(gap)));
    return { parent: index, token, logP: logP + Math.log(law[token]!), value: moved };
  });
}

type Visits = { count: number; worth: number };
export type SearchOptions = {
  readonly drafts: number;
  readonly depth: number;
  /** Weight of what was visited seldom. */
  readonly explore: number;
};

export const search = ({ drafts, depth, explore }: SearchOptions): Grow => ({
  ...{ drafts, depth },
  async grow(batch, drafter) {
    const trees = rootsOf(batch);
    const laws = batch.rows.map((): Law[] => []);
    const visits = batch.rows.map((): Visits[] => [{ count: 0, worth: 0 }]);
    const growing = batch.open().filter((row) => batch.room(row) > 0);
    let asked = new Map(growing.map((row) => [row, 0]));
    while (asked.size > 0) {
      for (const [row, law] of await lawsAfter(batch, drafter, trees, asked))
        laws[row]![asked.get(row)!] = law;
      const next = new Map<number, number>();
      for (const row of asked.keys()) {
        const nodes = trees[row]!;
        const limits = { depth: Math.min(depth, batch.room(row)), explore };
        const most = Math.min(drafts, batch.room(row));
        const isFull = () => nodes.length > most;
        // A visit that ends at the full depth adds nothing; the next one looks elsewhere.
        for (let idle = 0; idle < drafts && !isFull() && !next.has(row); ) {
          const added = visit(nodes, laws[row]!, visits[row]!, limits);
          idle = added === undefined ? idle + 1 : 0;
          // What follows a draft is asked only where the tree may go on from it.
          if (added !== undefined && nodes[added]!.depth < limits.depth && !isFull())
            next.set(row, added);
        }
      }
      asked = next;
    }
    return trees;
  },
});

/** Walks down to the first draft that is new, which is added, or to the full depth. */
function visit(
  nodes: Node[],
  laws: readonly Law[],
  visits: Visits[],
  { depth, explore }: { readonly depth: number; readonly explore: number },
): number | undefined {
  const path = [0];
  let added: number | undefined;
  while (added === undefined && nodes[path.at(-1)!]!.depth < depth) {
    const index = path.at(-1)!;
    const token = mostPromising(nodes, laws[index]!, visits, { index, explore });
    const known = nodes[index]!.children.find((child) => nodes[child]!.token === token);
    if (known === undefined) {
      added = add(nodes, index, token);
      visits.push({ count: 0, worth: 0 });
    }
    path.push(known ?? added!);
  }
  let worth = 1;
  for (const index of path.toReversed()) {
    const { parent, token } = nodes[index]!;
    if (parent >= 0) worth *= laws[parent]![token]!;
    visits[index]!.count++;
    visits[index]!.worth += worth;
  }
  return added;
}

/** The token of the largest mean worth + explore q sqrt(visits of the node) / (1 + its own). */
function mostPromising(
  nodes: readonly Node[],
  law: Law,
  visits: readonly Visits[],
  { index, explore }: { readonly index: number; readonly explore: number },
): number {
  const own = new Map(nodes[index]!.children.map((child) => [nodes[child]!.token, visits[child]!]));
  const root = Math.sqrt(visits[index]!.count + 1);
  let [best, most] = [0, Number.NEGATIVE_INFINITY];
  for (let token = 0; token < law.length; token++) {
    const { count, worth } = own.get(token) ?? { count: 0, worth: 0 };
    const score = (count > 0 ? worth / count : 0) + (explore * law[token]! * root) / (1 + count);
    if (score > most) [best, most] = [token, score];
  }
  return best;
}
