/** Guidance that changes over the sequence, as scales by place for `guided`. Place 0 is the first token. */
import type { TokenModel } from './contract.ts';
import { type GuidanceScale, guided } from './guided.ts';

export const SCALE_SCHEDULES = ['constant', 'linear', 'cosine'] as const;
export type ScaleSchedule = (typeof SCALE_SCHEDULES)[number];

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
  (scale: GuidanceScale, from: number, to: number): GuidanceScale =>
  (position) => {
    if (position < from || position >= to) return 1;
    return typeof scale === 'number' ? scale : scale(position);
  };

/** How guidance changes over a sequence: by a schedule, and only from one part of it to another, both from 0 to 1. */
export type GuidanceOptions = {
  readonly schedule?: ScaleSchedule;
  readonly from?: number;
  readonly to?: number;
};

/** `scale` as these options change it over `length` tokens. */
export function scaleBy(
  scale: number,
  { schedule = 'constant', from = 0, to = 1 }: GuidanceOptions,
  length: number,
): GuidanceScale {
  const scales = scaleSchedule(schedule, scale, length);
  const always = from === 0 && to === 1;
  return always ? scales : scaleBetween(scales, from * length, to * length);
}

/** A model guided so, of half its rows; itself at the scale 1, which is no guidance and takes no second half. */
export const guidedBy = (
  model: TokenModel,
  scale: number,
  options: GuidanceOptions = {},
): TokenModel => (scale === 1 ? model : guided(model, scaleBy(scale, options, model.length)));
