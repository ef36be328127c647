/** What comparisons over sizes are tested with: drawings of known words at any size, and features that are pixels. */
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import { resizePixels } from '../../encoders/features/resize-pixels.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';

/** The channel of colour that is full. */
export type Shape = { readonly disc: boolean; readonly channel: number };

/** A disc or a square of a place and shade that `seed` decides; `off` moves it down. */
export function drawnShape(
  { disc, channel }: Shape,
  { seed, size: { width, height }, off = 0 }: { seed: number; size: Size; off?: number },
): Picture {
  const draw = createRng(seed);
  const side = Math.min(width, height);
  const [cy, cx, radius] = [0.5 + 0.1 * draw.uniform() + off, 0.45 + 0.1 * draw.uniform(), 0.3];
  const [y0, x0] = [(height - side) / 2, (width - side) / 2];
  const data = new Uint8Array(width * height * 3).fill(255);
  const shade = 60 + draw.integer(60);
  const color = [0, 1, 2].map((c) => (c === channel ? 255 : shade));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [v, u] = [(y + 0.5 - y0) / side - cy, (x + 0.5 - x0) / side - cx];
      const inside = disc ? Math.hypot(v, u) < radius : Math.max(Math.abs(v), Math.abs(u)) < radius;
      if (inside) data.set(color, 3 * (y * width + x));
    }
  return { data, width, height };
}

/** Sees 4 x 4 pixels, as they are. */
export const pixelFeatures: FeatureNetwork = {
  name: 'pixels',
  sees: { height: 4, width: 4 },
  kernel: 'bicubic',
  dtype: 'float32',
  width: 48,
  async read(pictures) {
    const data = new Float32Array(pictures.length * 48);
    for (const [i, picture] of pictures.entries()) data.set(resizePixels(picture, 4, 4), i * 48);
    return { pooled: data, maps: { data, height: 4, width: 4, channels: 3 } };
  },
  dispose: async () => {},
};
