/** Who takes jobs now: on what, with which job in hand and which models in memory. */
import type { WorkerView } from '../../../jobs/jobs.ts';
import { bytes, duration, plural } from '../state/words.ts';
import { Icon } from './icon.tsx';
import { Scroll } from './scroll.tsx';

export const Workers = ({ workers }: { readonly workers: readonly WorkerView[] }) => (
  <section class="card w12">
    <header>
      <h2>Workers</h2>
      <p>
        {workers.length === 0
          ? 'none: jobs wait'
          : `${plural(workers.length, 'process', 'processes')} at work`}
      </p>
    </header>
    {workers.length > 0 && (
      <Scroll label="Workers">
        <table>
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">Device</th>
              <th scope="col">Doing</th>
              <th scope="col">Models kept loaded</th>
              <th scope="col" class="num">
                Their memory
              </th>
              <th scope="col" class="num">
                Up
              </th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <WorkerRow key={worker.id} worker={worker} />
            ))}
          </tbody>
        </table>
      </Scroll>
    )}
  </section>
);

function WorkerRow({
  worker: { host, pid, device, since, jobs, models },
}: {
  readonly worker: WorkerView;
}) {
  return (
    <tr>
      <th scope="row" class="nowrap">
        {host}, {pid}
      </th>
      <td>{device}</td>
      <td>
        <span class={`state ${jobs.length > 0 ? 'run' : ''}`}>
          <Icon name={jobs.length > 0 ? 'run' : 'check'} />
          {jobs.length > 0 ? jobs.map(({ title }) => title).join('; ') : 'Ready'}
        </span>
      </td>
      <td>{models.map(({ id }) => id).join(', ') || '–'}</td>
      <td class="num">
        {models.length > 0 ? bytes(models.reduce((sum, model) => sum + model.bytes, 0)) : '–'}
      </td>
      <td class="num">{duration(Math.max(0, Date.now() - since) / 1000)}</td>
    </tr>
  );
}
