/** Queue: what runs, what waits and in which order, what ended and how. */
import { useEffect, useState } from 'preact/hooks';
import { api, type Job } from '../api.ts';
import { Empty } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { JobRow } from '../components/queue/job-row.tsx';
import { WaitingList } from '../components/queue/waiting-list.tsx';
import { ended, hall, jobs, paused, running, waiting } from '../state/facts.ts';
import { loaded, resets } from '../state/live.ts';
import { titleOfJob } from '../state/names.ts';
import { followOrder, loadOrder, SHOWN } from '../state/queue.ts';
import { stored } from '../state/storage.ts';
import { complain } from '../state/toasts.ts';
import { clock, count } from '../state/words.ts';
import './queue.css';

export function Queue() {
  const seen = resets.value;
  useEffect(() => {
    if (seen > 0) loadOrder().catch(complain);
  }, [seen]);
  useEffect(followOrder, []);
  const held = [...jobs.value.values()].filter(({ state }) => state === 'paused');
  const isEmpty = running.value.length + waiting.value.length + held.length === 0;
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Queue</h1>
        <p role="status">{loaded.value ? summary(held.length) : 'Loading'}</p>
        <span class="push row">
          <button
            type="button"
            class="btn"
            onClick={() => api.queue(paused.value ? 'resume' : 'pause').catch(complain)}
          >
            <Icon name={paused.value ? 'play' : 'pause'} />
            {paused.value ? 'Resume all' : 'Pause all'}
          </button>
        </span>
      </div>
      <div class="stack">
        {paused.value && (
          <Note kind="warn" icon="pause" role="status" title="The queue is paused.">
            Nothing new is begun until it is resumed.
          </Note>
        )}
        <Restarted />
        {loaded.value && isEmpty && (
          <Empty
            title="The hall is empty"
            acts={
              <>
                <a class="btn" href="/">
                  Generate
                </a>
                <a class="btn" href="/batches">
                  New batch
                </a>
              </>
            }
          >
            New work starts at once.
          </Empty>
        )}
        <Section title="Running" rows={running.value} />
        {waiting.value.length > 0 && (
          <>
            <section class="row">
              <h2 class="s">Waiting</h2>
              <span class="soft xs wide-only">
                drag, or focus the handle and use the arrow keys
              </span>
            </section>
            <WaitingList />
            {waiting.value.length > SHOWN && (
              <p class="hint">
                The first {SHOWN} of {count(waiting.value.length)}.
              </p>
            )}
          </>
        )}
        <Section title="Paused" rows={held} />
        <Finished />
      </div>
    </main>
  );
}

function summary(held: number): string {
  const { done, total } = hall.value;
  const parts = [
    `${count(running.value.length)} running`,
    `${count(waiting.value.length)} waiting`,
    ...(held > 0 ? [`${count(held)} paused`] : []),
    ...(total > done ? [`${count(Math.ceil(total - done))} pictures and steps to go`] : []),
  ];
  return parts.join(', ');
}

function Section({ title, rows }: { readonly title: string; readonly rows: readonly Job[] }) {
  if (rows.length === 0) return null;
  return (
    <>
      <section>
        <h2 class="s">{title}</h2>
      </section>
      <ul class="jobs">
        {rows.map((job) => (
          <li class="job" key={job.id}>
            <JobRow job={job} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Restarts that were read about already: the times of the latest ones. */
const dismissed = stored<number>('restart-seen', 0, Number);

/** Jobs taken up again within a minute of each other belong to one restart. */
const TOGETHER = 60_000;

function Restarted() {
  const resumed = [...jobs.value.values()].filter(
    ({ resumedAt = 0, state }) => resumedAt > dismissed.value && state !== 'cancelled',
  );
  const last = Math.max(0, ...resumed.map(({ resumedAt = 0 }) => resumedAt));
  if (last === 0) return null;
  const together = resumed.filter(({ resumedAt = 0 }) => last - resumedAt < TOGETHER);
  return (
    <Note
      kind="acc"
      title={`The server restarted at ${clock(last)}. Nothing was lost.`}
      onClose={() => {
        dismissed.value = last;
      }}
    >
      {together.length === 1
        ? `One job was in the middle and went on where it was: ${titleOfJob(together[0]!)}.`
        : `${count(together.length)} jobs were in the middle and went on where they were.`}{' '}
      Their pictures are the same as without the restart.
    </Note>
  );
}

const FEW = 15;

function Finished() {
  const [isAll, setAll] = useState(false);
  const rows = ended.value;
  if (rows.length === 0) return null;
  const of = (state: Job['state']) => rows.filter((job) => job.state === state).length;
  const counts = [
    `${count(of('done'))} done`,
    ...(of('failed') > 0 ? [`${count(of('failed'))} failed`] : []),
    ...(of('cancelled') > 0 ? [`${count(of('cancelled'))} cancelled`] : []),
  ].join(', ');
  return (
    <>
      <section class="row">
        <h2 class="s">Finished of late</h2>
        <span class="soft xs">{counts}</span>
      </section>
      <ul class="jobs">
        {rows.slice(0, isAll ? rows.length : FEW).map((job) => (
          <li class="job" key={job.id}>
            <JobRow job={job} />
          </li>
        ))}
      </ul>
      {!isAll && rows.length > FEW && (
        <p>
          <button type="button" class="btn" onClick={() => setAll(true)}>
            Show {count(rows.length - FEW)} more
          </button>
        </p>
      )}
    </>
  );
}
