import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { tf } from '../../../tensor/tf.ts';
import { check, engines } from './check.ts';
import { elementwise } from './elementwise.ts';
import { movement } from './movement.ts';
import { reductions } from './reductions.ts';

const RUNS = { seed: 20, numRuns: 20 };

describe('kernels and gradients agree with the reference', () => {
  for (const { name, draw } of [...elementwise, ...movement, ...reductions]) {
    it(name, async () => {
      await fc.assert(fc.asyncProperty(draw, check), RUNS);
    });
  }
});
afterAll(() => {
  expect(engines.map((engine) => engine.open)).toEqual([0, 0]);
});
void tf;
