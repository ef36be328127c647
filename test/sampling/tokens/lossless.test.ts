/**
 * Decoders that keep the model's law, by chi-square on a joint law that is known in full (V = 3, N = 6:
 * 729 sequences, every conditional random). Seeds were fixed before the first run. p > 0.001 passes;
 * the negative controls, the same decoders with one rule broken, must be rejected at the same n.
 */
import { expect, test } from 'vitest';
import type { Decoder } from '../../../sampling/tokens/decoder.ts';
import { block } from '../../../sampling/tokens/drafters/block.ts';
import type { Drafter } from '../../../sampling/tokens/drafters/drafter.ts';
import { neighbour } from '../../../sampling/tokens/drafters/neighbour.ts';
import { networkDrafter } from '../../../sampling/tokens/drafters/network.ts';
import { ngram } from '../../../sampling/tokens/drafters/ngram.ts';
import { uniform } from '../../../sampling/tokens/drafters/uniform.ts';
import { exp3, ucb } from '../../../sampling/tokens/lengths.ts';
import { banditPlan, raggedPlan } from '../../../sampling/tokens/plans.ts';
import { createDecoder } from '../../../sampling/tokens/registry.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { sjd } from '../../../sampling/tokens/sjd.ts';
import { fixedPlan, speculative } from '../../../sampling/tokens/speculative.ts';
import { tree } from '../../../sampling/tokens/tree.ts';
import { beams, branches, search } from '../../../sampling/tokens/tree-growth.ts';
import { createRng } from '../../../tensor/rng.ts';
import { coupled, formerLaw, jacobiBy, misstating, relabelled, withoutResidual } from './broken.ts';
import { draw } from './chi-square.ts';
import { oracle, randomJoint } from './oracle.ts';

const TOY = randomJoint(3, 6, 1);
const OTHER = randomJoint(3, 6, 2);
const N = 5000;
const BATCH = 50;

/** The drafter's law is another random joint. */
const network = (): Drafter => networkDrafter({ network: oracle(OTHER, BATCH) });
const slots = (): Drafter =>
  block({
    ...{ vocabulary: 3, size: 2 },
    forward: async (decided) =>
      decided.map((_, row) =>
        createRng(3)
          .stream(`${row % 7}`)
          .normals(6),
      ),
  });
const above = neighbour({ side: 'above', width: 2 });
const spec = (drafter: Drafter, length: number) =>
  speculative(() => fixedPlan({ drafter, length }));
const arms = [
  { drafter: uniform(), length: 1 },
  { drafter: ngram({ width: 2 }), length: 3 },
];

const LOSSLESS: Record<string, Decoder> = {
  sequential: sequential(),
  sjd: sjd({ window: 4, redraw: 'independent', drafter: uniform() }),
  'sjd, left': sjd({
    window: 3,
    redraw: 'independent',
    drafter: neighbour({ side: 'left', width: 2 }),
  }),
  'sjd, above': sjd({ window: 4, redraw: 'independent', drafter: above }),
  'scd, maximal': sjd({ window: 4, redraw: 'maximal', drafter: uniform() }),
  'scd, maximal, above': sjd({ window: 3, redraw: 'maximal', drafter: above }),
  'scd, Gumbel': sjd({ window: 4, redraw: 'gumbel', drafter: uniform() }),
  'scd, written out again': jacobiBy(coupled, { window: 4, drafter: uniform() }),
  'speculative, network': spec(network(), 2),
  'speculative, n-gram': spec(ngram({ width: 2 }), 3),
  'speculative, block': spec(slots(), 3),
  tree: tree({ drafter: network(), growth: branches([2, 2]) }),
  'tree, uniform': tree({ drafter: uniform(), growth: branches([3, 1, 1]) }),
  'tree, beams': tree({ drafter: network(), growth: beams({ width: 3, depth: 3 }) }),
  'tree, beams, uniform': tree({ drafter: uniform(), growth: beams({ width: 4, depth: 2 }) }),
  'tree, search': tree({
    drafter: network(),
    growth: search({ drafts: 6, depth: 3, explore: 1 }),
  }),
  'tree, search, n-gram': tree({
    drafter: ngram({ width: 2 }),
    growth: search({ drafts: 8, depth: 4, explore: 2 }),
  }),
  ragged: speculative(() => raggedPlan(network(), { first: 2, limit: 3 })),
  'bandit, UCB': speculative(() => banditPlan(arms, (n, most) => ucb(n, { most }))),
  'bandit, EXP3': speculative(() => banditPlan(arms, (n, most) => exp3(n, createRng(5), { most }))),
  'bandit by name, three drafters': createDecoder(
    'bandit',
    { limit: 3, rule: 'exp3', drafter: 'uniform', second: 'ngram', third: 'network' },
    { width: 2, network: network() },
  ),
};

