import { describe, expect, it } from 'vitest';
import { colorSteps, compareSeams } from '../../evaluation/seams.ts';
import { createRng } from '../../tensor/rng.ts';
import { paint } from './pictures.ts';

const odd = (x: number, y: number) => (x + y) % 2 === 1;

describe('seams', () => {
  it('finds only border steps in a checkerboard of patches', () => {
    const board = paint(16, (x, y) => (odd(Math.floor(x / 4), Math.floor(y / 4)) ? 255 : 0));
    const steps = colorSteps(board, 4);
    expect(steps.inside).toBe(0);
    expect(steps.border).toBe(steps.borders); // every step is 1
    expect(steps.borders).toBe(2 * 3 * 16 * 3); // 3 borders of 16 pixels, both ways, 3 channels
    expect(steps.insides).toBe(2 * 12 * 16 * 3);
  });

  it('gives 1 where borders are like any other place', () => {
    const board = paint(16, (x, y) => (odd(x, y) ? 255 : 0));
    const pictures = [board, board];
    const { generated, relative } = compareSeams(pictures, pictures, 4, createRng(1));
    expect(generated.value).toBe(1);
    expect(relative).toEqual({ value: 1, low: 1, high: 1 });
  });

  it('reports a known ratio beside real pictures without seams', () => {
    const ramp = paint(16, (x) => 4 * x);
    // the same, with steps of 12 in place of 4 at the three vertical borders
    const jumpy = paint(16, (x) => 4 * x + 8 * Math.floor(x / 4));
    const { generated, real, relative } = compareSeams(
      [jumpy, jumpy],
      [ramp, ramp],
      4,
      createRng(1),
    );
    expect(real.value).toBeCloseTo(1, 12);
    expect(generated.value).toBeCloseTo(3, 12);
    expect(relative.value).toBeCloseTo(3, 12);
  });
});
