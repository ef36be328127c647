/** The line of requests in hand: who comes next, and whose pictures a batch takes. */
import type { Plan } from '../pipelines/render.ts';
import type { RenderTask } from './processor.ts';

/** A request in hand. */
export type Work = {
  readonly plan: Plan;
  readonly task: RenderTask;
  /** Pictures to make in all, and of these the ones that no batch has taken. */
  readonly total: number;
  readonly todo: number[];
  made: number;
  /** That its pictures took, as far as batches with them have ended. */
  seconds: number;
  /** When a batch took its latest picture, in pictures taken. */
  turn: number;
  /** After a batch failed: whose fault it was shows when each is drawn alone. */
  alone: boolean;
  /** When it was first drawn. */
  began: number | undefined;
  ended: boolean;
  /** Told when it ends while a batch has pictures of it. */
  onLeave: (() => void) | undefined;
  end(error?: unknown): void;
};
/** A picture of a batch. */
export type Slot = { readonly work: Work; readonly index: number };
export type Line = ReturnType<typeof createLine>;

export function createLine() {
  const works = new Set<Work>();
  let turns = 0;
  /** Lower priorities first, among equals the one that was served least lately. */
  const nextOf = (some: readonly Work[]): Work | undefined =>
    some
      .filter(({ todo, ended }) => !ended && todo.length > 0)
      .sort((a, b) => priorityOf(a) - priorityOf(b) || a.turn - b.turn)[0];
  return {
    next: (): Work | undefined => nextOf([...works]),
    /** `onEnd` is called once, with what went wrong if something did. */
    join(plan: Plan, task: RenderTask, todo: number[], onEnd: (error?: unknown) => void): Work {
      const work: Work = {
        ...{ plan, task, todo, total: todo.length, made: 0, seconds: 0, turn: turns++ },
        ...{ alone: false, began: undefined, ended: false, onLeave: undefined },
        end(error) {
          if (work.ended) return;
          work.ended = true;
          works.delete(work);
          onEnd(error);
          work.onLeave?.();
        },
      };
      works.add(work);
      return work;
    },
    /** Pictures for a batch with `first`, of it and of those that may share it. */
    take(first: Work, most: number): Slot[] {
      const alike = [...works].filter(({ plan, alone }) => !alone && plan.key === first.plan.key);
      const together = first.alone ? [first] : alike;
      const slots: Slot[] = [];
      for (let work = nextOf(together); work && slots.length < most; work = nextOf(together)) {
        slots.push({ work, index: work.todo.shift()! });
        work.turn = turns++;
      }
      return slots;
    },
    /** After a batch of several failed: each is drawn again, alone. */
    putBack(slots: readonly Slot[]): void {
      for (const { work, index } of slots.toReversed()) {
        work.todo.unshift(index);
        work.alone = true;
      }
    },
  };
}

const priorityOf = ({ task: { priority = 0 } }: Work): number => priority;
