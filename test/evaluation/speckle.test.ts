import { describe, expect, it } from 'vitest';
import { backgroundOf, compareSpeckle, roughness } from '../../evaluation/speckle.ts';
import { createRng } from '../../tensor/rng.ts';
import { paint } from './pictures.ts';

const SIZE = 32;
const inFigure = (x: number, y: number) => x >= 10 && x < 22 && y >= 10;
const flat = paint(SIZE, (x, y) => (inFigure(x, y) ? 90 : 255));

describe('speckle', () => {
  it('takes the white around a figure for background, with a margin', () => {
    const mask = backgroundOf(flat);
    const at = (x: number, y: number) => mask[y * SIZE + x];
    expect(at(0, 0)).toBe(1);
    expect(at(5, 20)).toBe(1);
    expect(at(9, 20)).toBe(0); // beside the figure
    expect(at(15, 20)).toBe(0);
    const hole = paint(SIZE, (x, y) =>
      x > 4 && x < 27 && y > 4 && y < 27 ? (x > 10 && x < 20 && y > 10 && y < 20 ? 255 : 0) : 255,
    );
    expect(backgroundOf(hole)[15 * SIZE + 15]).toBe(0); // white, but inside the figure
  });

  it('is 0 on flat white, whatever the figure', () => {
    expect(roughness(flat).sum).toBe(0);
    expect(roughness(flat).count).toBeGreaterThan(1000);
    expect(roughness(paint(SIZE, () => 0)).count).toBe(0);
  });

  it('has the expected size for noise on flat', () => {
    // bytes 250 +- 4 at random: the Laplacian is 4 |4 a - b| with a sign a and b the sum of four signs; as |b| <= 4
    // that is 4 (4 - a b), with mean 16
    const draw = createRng(3);
    const signs = Array.from({ length: SIZE * SIZE * 3 }, () => (draw.uniform() < 0.5 ? -4 : 4));
    const noisy = paint(SIZE, (x, y, c) => 250 + signs[3 * (y * SIZE + x) + c]!);
    const { sum, count } = roughness(noisy);
    const exact = (4 * 4) / 255;
    expect(count).toBe(30 * 30 * 3);
    // the deviation is half the mean: 0.01 of it over 2700 places, more as neighbours share pixels
    expect(Math.abs(sum / count / exact - 1)).toBeLessThan(0.05);
  });

  it('keeps lone specks in the background and counts them', () => {
    const specks = paint(SIZE, (x, y) => (x === 16 && y === 4 ? 100 : inFigure(x, y) ? 90 : 255));
    expect(backgroundOf(specks)[4 * SIZE + 16]).toBe(1);
    const size = 155 / 255;
    expect(roughness(specks).sum).toBeCloseTo(3 * (4 * size + 4 * size), 6);
  });

  it('subtracts what real pictures have', () => {
    const specks = paint(SIZE, (x, y) => (x === 16 && y === 4 ? 100 : inFigure(x, y) ? 90 : 255));
    const result = compareSpeckle([specks, specks], [flat, flat], createRng(1));
    expect(result.real.value).toBe(0);
    expect(result.difference.value).toBe(result.generated.value);
    expect(result.generated.value).toBeGreaterThan(0);
    expect(result.measured).toEqual({ generated: 2, real: 2 });
    const same = compareSpeckle([specks, flat], [specks, flat], createRng(1));
    expect(same.difference).toEqual({ value: 0, low: 0, high: 0 });
  });
});
