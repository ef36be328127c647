/** How fast a batch goes, from how far it was at moments of the last minute. */
export type Sample = { readonly at: number; readonly done: number };

const WINDOW = 60_000;

/** Adds a moment; those older than a minute leave, but one, so that slow batches have a rate too. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  if (samples.at(-1)?.done === sample.done) return samples;
  const recent = samples.filter(({ at }) => at >= sample.at - WINDOW);
  return [...(recent.length > 0 ? recent : samples.slice(-1)), sample];
}

/** Pictures a second, or nothing while too little is known. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < 500 || last.done <= first.done) return undefined;
  return (1000 * (last.done - first.done)) / (last.at - first.at);
}
