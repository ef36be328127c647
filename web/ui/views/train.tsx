/** Train: start a run, watch it, compare runs. */
import { computed } from '@preact/signals';
import { type Tab, Tabs } from '../components/tabs.tsx';
import { jobs } from '../state/facts.ts';
import { search, setSearch } from '../state/router.ts';
import { AllRuns } from '../train/all-runs.tsx';
import { NewRun } from '../train/new-run.tsx';
import { useRun } from '../train/run-facts.ts';
import { RunPanel } from '../train/run-panel.tsx';
import './train.css';

const all = computed(() => [...jobs.value.values()].filter(({ kind }) => kind === 'train'));
/** The one of the address; else the one that runs, or the newest. */
const chosen = computed(() => {
  const newest = [...all.value].sort((a, b) => b.createdAt - a.createdAt);
  const running = newest.find(({ state }) => state === 'running');
  return search.value.get('run') ?? (running ?? newest[0])?.id;
});

export function Train() {
  const id = chosen.value;
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Train</h1>
        <p>A run goes on where it was stopped, also after a restart of the machine.</p>
      </div>
      {id === undefined ? (
        <Tabs label="Train" tabs={[newTab, allTab()]} />
      ) : (
        <WithRun key={id} id={id} />
      )}
    </main>
  );
}

const open = (run: string) => setSearch({ tab: 'run', run }, { replace: false });

const newTab: Tab = { id: 'new', label: 'New run', panel: () => <NewRun onStarted={open} /> };

const allTab = (): Tab => ({
  id: 'all',
  label: 'All runs',
  ...(all.value.length > 0 && { tag: { text: String(all.value.length) } }),
  panel: () => <AllRuns />,
});

function WithRun({ id }: { id: string }) {
  const facts = useRun(id);
  const job = facts.job.value;
  const step = facts.progress.value?.step ?? job?.done ?? 0;
  const share = job && job.total > 0 ? Math.floor((100 * step) / job.total) : 0;
  const runTab: Tab = {
    id: 'run',
    label: job?.title ?? 'Run',
    ...(job?.state === 'running' && { tag: { text: `${share} %`, now: true } }),
    panel: () => <RunPanel facts={facts} onCopy={() => setSearch({ tab: undefined })} />,
  };
  return <Tabs label="Train" tabs={[newTab, runTab, allTab()]} />;
}
