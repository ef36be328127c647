/** What steers tokens away from the model's law: rewards within their budget, and conditions that are subtracted. */
import { expect, test } from 'vitest';
import { cards } from '../../../sampling/tokens/cards.ts';
import { createFilter } from '../../../sampling/tokens/filters.ts';
import { instructive } from '../../../sampling/tokens/instructive.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { createRng } from '../../../tensor/rng.ts';
import { indexOf, jointOf, oracle, randomJoint, type Toy } from './oracle.ts';

const TOY = randomJoint(3, 4, 21);

/** How often each place was decided. */
async function drawings(options: { tries: number; reward: number; entropy: number }) {
  const { tries, reward, entropy } = options;
  const decoder = cards({ tries, entropy, reward: () => reward, target: 0, temperature: 0.01 });
  const { trace, tokens } = await decoder.decode(oracle(TOY), { rngs: [createRng(1)] });
  expect(tokens[0]!.length).toBe(4);
  const counts = [0, 0, 0, 0];
  for (const [pass] of trace) for (const i of pass!.decided.keys()) counts[pass!.start + i]!++;
  return counts;
}

test('CARDS draws a segment as often as it is not wanted, within its budget', async () => {
  // No law has an entropy below 0, so each token is a segment.
  expect(await drawings({ tries: 3, reward: -1e6, entropy: 0 })).toEqual([1, 3, 3, 3]);
  expect(await drawings({ tries: 1, reward: -1e6, entropy: 0 })).toEqual([1, 1, 1, 1]);
  expect(await drawings({ tries: 3, reward: 1, entropy: 0 })).toEqual([1, 1, 1, 1]);
  // None reaches 2, so all tokens but the first are one segment.
  expect(await drawings({ tries: 5, reward: -1e6, entropy: 2 })).toEqual([1, 5, 5, 5]);
});

test('instructive decoding: more of what is drawn is of its own class', async () => {
  const ROWS = 1000;
  const other = randomJoint(3, 4, 22);
  const both: Toy = {
    ...TOY,
    logitsOf: (seen, target, row) => (row < ROWS ? TOY : other).logitsOf(seen, target, row),
  };
  const [own, opposite] = [TOY, other].map((toy) => jointOf(toy, createFilter({}, 3)));
  const accuracyAt = async (epsilon: number) => {
    const model = instructive(oracle(both, 2 * ROWS), epsilon);
    const rngs = Array.from({ length: ROWS }, (_, i) => createRng(1_000_000 + i));
    const { tokens } = await sequential().decode(model, { rngs });
    const right = tokens.filter((list) => own![indexOf(list, 3)]! > opposite![indexOf(list, 3)]!);
    return right.length / ROWS;
  };
  const [plain, some, much] = [await accuracyAt(0), await accuracyAt(0.3), await accuracyAt(0.6)];
  // A share of 1000 has a standard error of at most 0.016.
  expect(some).toBeGreaterThan(plain + 0.05);
  expect(much).toBeGreaterThan(plain + 0.05);
});
