/** Waiting jobs in the order they are taken; moved by their handle, with the pointer or the arrow keys. */
import { useRef, useState } from 'preact/hooks';
import type { Job } from '../../api.ts';
import { jobs } from '../../state/facts.ts';
import { titleOfJob } from '../../state/names.ts';
import { move, order } from '../../state/queue.ts';
import { announce } from '../../state/toasts.ts';
import { Icon } from '../icon.tsx';
import { JobRow } from './job-row.tsx';

export function WaitingList() {
  const rows = order.value
    .map((id) => jobs.value.get(id))
    .filter((job): job is Job => job?.state === 'waiting');
  const list = useRef<HTMLUListElement>(null);
  const [drag, setDrag] = useState<{ readonly id: string; readonly to: number }>();
  /** Where the job in hand was when its handle got the focus; Esc puts it back. */
  const start = useRef<{ readonly id: string; readonly at: number } | undefined>(undefined);

  const placeAt = (y: number): number => {
    const tops = [...(list.current?.children ?? [])].map((row) => {
      const { top, height } = row.getBoundingClientRect();
      return top + height / 2;
    });
    return tops.filter((middle) => middle < y).length;
  };
  /** Between rows: the place before its own counts once it is taken out. */
  const placeOf = (id: string, gap: number): number =>
    gap > order.value.indexOf(id) ? gap - 1 : gap;

  const step = (job: Job, to: number) => {
    move(job.id, to);
    announce(
      `${titleOfJob(job)} is number ${order.value.indexOf(job.id) + 1} of ${order.value.length}.`,
    );
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>(`[data-grip="${job.id}"]`)?.focus(),
    );
  };
  const onKeyDown = (event: KeyboardEvent, job: Job) => {
    const at = order.value.indexOf(job.id);
    const to = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: order.value.length - 1,
      Escape: start.current?.id === job.id ? start.current.at : at,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    step(job, to);
  };

  return (
    <ul class="jobs" ref={list}>
      {rows.map((job, at) => (
        <li
          key={job.id}
          class={`job ${drag?.id === job.id ? 'lifted' : ''} ${drag?.to === at ? 'before' : ''} ${
            drag?.to === rows.length && at === rows.length - 1 ? 'after' : ''
          }`}
        >
          <JobRow
            job={job}
            isNext={at === 0}
            grip={
              <button
                type="button"
                class="grip"
                data-grip={job.id}
                aria-label={`Move ${titleOfJob(job)}. Arrow keys move it up or down.`}
                onKeyDown={(event) => onKeyDown(event, job)}
                onFocus={() => {
                  if (start.current?.id !== job.id) start.current = { id: job.id, at };
                }}
                onPointerDown={(event) => {
                  event.currentTarget.setPointerCapture(event.pointerId);
                  setDrag({ id: job.id, to: at });
                }}
                onPointerMove={(event) => {
                  if (drag) setDrag({ id: job.id, to: placeAt(event.clientY) });
                }}
                onPointerUp={() => {
                  if (drag) move(job.id, placeOf(job.id, drag.to));
                  setDrag(undefined);
                }}
                onPointerCancel={() => setDrag(undefined)}
              >
                <Icon name="grip" />
              </button>
            }
          />
        </li>
      ))}
    </ul>
  );
}
