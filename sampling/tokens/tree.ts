/**
 * Trees of drafts without replacement (recursive speculative decoding, RSD-C: Jeon et al. 2024,
 * Algorithms 1 to 3). Children of a node are the largest log q + Gumbel noise (Gumbel top-k), in that
 * order; verification tries them one after another, p becoming the residual and q losing the tried
 * child, so siblings are never tried twice and the law is the model's.
 */

import { type Batch, checkWindow, type Decoder, openBatch } from './decoder.ts';
import { type Drafter, lawsOf } from './drafters/drafter.ts';
import { drawAt, gumbels, type Law, normalise } from './law.ts';
import { acceptance, residual } from './verify.ts';

export type TreeOptions = {
  readonly drafter: Drafter;
  /** Children of each node, by depth: [3, 2] has 3 + 6 drafts. */
  readonly branching: readonly number[];
};
type Node = {
  readonly token: number;
  readonly parent: number;
  readonly depth: number;
  /** Children in the order they are tried, and the law that they are from. */
  children: number[];
  law?: Law;
};

export const tree = ({ drafter, branching }: TreeOptions): Decoder => ({
  name: 'tree',
  property: 'lossless',
  async decode(model, options) {
    const nodes = branching.reduceRight((below, n) => n * (1 + below), 0);
    if (nodes + 1 > model.window)
      throw new RangeError(
        `tree: expected at most the ${model.window - 1} drafts of the model's window, got ${nodes}`,
      );
    checkWindow(branching.length + 1, model);
    const batch = openBatch(model, options);
    drafter.begin?.(model);
    const uniform = (row: number, place: number) => batch.streams[row]!('verify', place).uniform();
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawAt(first(row), uniform(row, 0)) });
    await batch.end();

    while (batch.open().length > 0) {
      const trees = await grow(batch, drafter, branching);
      const { laws, hidden } = await batch.forward(
        trees.map((nodes) => nodes.slice(1).map(({ token }) => token)),
        trees.map((nodes) => nodes.slice(1).map(({ parent }) => parent - 1)),
      );
      for (const row of batch.open()) {
        const nodes = trees[row]!;
        const start = batch.rows[row]!.length;
        const { path, drawn, redrawn } = descend(nodes, {
          p: (index) => laws(row, index),
          uniform: (depth) => uniform(row, start + depth),
        });
        const drafted = nodes.slice(1).map(({ token }) => token);
        batch.settle(row, { drafted, path: path.map((i) => i - 1), drawn, redrawn });
        drafter.observe?.(row, batch.rows[row]!, hidden(row, path.at(-1) ?? 0));
      }
      await batch.end();
    }
    return batch.finish();
  },
});

/**
 * A tree a row; node 0 is its last decided token. Depth stops where the sequence does, and so does the
 * number of drafts: a cache has room for all tokens but the last.
 */
async function grow(
  batch: Batch,
  drafter: Drafter,
  branching: readonly number[],
): Promise<Node[][]> {
  const trees = batch.rows.map((decided): Node[] => [
    { token: decided.at(-1)!, parent: -1, depth: 0, children: [] },
  ]);
  const depths = batch.rows.map((_, row) => Math.min(branching.length, batch.room(row)));
  // Node by node, all rows at once: a drafter that is a network is asked as seldom as it can be.
  for (let index = 0; trees.some(({ length }) => index < length); index++) {
    const grows = batch.open().filter((row) => {
      const node = trees[row]![index];
      return node !== undefined && node.depth < depths[row]!;
    });
    if (grows.length === 0) continue;
    const asked = grows.map((row) => {
      const decided = batch.rows[row]!;
      const tokens = [...decided, ...pathTo(trees[row]!, index)];
      return { row, tokens, decided: decided.length };
    });
    const laws = await lawsOf(drafter, asked, batch.vocabulary);
    for (const [i, row] of grows.entries()) {
      const nodes = trees[row]!;
      const node = nodes[index]!;
      const noise = gumbels(batch.streams[row]!('draft', asked[i]!.tokens.length), laws[i]!.length);
      node.law = laws[i]!;
      const most = Math.min(branching[node.depth]!, batch.room(row) + 1 - nodes.length);
      for (const token of topWith(node.law, noise, most)) {
        node.children.push(nodes.length);
        nodes.push({ token, parent: index, depth: node.depth + 1, children: [] });
      }
    }
  }
  return trees;
}

/** Drafts from the root to a node. */
const pathTo = (nodes: readonly Node[], index: number): number[] =>
  index === 0 ? [] : [...pathTo(nodes, nodes[index]!.parent), nodes[index]!.token];

/** The `count` largest log p + noise among tokens that are possible, largest first. */
function topWith(law: Law, noise: Float64Array, count: number): number[] {
  const score = (token: number) => Math.log(law[token]!) + noise[token]!;
  return Array.from(law.keys())
    .filter((token) => law[token]! > 0)
    .sort((a, b) => score(b) - score(a))
    .slice(0, count);
}

type Sides = {
  readonly p: (index: number) => Law;
  readonly uniform: (depth: number) => number;
};

/** Down the tree as long as a child is kept. */
function descend(nodes: readonly Node[], { p, uniform }: Sides) {
  const path: number[] = [];
  for (let index = 0; ; ) {
    const node = nodes[index]!;
    const { child, law } = tryChildren(nodes, node, p(index), () => uniform(node.depth));
    if (child === undefined) {
      const drawn = drawAt(law, uniform(node.depth));
      return { path, drawn, redrawn: node.children.length > 0 };
    }
    path.push(child);
    index = child;
  }
}

/** The first child that is kept, or the law that is left when none is. */
function tryChildren(
  nodes: readonly Node[],
  { children, law: drafts }: Node,
  target: Law,
  uniform: () => number,
) {
  let p = target;
  const q = drafts?.slice() ?? new Float64Array(0);
  for (const child of children) {
    const { token } = nodes[child]!;
    if (uniform() < acceptance(p, q, token)) return { child, law: p };
    p = residual(p, q);
    q[token] = 0;
    if (!normalise(q)) break;
  }
  return { child: undefined, law: p };
}
