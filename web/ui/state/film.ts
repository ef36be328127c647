/** The strip of estimates below the picture that is being drawn. */
import type { Preview } from './facts.ts';

export type Frame = Preview & { readonly isNow: boolean };

/** At most `count` of the estimates, evenly from the first to the latest. */
export function filmOf(shots: readonly Preview[], count = 6): readonly Frame[] {
  const frames = Math.min(count, shots.length);
  return Array.from({ length: frames }, (_, at) => {
    const isNow = at === frames - 1;
    const shot = shots[isNow ? shots.length - 1 : Math.floor((at * shots.length) / frames)]!;
    return { ...shot, isNow };
  });
}
