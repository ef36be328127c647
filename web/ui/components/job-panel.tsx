/** The top of a job's own page: its name, what can be done with it now, and how far it is. */
import type { ComponentChildren } from 'preact';
import { isEnded } from '../../../jobs/state.ts';
import type { Job } from '../api.ts';
import { act } from '../state/act.ts';
import { clock, duration } from '../state/words.ts';
import { Icon, type IconName } from './icon.tsx';
import { JobStateTag } from './job-state.tsx';

export function JobHead({
  job,
  stop,
  children,
}: {
  readonly job: Job;
  readonly stop: { readonly label: string; readonly icon: IconName; readonly run: () => unknown };
  /** What else can be done. */
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="row wrap">
      <h2>{job.title}</h2>
      <JobStateTag job={job} />
      <span class="push row wrap">
        {job.state === 'paused' && <GoOn onClick={() => act(job, 'resume')} />}
        {(job.state === 'running' || job.state === 'waiting') && (
          <button type="button" class="btn" onClick={() => act(job, 'pause')}>
            <Icon name="pause" />
            Pause
          </button>
        )}
        {children}
        {!isEnded(job.state) && (
          <button type="button" class="btn bad" onClick={stop.run}>
            <Icon name={stop.icon} />
            {stop.label}
          </button>
        )}
      </span>
    </div>
  );
}

export const GoOn = ({ onClick }: { readonly onClick: () => unknown }) => (
  <button type="button" class="btn" onClick={onClick}>
    <Icon name="play" />
    Go on
  </button>
);

export function JobWalk({
  job,
  what,
  text,
  value,
  eta,
  figures,
}: {
  readonly job: Job;
  readonly what: string;
  /** How far it is, in words. */
  readonly text: string;
  /** Of the job's total. */
  readonly value: number;
  /** Seconds left. */
  readonly eta: number | undefined;
  /** Those that are known are shown. */
  readonly figures: readonly (readonly [name: string, value: string | undefined])[];
}) {
  return (
    <>
      <div class="walk">
        <progress
          class={job.state === 'running' ? '' : 'still'}
          value={value}
          max={job.total || 1}
          aria-label={`${what}: ${text}`}
        />
        <div class="row s">
          <span role="status">{text}</span>
          {eta !== undefined && (
            <span class="push soft">
              {duration(eta)} left, done about {clock(Date.now() + eta * 1000)}
            </span>
          )}
        </div>
      </div>
      <dl class="figures">
        {figures.map(([name, figure]) =>
          figure === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{figure}</dd>
            </div>
          ),
        )}
      </dl>
    </>
  );
}
