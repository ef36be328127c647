/** Classifier-free guidance as DiT's code batches it: asked rows, then as many rows of no condition. */
import { firstChannels, guide } from '../../sampling/diffusion/guidance.ts';

/** DiT's code guides the first three channels, whatever there are ("for exact reproducibility"). */
const GUIDED_CHANNELS = 3;

/** The first half of the rows, twice. */
export function doubled(x: Float32Array): Float32Array {
  const half = x.subarray(0, x.length / 2);
  const out = new Float32Array(x.length);
  out.set(half);
  out.set(half, half.length);
  return out;
}

/**
 * Both halves of a prediction [2 B, channels, H, W] with the guided channels replaced; the others stay
 * each half's own.
 */
export function guidedHalves(
  prediction: Float32Array,
  { scale, channels, area }: { scale: number; channels: number; area: number },
): Float32Array {
  const half = prediction.length / 2;
  const asked = prediction.subarray(0, half);
  const nothing = prediction.subarray(half);
  const guides = firstChannels(GUIDED_CHANNELS, channels, { area });
  const mixed = guide({ clean: asked }, { clean: nothing }, { scale, guides }).clean;
  const out = new Float32Array(prediction.length);
  out.set(mixed);
  for (let i = 0; i < half; i++) out[half + i] = guides(i) ? mixed[i]! : nothing[i]!;
  return out;
}
