/** Evaluations of one kind that wait, run or failed: a line each. */
import type { EvaluateInput } from '../../../jobs/job.ts';
import { isEnded } from '../../../jobs/state.ts';
import type { Job } from '../api.ts';
import { act } from '../state/act.ts';
import { jobs, progress } from '../state/facts.ts';
import { duration } from '../state/words.ts';
import { JobStateTag } from './job-state.tsx';

export const evaluations = (what: EvaluateInput['what']): readonly Job[] =>
  [...jobs.value.values()]
    .filter(({ input }) => input.kind === 'evaluate' && input.what === what)
    .sort((a, b) => b.createdAt - a.createdAt);

/** Failed ones are shown while nothing newer was done. */
function shownOf(what: EvaluateInput['what']): readonly Job[] {
  const all = evaluations(what);
  const [newest] = all;
  const open = all.filter(({ state }) => !isEnded(state));
  return newest?.state === 'failed' ? [newest, ...open] : open;
}

export function RunningEvaluations({ what }: { what: EvaluateInput['what'] }) {
  const shown = shownOf(what);
  if (shown.length === 0) return null;
  return (
    <ul class="card stack tight" aria-label="Measurements under way">
      {shown.map((job) => (
        <Line key={job.id} job={job} />
      ))}
    </ul>
  );
}

function Line({ job }: { job: Job }) {
  const now = progress.value.get(job.id);
  const failed = job.state === 'failed';
  return (
    <li class="walk">
      <div class="row wrap s">
        <JobStateTag job={job} />
        <b>{job.title}</b>
        {failed && <span class="soft">{job.reason}</span>}
        {now?.eta !== undefined && <span class="soft">{duration(now.eta)} left</span>}
        <span class="push">
          <button
            type="button"
            class="btn quiet"
            onClick={() => act(job, failed ? 'retry' : 'cancel')}
          >
            {failed ? 'Try again' : 'Cancel'}
          </button>
        </span>
      </div>
      {!failed && (
        <progress
          class="thin"
          value={now?.step ?? 0}
          max={now?.steps || 1}
          aria-label={`${job.title}: step ${now?.step ?? 0} of ${now?.steps ?? '?'}`}
        />
      )}
    </li>
  );
}
