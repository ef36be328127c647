/** Guidance that changes over the sequence, as scales by place for `guided`. Place 0 is the first token. */
import type { GuidanceScale } from './guided.ts';

export type ScaleSchedule = 'constant' | 'linear' | 'cosine';

/**
 * From 1 at the first token to `scale` at the last (as ARPG and RandAR do: linear, or 1 - cos over half a
 * turn), or `scale` throughout.
 */
export function scaleSchedule(kind: ScaleSchedule, scale: number, length: number): GuidanceScale {
  if (!Number.isFinite(scale)) throw new RangeError(`guidance: expected a number, got ${scale}`);
  if (kind === 'constant') return scale;
  const last = Math.max(1, length - 1);
  const part = (position: number) => Math.min(1, position / last);
  if (kind === 'linear') return (position) => 1 + (scale - 1) * part(position);
  return (position) => 1 + ((scale - 1) * (1 - Math.cos(Math.PI * part(position)))) / 2;
}

/** `scale` from place `from` on, before `to`; the conditional model alone elsewhere. */
export const scaleBetween =
  (scale: number, from: number, to: number): GuidanceScale =>
  (position) =>
    position >= from && position < to ? scale : 1;