test.each(Object.entries(LOSSLESS))('%s keeps the law', async (_, decoder) => {
  const { p } = await draw(TOY, decoder, { n: N, seed: 100_000, batch: BATCH });
  expect(p).toBeGreaterThan(0.001);
});

const BROKEN: Record<string, Decoder> = {
  'speculative, misstated': misstating(network(), (drafter) => spec(drafter, 2)),
  'speculative, without residual': speculative(
    () => fixedPlan({ drafter: network(), length: 2 }),
    withoutResidual,
  ),
  'sjd, without residual': sjd({
    ...{ window: 4, redraw: 'independent', drafter: uniform(), rule: withoutResidual },
  }),
  'sjd, drafts kept and relabelled': jacobiBy(relabelled, { window: 4, drafter: uniform() }),
  'scd, drafts that stay under their former law': jacobiBy(formerLaw, {
    ...{ window: 6, drafter: uniform() },
  }),
  'sjd, misstated': misstating(network(), (drafter) =>
    sjd({ window: 4, redraw: 'independent', drafter }),
  ),
  'scd, maximal, misstated': misstating(network(), (drafter) =>
    sjd({ window: 4, redraw: 'maximal', drafter }),
  ),
  'scd, Gumbel, misstated': misstating(network(), (drafter) =>
    sjd({ window: 4, redraw: 'gumbel', drafter }),
  ),
  'tree, beams, misstated': misstating(network(), (drafter) =>
    tree({ drafter, growth: beams({ width: 3, depth: 2 }) }),
  ),
  'tree, misstated': misstating(network(), (drafter) =>
    tree({ drafter, growth: branches([2, 2]) }),
  ),
};

test.each(Object.entries(BROKEN))('%s is found out', async (_, decoder) => {
  const { p } = await draw(TOY, decoder, { n: N, seed: 100_000, batch: BATCH });
  expect(p).toBeLessThan(1e-6);
});

test('a picture does not depend on its batch', async () => {
  const names = ['sjd', 'scd, Gumbel', 'scd, maximal', 'tree, uniform', 'speculative, n-gram'];
  for (const decoder of names.map((name) => LOSSLESS[name]!)) {
    const rngs = [createRng(1), createRng(2), createRng(3)];
    const { tokens } = await decoder.decode(oracle(TOY, 3), { rngs });
    for (const [row, rng] of [createRng(1), createRng(2), createRng(3)].entries()) {
      const alone = await decoder.decode(oracle(TOY, 1), { rngs: [rng] });
      expect(alone.tokens[0]).toEqual(tokens[row]);
    }
  }
});

test('a drafter that is the model has every draft accepted', async () => {
  const same = networkDrafter({ network: oracle(TOY, BATCH) });
  const { acceptance: kept, passes } = await draw(TOY, spec(same, 2), {
    n: 100,
    seed: 1,
    batch: BATCH,
  });
  expect(kept).toBe(1);
  expect(passes).toBeCloseTo(3 / 6, 10); // the first token; two and one; two and one less the end
});
