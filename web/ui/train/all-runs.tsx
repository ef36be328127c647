/** Every run there was; several chosen are compared in one chart. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TrainInput } from '../../../jobs/job.ts';
import { api, type Job } from '../api.ts';
import { Chart } from '../components/chart.tsx';
import { Empty } from '../components/controls.tsx';
import { JobStateTag } from '../components/job-state.tsx';
import { Scroll } from '../components/scroll.tsx';
import { jobs, onEvent } from '../state/facts.ts';
import { resets } from '../state/live.ts';
import { search, setSearch } from '../state/router.ts';
import { complain } from '../state/toasts.ts';
import { clock, count } from '../state/words.ts';
import { joinPoints, lossChart, type RunCurve } from './curve.ts';
import { modelOf } from './result.ts';

/** Runs in one chart at most: more than colours and marks can tell. */
const MOST = 6;
const PAGE = 100;

function useRuns() {
  const [rows, setRows] = useState<readonly Job[]>([]);
  const again = resets.value;
  useEffect(() => {
    api.jobs({ kind: 'train', limit: PAGE }).then((page) => setRows(page.jobs), complain);
  }, [again]);
  const live = [...jobs.value.values()].filter(({ kind }) => kind === 'train');
  const all = new Map([...rows, ...live].map((job) => [job.id, job]));
  return [...all.values()].sort((a, b) => b.createdAt - a.createdAt);
}

export function AllRuns() {
  const runs = useRuns();
  const asked = (search.value.get('compare') ?? '').split(',').filter(Boolean);
  const chosen = runs.filter(({ id }) => asked.includes(id)).slice(0, MOST);
  const toggle = (id: string) => {
    const next = asked.includes(id) ? asked.filter((other) => other !== id) : [...asked, id];
    setSearch({ compare: next.slice(-MOST).join(',') });
  };
  if (runs.length === 0)
    return (
      <Empty
        title="No run yet"
        acts={
          <a class="btn main" href="/train">
            New run
          </a>
        }
      >
        Each run keeps its losses, its sheets and its checkpoints; two or more are compared here.
      </Empty>
    );
  return (
    <div class="stack">
      {chosen.length > 0 && <Compared runs={chosen} />}
      <div class="card">
        <Scroll label="All runs">
          <table>
            <thead>
              <tr>
                <th scope="col">Compare</th>
                <th scope="col">Run</th>
                <th scope="col">State</th>
                <th scope="col" class="num">
                  Steps
                </th>
                <th scope="col">Data</th>
                <th scope="col">Queued</th>
                <th scope="col">Model</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <RunRow
                  key={run.id}
                  run={run}
                  chosen={asked.includes(run.id)}
                  onToggle={() => toggle(run.id)}
                />
              ))}
            </tbody>
          </table>
        </Scroll>
        <p class="hint">Up to {MOST} runs are compared in one chart.</p>
      </div>
    </div>
  );
}

function RunRow({
  run,
  chosen,
  onToggle,
}: {
  readonly run: Job;
  readonly chosen: boolean;
  readonly onToggle: () => void;
}) {
  const { config } = run.input as TrainInput;
  const data = config.data as { set?: unknown; size?: unknown } | undefined;
  const model = modelOf(run);
  return (
    <tr>
      <td>
        <label class="tick">
          <input type="checkbox" checked={chosen} onChange={onToggle} />
          <span class="sr">Compare {run.title}</span>
        </label>
      </td>
      <th scope="row">
        <a href={`/train?tab=run&run=${run.id}`}>{run.title}</a>
      </th>
      <td>
        <JobStateTag job={run} />
      </td>
      <td class="num">
        {run.done === run.total ? count(run.total) : `${count(run.done)} / ${count(run.total)}`}
      </td>
      <td>{data ? `${data.set}, ${data.size} px` : '–'}</td>
      <td class="nowrap">{clock(run.createdAt)}</td>
      <td>{model ? <a href={`/models?model=${encodeURIComponent(model)}`}>{model}</a> : '–'}</td>
    </tr>
  );
}

function Compared({ runs }: { runs: readonly Job[] }) {
  const [curves, setCurves] = useState<ReadonlyMap<string, RunCurve>>(new Map());
  const key = runs.map(({ id }) => id).join(',');
  useEffect(() => {
    let gone = false;
    const load = (run: Pick<Job, 'id' | 'title'>) =>
      api.points(run.id).then(({ points }) => {
        if (gone) return;
        setCurves((before) => {
          const known = before.get(run.id)?.points ?? [];
          return new Map(before).set(run.id, {
            name: run.title,
            points: joinPoints(known, points),
          });
        });
      }, complain);
    for (const run of runs) load(run);
    const stop = onEvent((event) => {
      if (event.type === 'job' && key.split(',').includes(event.job.id)) load(event.job);
    });
    return () => {
      gone = true;
      stop();
    };
  }, [key]);
  const spec = useMemo(
    () => lossChart(key.split(',').flatMap((id) => curves.get(id) ?? [])),
    [key, curves],
  );
  return (
    <section class="card" aria-label="Runs compared">
      <header>
        <h2>Compared</h2>
        <p>held-out losses are of the same pictures where the data sets are the same</p>
      </header>
      <Chart spec={spec} />
    </section>
  );
}
