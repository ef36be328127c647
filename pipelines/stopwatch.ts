/** What a picture takes, from the times between steps: the first of a batch, which may compile, has no part in it. */
import type { DrawOptions, DrawProgress } from './diffusion.ts';

/** `now` in milliseconds. What `told` does at each step is not counted. */
export function stopwatch(now: () => number, told?: DrawOptions['onStep']) {
  const start = now();
  let last = { first: -1, step: 0, steps: 0, at: start };
  let [spent, gone] = [0, 0]; // milliseconds, and steps in them
  return {
    async onStep(progress: DrawProgress): Promise<void> {
      const { first, step, steps } = progress;
      if (last.first === first) {
        spent += now() - last.at;
        gone += step - last.step;
      }
      await told?.(progress);
      last = { first, step, steps, at: now() };
    },
    /** Of one of so many pictures. Of a single step a batch it is all the time there was. */
    seconds(pictures: number): number {
      const all = gone > 0 ? (spent / gone) * last.steps : now() - start;
      return all / 1000 / pictures;
    },
  };
}
