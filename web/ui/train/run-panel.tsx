/** A run as it trains: how far, its losses, its sheets, what became of it. */
import { useMemo } from 'preact/hooks';
import type { TrainInput } from '../../../jobs/job.ts';
import type { Job, Progress } from '../api.ts';
import { short } from '../charts/scale.ts';
import { Chart } from '../components/chart.tsx';
import { Empty } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { GoOn, JobHead, JobWalk } from '../components/job-panel.tsx';
import { Note } from '../components/note.tsx';
import { act } from '../state/act.ts';
import { clock, count } from '../state/words.ts';
import { writeConfig } from './config.ts';
import { lastOf, lossChart } from './curve.ts';
import { begin } from './form.ts';
import { modelOf } from './result.ts';
import type { RunFacts, Sheet } from './run-facts.ts';

export function RunPanel({ facts, onCopy }: { facts: RunFacts; onCopy: () => void }) {
  const job = facts.job.value;
  const points = facts.points.value;
  const spec = useMemo(
    () => lossChart([{ name: job?.title ?? 'run', points }]),
    [job?.title, points],
  );
  if (!job)
    return facts.error.value ? (
      <Note kind="bad" title={facts.error.value} />
    ) : (
      <p class="soft" aria-busy="true">
        Loading the run
      </p>
    );
  return (
    <div class="stack">
      <div class="card stack">
        <Head job={job} />
        <Walk job={job} facts={facts} />
        <Outcome job={job} />
      </div>
      <div class="plan">
        <section class="card" aria-label="Losses">
          <header>
            <h2>Loss</h2>
            <p>on pictures of the training, and on pictures that were held out</p>
          </header>
          {points.length === 0 ? (
            <Empty title="No step yet">
              The first steps come after the pictures of the data set are drawn and the network is
              compiled.
            </Empty>
          ) : (
            <Chart spec={spec} />
          )}
        </section>
        <Configuration job={job} onCopy={onCopy} />
      </div>
      <Sheets sheets={facts.sheets.value} />
    </div>
  );
}

function Head({ job }: { job: Job }) {
  const stop = () => act(job, 'cancel');
  return (
    <JobHead job={job} stop={{ label: 'Stop', icon: 'stop', run: stop }}>
      {(job.state === 'cancelled' || job.state === 'failed') && (
        <GoOn onClick={() => act(job, 'retry')} />
      )}
    </JobHead>
  );
}

function Walk({ job, facts }: { job: Job; facts: RunFacts }) {
  const now: Progress | undefined = facts.progress.value;
  const points = facts.points.value;
  const step = Math.max(job.done, now?.step ?? 0, points.at(-1)?.step ?? 0);
  const known = (name: string) => now?.values?.[name] ?? lastOf(points, name);
  const figure = (value: number | undefined) => (value === undefined ? value : short(value));
  return (
    <JobWalk
      job={job}
      what="Training"
      text={`Step ${count(step)} of ${count(job.total)}`}
      value={Math.min(step, job.total)}
      eta={job.state === 'running' ? now?.eta : undefined}
      figures={[
        ['loss', figure(known('loss'))],
        ['held-out loss', figure(known('heldOutLoss'))],
        ['pictures a second', figure(now?.values?.picturesPerSecond)],
      ]}
    />
  );
}

function Outcome({ job }: { job: Job }) {
  if (job.state === 'failed')
    return (
      <Note
        kind="bad"
        title={job.reason ?? 'The run failed.'}
        action={{ label: 'Go on from the latest checkpoint', run: () => act(job, 'retry') }}
      >
        What was trained up to the latest checkpoint is kept.
      </Note>
    );
  if (job.state === 'cancelled')
    return (
      <Note icon="stop" role="none" title="Stopped">
        The latest checkpoint is kept; Go on takes it up again.
      </Note>
    );
  const model = modelOf(job);
  if (job.state !== 'done' || model === undefined) return null;
  return (
    <Note kind="acc" icon="check" role="none" title={`Finished: the model ${model}`}>
      <a href={`/models?model=${encodeURIComponent(model)}`}>Its card</a>,{' '}
      <a href={`/?model=${encodeURIComponent(model)}`}>pictures from it</a>,{' '}
      <a href={`/resolution?model=${encodeURIComponent(model)}`}>how it does at other sizes</a>
    </Note>
  );
}

function Configuration({ job, onCopy }: { job: Job; onCopy: () => void }) {
  const { config, init } = job.input as TrainInput;
  const copy = () => {
    begin(config);
    onCopy();
  };
  return (
    <aside class="card stack tight" aria-label="Configuration">
      <h2>Configuration</h2>
      <dl class="facts">
        <dt>Weights</dt>
        <dd>{init ? `of ${init}` : 'fresh'}</dd>
        <dt>Queued</dt>
        <dd>{clock(job.createdAt)}</dd>
        {job.startedAt !== undefined && (
          <>
            <dt>Started</dt>
            <dd>{clock(job.startedAt)}</dd>
          </>
        )}
        {job.resumedAt !== undefined && (
          <>
            <dt>Taken up again</dt>
            <dd>{clock(job.resumedAt)}</dd>
          </>
        )}
      </dl>
      <details class="fold">
        <summary>As JSON</summary>
        <pre class="mono xs config">{writeConfig(config)}</pre>
      </details>
      <button type="button" class="btn" onClick={copy}>
        <Icon name="copy" />
        Begin another with it
      </button>
    </aside>
  );
}

function Sheets({ sheets }: { sheets: readonly Sheet[] }) {
  if (sheets.length === 0) return null;
  return (
    <section class="card" aria-label="Sheets of samples">
      <header>
        <h2>Sheets</h2>
        <p>the same words and seeds each time, newest first</p>
      </header>
      <div class="run-sheets">
        {sheets.map(({ step, url }) => (
          <figure key={step}>
            <a href={url} target="_blank" rel="noreferrer">
              <img src={url} alt={`Samples at step ${step}`} loading="lazy" />
            </a>
            <figcaption class="xs soft">step {count(step)}</figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}
