/**
 * Requests become pictures, without a queue: those in hand at the same time that differ in words and seeds alone are
 * drawn in shared batches. A batch takes a picture of each request in turn, so that none waits for a long one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../jobs/job.ts';
import { createRenderer, type RendererOptions } from '../pipelines/render.ts';
import { stopwatch } from '../pipelines/stopwatch.ts';
import type { ImageRequest, Recipe } from '../request.ts';
import { createLine, type Slot } from './line.ts';
import { handOver, watchBatch } from './watch-batch.ts';

export type Made = { readonly index: number; readonly png: Uint8Array; readonly recipe: Recipe };
export type RenderTask = {
  /** Pictures that exist already. */
  readonly existing?: ReadonlySet<number>;
  /** Lower numbers come first. */
  readonly priority?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: Progress) => void;
  /** A small PNG of what a picture looks like so far. */
  readonly onPreview?: (index: number, png: Uint8Array) => void;
  /** Every picture as soon as it is finished; the request ends with the last of these. */
  readonly onPicture: (made: Made) => void | Promise<void>;
};
export type Processor = {
  /** Resolves with the seconds that one of its pictures took, without compiling; of none, with nothing. */
  render(request: ImageRequest, task: RenderTask): Promise<number | undefined>;
  /** Ends what is being drawn and forgets the models. */
  dispose(): Promise<void>;
};
export type ProcessorOptions = RendererOptions & {
  /** Milliseconds. */
  readonly now: () => number;
};

/** Milliseconds to wait for requests that come together, before the first batch. */
const GATHER = 15;

export function createProcessor({ now, ...options }: ProcessorOptions): Processor {
  const renderer = createRenderer(options);
  const line = createLine();
  let drawing: Promise<void> | undefined;

  const drawAll = async (): Promise<void> => {
    await delay(GATHER);
    for (let first = line.next(); first; first = line.next()) {
      try {
        const most = await renderer.batchOf(first.plan);
        const slots = line.take(first, most);
        if (slots.length > 0) await drawBatch(slots);
      } catch (error) {
        first.end(error); // its model cannot be read
      }
    }
    drawing = undefined;
  };
  /** Goes on while anybody wants a picture of it. */
  const drawBatch = async (slots: readonly Slot[]): Promise<void> => {
    const inside = [...new Set(slots.map(({ work }) => work))];
    const stop = new AbortController();
    const stopUnwanted = () => {
      if (inside.every(({ ended }) => ended)) stop.abort();
    };
    for (const work of inside) work.onLeave = stopUnwanted;
    const { plan } = inside[0]!;
    const asked = slots.map(({ work, index }) => work.plan.asked[index]!);
    const taken = stopwatch(now, watchBatch(slots, now));
    const watch = { signal: stop.signal, onStep: taken.onStep };
    try {
      const pictures = await renderer.draw(plan, asked, watch);
      const each = taken.seconds(pictures.length);
      for (const { work } of slots) work.seconds += each;
      await handOver(slots, pictures);
    } catch (error) {
      if (inside.length === 1) inside[0]!.end(error);
      else line.putBack(slots);
    }
  };

  return {
    async render(request, task) {
      const { signal, existing } = task;
      const plan = await renderer.plan(request);
      signal?.throwIfAborted();
      const todo = [...plan.asked.keys()].filter((index) => !existing?.has(index));
      if (todo.length === 0) return undefined;
      return new Promise((resolve, reject) => {
        const stop = () => work.end(signal!.reason);
        const work = line.join(plan, task, todo, (error) => {
          signal?.removeEventListener('abort', stop);
          if (error === undefined) resolve(work.seconds / work.total);
          else reject(error);
        });
        signal?.addEventListener('abort', stop);
        drawing ??= drawAll();
      });
    },
    async dispose() {
      await drawing;
      await renderer.dispose();
    },
  };
}
