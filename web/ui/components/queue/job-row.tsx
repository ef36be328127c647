/** A job of the queue: what it is, how far, why it waits or failed, and what can be done about it. */
import type { ComponentChildren } from 'preact';
import { type Job, previewUrl, urls } from '../../api.ts';
import { act } from '../../state/act.ts';
import { doneOf, previews, progress, totalOf } from '../../state/facts.ts';
import { titleOfJob } from '../../state/names.ts';
import { clock, count, duration, plural } from '../../state/words.ts';
import { IconButton } from '../controls.tsx';
import { Icon, type IconName } from '../icon.tsx';
import { JobStateTag } from '../job-state.tsx';

export function JobRow({
  job,
  grip,
  isNext = false,
}: {
  readonly job: Job;
  /** The handle, where the order can change. */
  readonly grip?: ComponentChildren;
  readonly isNext?: boolean;
}) {
  return (
    <>
      {grip ?? <span class="grip" aria-hidden="true" />}
      <Sight job={job} />
      <div class="grow">
        <p class="name">{titleOfJob(job)}</p>
        <p class="soft xs">{aboutOf(job)}</p>
      </div>
      <Bar job={job} isNext={isNext} />
      <div class="prio s">
        {job.priority !== 100 && <span class="tag">priority {job.priority}</span>}
      </div>
      <div class="acts">
        <Acts job={job} />
      </div>
      <Why job={job} />
    </>
  );
}

const ICONS: Record<Job['kind'], IconName> = {
  render: 'generate',
  batch: 'batch',
  train: 'model',
  evaluate: 'chart',
};

function Sight({ job }: { readonly job: Job }) {
  const live = previews.value.get(job.id)?.at(-1);
  const src = live
    ? previewUrl(live.png)
    : job.kind === 'render' && job.done > 0
      ? urls.thumb(`${job.id}-0`, 64)
      : undefined;
  if (!src)
    return (
      <span class="stackpic">
        <Icon name={job.state === 'failed' ? 'bad' : ICONS[job.kind]} />
      </span>
    );
  return (
    <div class="pic">
      <img src={src} width="52" height="52" alt="" />
    </div>
  );
}

/** "render, 128 px, started 14:31". */
function aboutOf({ kind, input, total, createdAt, startedAt }: Job): string {
  const size = input.kind === 'render' ? input.request.size : undefined;
  const what = {
    render: `render of ${count(total)}`,
    batch: `batch of ${count(total)}`,
    train: `training, ${plural(total, 'step')}`,
    evaluate: `measurement, ${plural(total, 'step')}`,
  }[kind];
  return [
    what,
    ...(size
      ? [`${size.width === size.height ? size.width : `${size.width} × ${size.height}`} px`]
      : []),
    startedAt === undefined ? `added ${clock(createdAt)}` : `started ${clock(startedAt)}`,
  ].join(', ');
}

const isStepped = ({ kind }: Job) => kind === 'train' || kind === 'evaluate';

function Bar({ job, isNext }: { readonly job: Job; readonly isNext: boolean }) {
  const now = progress.value.get(job.id);
  const done = doneOf(job, now);
  const total = Math.max(1, totalOf(job, now));
  const part = Math.floor((100 * done) / total);
  const hasBar = job.state === 'running' || (job.state === 'paused' && done > 0);
  return (
    <div class="bar1">
      {hasBar && (
        <progress
          class={job.state === 'running' ? '' : 'still'}
          value={done}
          max={total}
          aria-label={`${titleOfJob(job)}: ${part} percent`}
        />
      )}
      <p class="row xs">
        <JobStateTag job={job} text={stateText({ ...job, total }, done, isNext)} />
        <span class="push soft">
          {job.state === 'running' && now?.eta !== undefined && `${duration(now.eta)} left`}
          {endOf(job)}
        </span>
      </p>
    </div>
  );
}

function stateText(job: Job, done: number, isNext: boolean): string {
  const unit = isStepped(job) ? 'step ' : '';
  switch (job.state) {
    case 'running':
      if (job.kind === 'render')
        return `${count(Math.floor(done))} of ${plural(job.total, 'picture')}`;
      return isStepped(job)
        ? `Step ${count(done)} of ${count(job.total)}`
        : `${count(done)} of ${count(job.total)}`;
    case 'waiting':
      return job.reason ? `Waiting: ${job.reason}` : isNext ? 'Next' : 'Waiting';
    case 'paused':
      return done > 0 ? `Paused at ${unit}${count(done)}` : 'Paused';
    case 'done':
      return 'Done';
    case 'failed':
      return 'Failed';
    case 'cancelled':
      return 'Cancelled';
  }
}

