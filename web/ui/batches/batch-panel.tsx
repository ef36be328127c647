/** A batch as it runs: how far, how fast, what failed and why, the latest pictures, progress by size. */
import { useEffect, useState } from 'preact/hooks';
import type { BatchInput } from '../../../jobs/job.ts';
import { isEnded } from '../../../jobs/state.ts';
import { type Job, urls } from '../api.ts';
import { Empty, Seg } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { JobHead, JobWalk } from '../components/job-panel.tsx';
import { Note } from '../components/note.tsx';
import { act } from '../state/act.ts';
import { toast } from '../state/toasts.ts';
import { clock, count, duration, plural } from '../state/words.ts';
import { type BatchFacts, LATEST } from './batch-facts.ts';
import { bySize } from './by-size.ts';
import { axisTitle } from './sheet.ts';

/** Batches of which all requests are looked at, for progress by size. */
const SMALL = 1000;

export function BatchPanel({ facts }: { facts: BatchFacts }) {
  const job = facts.job.value;
  const input = facts.input.value;
  useEffect(() => {
    if (job && job.total <= SMALL) facts.loadRequests();
  }, [facts, job?.total]);
  if (!job)
    return facts.error.value ? (
      <Note kind="bad" title={facts.error.value} />
    ) : (
      <p class="soft" aria-busy="true">
        Loading the batch
      </p>
    );
  return (
    <div class="stack">
      <div class="card stack">
        <Head job={job} />
        <Walk job={job} facts={facts} />
        {job.resumedAt !== undefined && (
          <Note kind="acc" title={`Taken up again at ${clock(job.resumedAt)}`} role="none">
            The server was started anew. Pictures that were finished are kept, the others are the
            same as without the break.
          </Note>
        )}
        <Failures job={job} facts={facts} />
        <Ended job={job} />
      </div>
      <div class="plan">
        <Pictures facts={facts} job={job} />
        <aside class="stack">
          <Sizes facts={facts} />
          {input && <About job={job} input={input} />}
        </aside>
      </div>
    </div>
  );
}

function Head({ job }: { job: Job }) {
  const stop = () =>
    act(job, 'cancel').then(() =>
      toast(`${job.title}: cancelled, ${plural(job.done, 'picture')} kept`, {
        action: { label: 'Make the others', run: () => act(job, 'retry') },
      }),
    );
  return (
    <JobHead job={job} stop={{ label: 'Cancel', icon: 'x', run: stop }}>
      {job.done > 0 && (
        <a class="btn" href={urls.zip(job.id)} download>
          <Icon name="down" />
          {isEnded(job.state) ? 'Zip' : 'Zip so far'}
        </a>
      )}
    </JobHead>
  );
}

function Walk({ job, facts }: { job: Job; facts: BatchFacts }) {
  const share = job.total === 0 ? 0 : (100 * job.done) / job.total;
  const text = `${count(job.done)} of ${plural(job.total, 'picture')}, ${share.toFixed(1).replace(/\.0$/, '')} %`;
  const rate = facts.rate.value;
  return (
    <JobWalk
      {...{ job, text }}
      what="Batch"
      value={job.done}
      eta={facts.eta.value}
      figures={[
        ['pictures a second', rate === undefined ? rate : String(Number(rate.toPrecision(2)))],
        ['done', count(job.done)],
        ['left', count(Math.max(0, job.total - job.done))],
        [job.failed === 1 ? 'request failed' : 'requests failed', count(job.failed)],
      ]}
    />
  );
}

function Failures({ job, facts }: { job: Job; facts: BatchFacts }) {
  if (job.failed === 0) return null;
  const reasons = [...new Set(facts.failed.value.map(({ reason }) => reason ?? 'no reason given'))];
  return (
    <Note
      kind="warn"
      title={`${plural(job.failed, 'request')} failed`}
      action={{ label: 'Retry failed', run: () => act(job, 'retry') }}
    >
      {reasons.slice(0, 2).join(' ')} {!isEnded(job.state) && 'The other pictures go on.'}
    </Note>
  );
}

