/** The strip of estimates below the picture that is being drawn. */
import type { Preview } from './facts.ts';

export type Frame = {
  /** The step that the frame stands for: the latest at or before it. */
  readonly step: number;
  readonly png?: string;
  readonly isNow: boolean;
};

/** `count` frames over the steps of a picture; those that lie ahead have no estimate yet. */
export function filmOf(
  previews: readonly Preview[],
  step: number,
  steps: number,
  count = 6,
): readonly Frame[] {
  const frames = Math.min(count, steps);
  return Array.from({ length: frames }, (_, at) => {
    const from = Math.round((at * steps) / frames);
    const to = Math.round(((at + 1) * steps) / frames);
    const isNow = step > from && step <= to;
    const shown = previews.findLast((preview) => preview.step > from && preview.step <= to);
    return {
      step: isNow ? step : shown ? shown.step : to,
      ...(shown && { png: shown.png }),
      isNow,
    };
  });
}