function endOf(job: Job): string {
  if (job.finishedAt === undefined) return '';
  const took = job.startedAt === undefined ? undefined : (job.finishedAt - job.startedAt) / 1000;
  const rest = {
    done: took === undefined ? '' : `, took ${duration(took)}`,
    failed: job.attempts > 0 ? `, after ${plural(job.attempts, 'try', 'tries')}` : '',
    cancelled: `, ${count(job.done)} kept`,
  }[job.state as 'done' | 'failed' | 'cancelled'];
  return `${clock(job.finishedAt)}${rest ?? ''}`;
}

function Why({ job }: { readonly job: Job }) {
  const lines: ComponentChildren[] = [];
  if (job.state === 'failed' && job.reason) lines.push(<b>{job.reason}</b>);
  if (job.state === 'waiting' && job.reason)
    lines.push('It goes on by itself once that is over; nothing is lost.');
  if (job.resumedAt !== undefined && job.state !== 'done')
    lines.push(
      `Resumed after the restart at ${clock(job.resumedAt)}: ${
        isStepped(job)
          ? 'it went on at its last checkpoint'
          : `${plural(job.done, 'finished picture')} kept, none made twice`
      }.`,
    );
  if (job.kind === 'batch' && job.failed > 0)
    lines.push(
      <>
        {plural(job.failed, 'request')} failed, <a href={`/batches?job=${job.id}`}>see why</a>.
      </>,
    );
  if (lines.length === 0) return null;
  return (
    <div class="why">
      {lines.map((line, at) => (
        <p class="xs" key={at}>
          {line}
        </p>
      ))}
    </div>
  );
}

/** Where the results of a job are seen. */
function placeOf(job: Job): string {
  if (job.kind === 'render') return `/gallery?job=${job.id}`;
  if (job.kind === 'batch') return `/batches?job=${job.id}`;
  if (job.kind === 'train') return '/train';
  return job.input.kind === 'evaluate' && job.input.what === 'trace' ? '/decoding' : '/resolution';
}

function Acts({ job }: { readonly job: Job }) {
  const doing = (action: Parameters<typeof act>[1]) => () => act(job, action);
  const left = job.total - job.done;
  switch (job.state) {
    case 'running':
      return (
        <>
          <IconButton icon="pause" label={`Pause ${titleOfJob(job)}`} onClick={doing('pause')} />
          <IconButton icon="x" label={`Cancel ${titleOfJob(job)}`} onClick={doing('cancel')} />
        </>
      );
    case 'waiting':
      return (
        <>
          <IconButton icon="pause" label={`Hold ${titleOfJob(job)}`} onClick={doing('pause')} />
          <IconButton icon="x" label={`Remove ${titleOfJob(job)}`} onClick={doing('cancel')} />
        </>
      );
    case 'paused':
      return (
        <>
          <Named icon="play" word="Resume" job={job} onClick={doing('resume')} />
          <IconButton icon="x" label={`Remove ${titleOfJob(job)}`} onClick={doing('cancel')} />
        </>
      );
    case 'done':
      return (
        <a class="btn quiet" href={placeOf(job)} aria-label={`Show ${titleOfJob(job)}`}>
          Show
        </a>
      );
    case 'failed':
      return <Named icon="again" word="Retry" job={job} onClick={doing('retry')} />;
    case 'cancelled':
      return left > 0 ? (
        <Named
          word={isStepped(job) ? 'Go on' : `Make the other ${count(left)}`}
          job={job}
          onClick={doing('retry')}
        />
      ) : null;
  }
}

const Named = ({
  icon,
  word,
  job,
  onClick,
}: {
  readonly icon?: IconName;
  readonly word: string;
  readonly job: Job;
  readonly onClick: () => unknown;
}) => (
  <button type="button" class="btn" aria-label={`${word}: ${titleOfJob(job)}`} onClick={onClick}>
    {icon && <Icon name={icon} />}
    {word}
  </button>
);
