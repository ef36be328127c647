/** How far the render in view is, what it waits for, or how it ended. */
import { api, type Job } from '../../api.ts';
import { doneOf, waiting } from '../../state/facts.ts';
import {
  generate,
  refusal,
  view,
  viewed,
  viewedPictures,
  viewedProgress,
} from '../../state/session.ts';
import { announce, complain } from '../../state/toasts.ts';
import { clock, count, duration, plural } from '../../state/words.ts';
import { Icon } from '../icon.tsx';
import { Note } from '../note.tsx';

/** More than this many pictures left, and cancelling asks once. */
const ASK_ABOVE = 20;
let dialog: HTMLDialogElement | null = null;

/** The key Esc. False where there is nothing to cancel. */
export function cancelViewed(): boolean {
  const job = viewed.value;
  if (!job || (job.state !== 'running' && job.state !== 'waiting' && job.state !== 'paused'))
    return false;
  if (job.total - job.done > ASK_ABOVE) dialog?.showModal();
  else cancel(job);
  return true;
}

function cancel(job: Job): void {
  api.act(job.id, 'cancel').then(() => announce('Cancelled.'), complain);
}

export function Walk() {
  const job = viewed.value;
  return (
    <>
      {refusal.value && <Refused />}
      {job && <State job={job} />}
      <dialog
        aria-labelledby="cancel-h"
        ref={(element) => {
          dialog = element;
        }}
      >
        <h2 id="cancel-h">Cancel this render?</h2>
        <p>
          {job && plural(job.total - job.done, 'picture')} would not be made. What is finished is
          kept.
        </p>
        <form method="dialog" class="row">
          <button type="submit" class="btn bad" onClick={() => job && cancel(job)}>
            Cancel the render
          </button>
          <button type="submit" class="btn push">
            Go on
          </button>
        </form>
      </dialog>
    </>
  );
}

function Refused() {
  const { message, code, retryAfter } = refusal.value!;
  const more =
    code === 'queue_full' || code === 'too_many'
      ? `The form is kept.${retryAfter ? ` Room in about ${duration(retryAfter)}.` : ''}`
      : 'Nothing was started; the form is kept.';
  return (
    <Note
      kind={code === 'queue_full' ? 'warn' : 'bad'}
      role="alert"
      title={message}
      action={{ label: 'Try again', run: generate }}
      onClose={() => {
        refusal.value = undefined;
      }}
    >
      {more}
    </Note>
  );
}

function State({ job }: { readonly job: Job }) {
  const made = Math.max(job.done, viewedPictures.value.length);
  const left = job.total - made;
  const retry = {
    label: job.state === 'failed' ? 'Retry' : `Make the other ${count(left)}`,
    run: () =>
      api.act(job.id, 'retry').then(() => {
        view(job.id);
      }, complain),
  };
  switch (job.state) {
    case 'failed':
      return (
        <Note kind="bad" title={job.reason ?? 'The render failed.'} action={retry}>
          {made > 0
            ? `${plural(made, 'finished picture')} of ${count(job.total)} kept.`
            : 'Nothing was drawn; the form is kept.'}
        </Note>
      );
    case 'cancelled':
      return (
        <Note
          icon="stop"
          title={`Cancelled after ${count(made)} of ${plural(job.total, 'picture')}.`}
          {...(left > 0 && { action: retry })}
        >
          It stopped within one step; what was finished is in the gallery.
        </Note>
      );
    case 'done':
      return null;
    default:
      return <Going job={job} />;
  }
}

function Going({ job }: { readonly job: Job }) {
  const now = viewedProgress.value;
  const made = Math.max(job.done, now?.done ?? 0);
  const isRunning = job.state === 'running';
  return (
    <>
      {job.resumedAt !== undefined && (
        <Note
          kind="acc"
          title={`The server restarted; this render went on at ${clock(job.resumedAt)}.`}
        >
          {plural(made, 'picture')} were kept, and the rest will be the same as without the restart.
        </Note>
      )}
      <div class="walk">
        <div class="row">
          <strong class="nowrap">
            {isRunning
              ? `${count(made)} of ${plural(job.total, 'picture')}`
              : job.state === 'paused'
                ? `Paused after ${plural(made, 'picture')}`
                : waitsFor(job)}
          </strong>
          {isRunning && now && (
            <span class="soft nowrap opt">
              {count(now.step)} of {plural(now.steps, 'step')}
            </span>
          )}
          {isRunning && now?.eta !== undefined && (
            <span class="push soft nowrap">
              {duration(now.eta)} left
              <span class="wide-only">, done at {clock(Date.now() + now.eta * 1000)}</span>
            </span>
          )}
          <button
            type="button"
            class={`btn quiet ${isRunning && now?.eta !== undefined ? '' : 'push'}`}
            onClick={cancelViewed}
          >
            <Icon name="stop" />
            Cancel <kbd>Esc</kbd>
          </button>
        </div>
        <progress
          class={isRunning ? '' : 'still'}
          value={doneOf(job, now)}
          max={job.total}
          aria-label={`Render: ${count(made)} of ${plural(job.total, 'picture')} done${
            now ? `, ${count(now.step)} of ${plural(now.steps, 'step')}` : ''
          }`}
        />
      </div>
    </>
  );
}

function waitsFor(job: Job): string {
  if (job.reason) return `Waiting: ${job.reason}`;
  const before = waiting.value.filter(
    ({ id, priority, createdAt }) =>
      id !== job.id &&
      (priority < job.priority || (priority === job.priority && createdAt < job.createdAt)),
  ).length;
  return before === 0 ? 'Next' : `Waiting, ${plural(before, 'job')} before it`;
}
