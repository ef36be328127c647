/** Every batch there was, newest first. */
import { useEffect, useState } from 'preact/hooks';
import { isEnded } from '../../../jobs/state.ts';
import { api, type Job, urls } from '../api.ts';
import { Empty } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { JobStateTag } from '../components/job-state.tsx';
import { Scroll } from '../components/scroll.tsx';
import { jobs } from '../state/facts.ts';
import { resets } from '../state/live.ts';
import { complain } from '../state/toasts.ts';
import { clock, count, duration } from '../state/words.ts';

const PAGE = 50;

/** Loaded pages, with what events told since laid over them. */
function useBatches() {
  const [rows, setRows] = useState<readonly Job[]>([]);
  const [next, setNext] = useState<string>();
  const [loaded, setLoaded] = useState(false);
  const load = (after?: string) =>
    api.jobs({ kind: 'batch', limit: PAGE, ...(after !== undefined && { after }) }).then((page) => {
      setRows((before) => (after === undefined ? page.jobs : [...before, ...page.jobs]));
      setNext(page.next);
      setLoaded(true);
    }, complain);
  const again = resets.value;
  useEffect(() => {
    load();
  }, [again]);
  const live = [...jobs.value.values()].filter(({ kind }) => kind === 'batch');
  const all = new Map([...rows, ...live].map((job) => [job.id, job]));
  const sorted = [...all.values()].sort((a, b) => b.createdAt - a.createdAt);
  return { batches: sorted, loaded, more: next === undefined ? undefined : () => load(next) };
}

export function AllBatches() {
  const { batches, loaded, more } = useBatches();
  if (loaded && batches.length === 0)
    return (
      <Empty
        title="No batch yet"
        acts={
          <a class="btn main" href="/batches">
            New batch
          </a>
        }
      >
        A batch is many requests under one name: a grid over prompts, seeds, sizes and methods, or
        the rows of a file.
      </Empty>
    );
  return (
    <div class="card">
      <Scroll label="All batches">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col" class="num">
                Pictures
              </th>
              <th scope="col" class="num">
                Failed
              </th>
              <th scope="col">Queued</th>
              <th scope="col" class="num">
                Took
              </th>
              <th scope="col">
                <span class="sr">Download</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {batches.map((job) => (
              <BatchRow key={job.id} job={job} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {more && (
        <p>
          <button type="button" class="btn quiet" onClick={more}>
            Older batches
          </button>
        </p>
      )}
    </div>
  );
}

function BatchRow({ job }: { job: Job }) {
  const { startedAt, finishedAt } = job;
  const took = startedAt && finishedAt ? duration((finishedAt - startedAt) / 1000) : '–';
  return (
    <tr>
      <th scope="row">
        <a href={`/batches?tab=batch&batch=${job.id}`}>{job.title}</a>
      </th>
      <td>
        <JobStateTag job={job} />
      </td>
      <td class="num">
        {job.done === job.total ? count(job.total) : `${count(job.done)} / ${count(job.total)}`}
      </td>
      <td class="num">{count(job.failed)}</td>
      <td class="nowrap">{clock(job.createdAt)}</td>
      <td class="num">{isEnded(job.state) ? took : '–'}</td>
      <td class="num">
        {job.done > 0 && (
          <a class="btn quiet" href={urls.zip(job.id)} download aria-label={`Zip of ${job.title}`}>
            <Icon name="down" />
            Zip
          </a>
        )}
      </td>
    </tr>
  );
}
