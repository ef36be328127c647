/** The order of waiting jobs as the server has it, and moves in it. */
import { signal } from '@preact/signals';
import { api } from '../api.ts';
import { onEvent, takeAnswers } from './facts.ts';
import { complain } from './toasts.ts';

/** Ids of waiting jobs, the next one first; of the first rows, which are all that a person moves. */
export const order = signal<readonly string[]>([]);
export const SHOWN = 200;

export type Target = { readonly before: string } | { readonly to: 'first' | 'last' };

/** The order with one job elsewhere, and how to ask for that; undefined where nothing would change. */
export function moved(
  ids: readonly string[],
  id: string,
  to: number,
): { readonly ids: readonly string[]; readonly target: Target } | undefined {
  const from = ids.indexOf(id);
  const place = Math.min(ids.length - 1, Math.max(0, to));
  if (from < 0 || from === place) return undefined;
  const rest = ids.filter((other) => other !== id);
  const before = rest[place];
  return {
    ids: rest.toSpliced(place, 0, id),
    target: place === 0 ? { to: 'first' } : before === undefined ? { to: 'last' } : { before },
  };
}

/** At once in the list; back again if the server refuses. */
export function move(id: string, to: number): void {
  const next = moved(order.value, id, to);
  if (!next) return;
  const before = order.value;
  order.value = next.ids;
  api.move(id, next.target).catch((error) => {
    order.value = before;
    complain(error);
  });
}

export async function loadOrder(): Promise<void> {
  const page = await api.jobs({ state: ['waiting'], order: 'queue', limit: SHOWN });
  takeAnswers(page.jobs);
  order.value = page.jobs.map(({ id }) => id);
}

/** Events say that something waits, not where: the order is asked for, at most every so often. */
const PERIOD = 400;

export function followOrder(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      loadOrder().catch(() => {});
    }, PERIOD);
  };
  const stop = onEvent((event) => {
    if (event.type !== 'job' || event.job.parent !== undefined) return;
    if (event.job.state === 'waiting' || order.value.includes(event.job.id)) soon();
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
