/**
 * Trees of drafts (recursive speculative decoding: Jeon et al. 2024, Algorithm 1), grown as tree-growth.ts
 * says. Children of a node are tried one after another, p becoming the residual; where they were drawn
 * without replacement q loses the tried child, where they were chosen it is sure of the next. So siblings
 * are never tried twice and the law is the model's.
 */

import { checkDrafts, type Decoder, openBatch } from './decoder.ts';
import type { Drafter } from './drafters/drafter.ts';
import { drawAt, type Law, normalise, pointMass } from './law.ts';
import type { Grow, Node } from './tree-growth.ts';
import { acceptance, residual } from './verify.ts';

export type TreeOptions = { readonly drafter: Drafter; readonly growth: Grow };

export const tree = ({ drafter, growth }: TreeOptions): Decoder => ({
  name: 'tree',
  property: 'lossless',
  async decode(model, options) {
    if (growth.drafts + 1 > model.window)
      throw new RangeError(
        `tree: expected at most the ${model.window - 1} drafts of the model's window, got ${growth.drafts}`,
      );
    checkDrafts('depth', growth.depth, model);
    const batch = openBatch(model, options);
    drafter.begin?.(model);
    const uniform = (row: number, place: number) => batch.streams[row]!('verify', place).uniform();
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawAt(first(row), uniform(row, 0)) });
    await batch.end();

    while (batch.open().length > 0) {
      const trees = await growth.grow(batch, drafter);
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
  const left = drafts?.slice();
  for (const child of children) {
    const { token } = nodes[child]!;
    const q = left ?? pointMass(p.length, token);
    if (uniform() < acceptance(p, q, token)) return { child, law: p };
    p = residual(p, q);
    q[token] = 0;
    if (left && !normalise(left)) break;
  }
  return { child: undefined, law: p };
}
