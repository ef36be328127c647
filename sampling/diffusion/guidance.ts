/**
 * Classifier-free guidance (Ho and Salimans 2022): null + scale (asked - null). At fixed x and t the clean picture,
 * the noise and the velocity are affine in each other element by element, and the weights scale and 1 - scale sum
 * to 1, so it does not matter which of them is combined, also when only some elements are guided; it would after
 * clipping. Learned variances are the asked answer's, and so are elements that are not guided.
 */
import type { Answer } from './solver.ts';

export type Guidance = {
  /** 1 is no guidance. A function of t may change it on the way. */
  readonly scale: number | ((t: number) => number);
  /** Guided while from <= t <= to, both ends included (Kynkaanniemi et al. 2024). Default: always. */
  readonly interval?: { readonly from: number; readonly to: number };
  /** Which elements of a picture are guided; the others keep the asked answer. Default: all. */
  readonly guides?: (index: number) => boolean;
};

/** The scale at a time: 1 outside the interval. */
export function guidanceScale({ scale, interval }: Guidance, t: number): number {
  if (interval && (t < interval.from || t > interval.to)) return 1;
  return typeof scale === 'number' ? scale : scale(t);
}

export function guide(
  asked: Answer,
  nothing: Answer,
  { scale, guides = () => true }: { scale: number; guides?: (index: number) => boolean },
): Answer {
  if (scale === 1) return asked;
  const mix = (a: Float32Array, b: Float32Array) =>
    a.map((value, i) => (guides(i) ? b[i]! + scale * (value - b[i]!) : value));
  return {
    clean: mix(asked.clean, nothing.clean),
    ...(asked.velocity && nothing.velocity
      ? { velocity: mix(asked.velocity, nothing.velocity) }
      : {}),
    ...(asked.variance ? { variance: asked.variance } : {}),
  };
}

/** Guides the first `count` of `channels`, in a picture whose channels are innermost or outermost (planes of `area`). */
export function firstChannels(
  count: number,
  channels: number,
  layout: 'innermost' | { readonly area: number } = 'innermost',
): (index: number) => boolean {
  if (layout === 'innermost') return (index) => index % channels < count;
  return (index) => Math.floor(index / layout.area) % channels < count;
}
