import { describe, expect, it } from 'vitest';
import { fullResolutionCrops, middleSquare } from '../../../encoders/features/crops.ts';
import { resizedPicture, resizePixels } from '../../../encoders/features/resize-pixels.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { resize } from '../../../tensor/ops/resize.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

const random = (width: number, height: number, seed = 1) => {
  const draw = createRng(seed);
  const data = Uint8Array.from({ length: width * height * 3 }, () => draw.integer(256));
  return { data, width, height };
};

describe('resizePixels', () => {
  it.each([
    [7, 5, 13, 11],
    [16, 12, 5, 4],
    [9, 9, 4, 20],
  ])('of %i x %i to %i x %i is the op that is held to PyTorch', async (w, h, toW, toH) => {
    const picture = random(w, h);
    const data = Float32Array.from(picture.data, (byte) => byte / 255);
    const program = await createEngine({ name: 'reference' }).compile(
      ({ inputs }) => ({
        outputs: { y: resize(inputs.x!, toH, toW, { mode: 'bicubic', antialias: true }) },
      }),
      { inputs: { x: { shape: [1, h, w, 3] } } },
    );
    const { y } = await program.run({ x: { data, shape: [1, h, w, 3] } });
    await program.dispose();
    expectClose(resizePixels(picture, toH, toW), y!.data, { atol: 2e-6 }); // float32 sums of up to 20
  });

  it('leaves a picture of that size as it is, and clips what the kernel overshoots', () => {
    const picture = random(6, 6);
    expect(resizedPicture(picture, 6, 6)).toBe(picture);
    const edge = { data: new Uint8Array(12 * 3), width: 12, height: 1 };
    edge.data.fill(255, 18);
    const values = resizePixels(edge, 1, 30);
    expect(Math.min(...values)).toBeLessThan(0);
    expect(Math.max(...values)).toBeGreaterThan(1);
    const { data } = resizedPicture(edge, 1, 30);
    expect([data[0], data.at(-1)]).toEqual([0, 255]);
  });
});

describe('crops', () => {
  it('are at the same places for both sides, pixels untouched, and whole where there is no more', () => {
    const pictures = [random(20, 12, 1), random(20, 12, 2), random(20, 12, 3)];
    const [a, b] = [4, 4].map((seed) => fullResolutionCrops(pictures, 8, createRng(seed)));
    expect(a).toEqual(b);
    expect(fullResolutionCrops(pictures, 8, createRng(5))).not.toEqual(a);
    for (const [i, { data, width, height }] of a!.entries()) {
      expect([width, height]).toEqual([8, 8]);
      const rows = Buffer.from(pictures[i]!.data);
      expect(rows.includes(Buffer.from(data.subarray(0, 24)))).toBe(true);
    }
    expect(fullResolutionCrops(pictures, 64, createRng(4))).toEqual(pictures);
  });

  it('reach every place of a picture', () => {
    const ramp = {
      data: Uint8Array.from({ length: 30 }, (_, i) => Math.floor(i / 3)),
      width: 10,
      height: 1,
    };
    const crops = fullResolutionCrops(
      Array.from({ length: 60 }, () => ramp),
      4,
      createRng(1),
    );
    expect(new Set(crops.map(({ data }) => data[0]))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  it('the middle square keeps the middle', () => {
    const column = {
      data: Uint8Array.from({ length: 24 }, (_, i) => Math.floor(i / 6)),
      width: 2,
      height: 4,
    };
    expect([...middleSquare(column).data]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  });
});