function Ended({ job }: { job: Job }) {
  if (job.state !== 'cancelled' && !(job.state === 'failed' && job.failed === 0)) return null;
  const left = job.total - job.done;
  return (
    <Note
      {...(job.state === 'failed' && { kind: 'bad' as const })}
      icon="x"
      role="none"
      title={job.state === 'cancelled' ? 'Cancelled' : (job.reason ?? 'Failed')}
      action={{ label: `Make the other ${count(left)}`, run: () => act(job, 'retry') }}
    >
      {plural(job.done, 'finished picture')} {job.done === 1 ? 'is' : 'are'} kept.
    </Note>
  );
}

type Shown = 'latest' | 'failed';

function Pictures({ facts, job }: { facts: BatchFacts; job: Job }) {
  const [shown, setShown] = useState<Shown>('latest');
  const latest = facts.latest.value;
  return (
    <section class="card" aria-label="Pictures of this batch">
      <header>
        <h2>{shown === 'latest' ? 'Latest' : 'Failed'}</h2>
        <p>
          {shown === 'latest'
            ? latest.length < LATEST
              ? 'newest first'
              : `newest first, ${LATEST} shown`
            : 'requests and their reasons'}
        </p>
        {job.failed > 0 && (
          <span class="push">
            <Seg<Shown>
              legend="Shown"
              options={[
                { value: 'latest', label: 'Latest' },
                { value: 'failed', label: `Failed ${count(job.failed)}` },
              ]}
              value={shown}
              onChange={setShown}
            />
          </span>
        )}
      </header>
      {shown === 'failed' ? (
        <FailedList jobs={facts.failed.value} />
      ) : latest.length === 0 ? (
        <Empty title="No picture yet">The first ones appear here as they are finished.</Empty>
      ) : (
        <div class="mini">
          {latest.map((picture) => (
            <div class="pic" key={picture.id}>
              <img
                src={urls.thumb(picture.id, 64)}
                alt={`${picture.prompt || 'no words'}, seed ${picture.seed}`}
                width={64}
                height={64}
                loading="lazy"
              />
              <a href={`/gallery?image=${picture.id}`}>
                <span class="sr">{`${picture.prompt || 'no words'}, seed ${picture.seed}, ${picture.width} × ${picture.height}`}</span>
              </a>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

const FailedList = ({ jobs }: { jobs: readonly Job[] }) => (
  <ul class="stack tight s">
    {jobs.map((job) => (
      <li key={job.id}>
        <b>
          Request {count((job.index ?? 0) + 1)}: {job.title}
        </b>
        <br />
        <span class="soft">
          {job.reason ?? 'no reason given'} ({plural(job.attempts, 'try', 'tries')})
        </span>
      </li>
    ))}
  </ul>
);

function Sizes({ facts }: { facts: BatchFacts }) {
  const rows = bySize(facts.children.value.values());
  if (rows.length < 2) return null;
  return (
    <section class="card">
      <header>
        <h2>By size</h2>
      </header>
      <div class="bysize">
        {rows.map(({ size, done, total }) => (
          <div key={size}>
            <span>{size}</span>
            <progress
              class="thin"
              value={done}
              max={total}
              aria-label={`${size}: ${count(done)} of ${count(total)}`}
            />
            <span class="num soft">
              {count(done)} / {count(total)}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}

/** Single values of axes, and how many the others have. */
const axisText = (values: readonly string[]): string =>
  values.length === 1 ? values[0]! : `${count(values.length)} values`;

function About({ job, input: { requests, axes } }: { job: Job; input: BatchInput }) {
  const took =
    job.startedAt !== undefined && job.finishedAt !== undefined
      ? duration((job.finishedAt - job.startedAt) / 1000)
      : undefined;
  const facts: (readonly [string, string])[] = [
    ['Model', requests[0]?.model ?? '–'],
    ...(axes ?? []).map(({ name, values }) => [axisTitle(name), axisText(values)] as const),
    ['Queued', clock(job.createdAt)],
    ...(job.startedAt === undefined ? [] : [['Started', clock(job.startedAt)] as const]),
    ...(took === undefined ? [] : [['Took', took] as const]),
  ];
  return (
    <section class="card">
      <header>
        <h2>About it</h2>
      </header>
      <dl class="facts">
        {facts.map(([name, value]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} is`}>{value}</dd>,
        ])}
      </dl>
    </section>
  );
}
