/** Batches: many requests as one job. */
import { computed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { AllBatches } from '../batches/all-batches.tsx';
import { useBatch } from '../batches/batch-facts.ts';
import { BatchPanel } from '../batches/batch-panel.tsx';
import { NewBatch } from '../batches/new-batch.tsx';
import { SheetPanel } from '../batches/sheet-panel.tsx';
import { Empty } from '../components/controls.tsx';
import { type Tab, Tabs } from '../components/tabs.tsx';
import { jobs } from '../state/facts.ts';
import { models, modelsLoaded } from '../state/models.ts';
import { search, setSearch } from '../state/router.ts';
import './batches.css';

const all = computed(() => [...jobs.value.values()].filter(({ kind }) => kind === 'batch'));
/** The one of the address; else the newest, first of all one that runs. */
const chosen = computed(() => {
  const newest = [...all.value].sort((a, b) => b.createdAt - a.createdAt);
  const open = newest.find(({ state }) => state === 'running' || state === 'paused');
  return search.value.get('batch') ?? (open ?? newest[0])?.id;
});

export function Batches() {
  const id = chosen.value;
  const asked = search.value.get('job');
  useEffect(() => {
    if (asked) setSearch({ job: undefined, tab: 'batch', batch: asked });
  }, [asked]);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Batches</h1>
        <p>Many requests as one job. Each picture is the same as if it were made alone.</p>
      </div>
      {id === undefined ? (
        <Tabs label="Batches" tabs={[newTab, allTab()]} />
      ) : (
        <WithBatch key={id} id={id} />
      )}
    </main>
  );
}

const open = (batch: string) => setSearch({ tab: 'batch', batch }, { replace: false });

const newTab: Tab = {
  id: 'new',
  label: 'New batch',
  panel: () =>
    modelsLoaded.value && models.value.length === 0 ? (
      <Empty title="No model here">
        A batch needs a model. Put one into the folder models, or train one on the page Train.
      </Empty>
    ) : (
      <NewBatch onStarted={open} />
    ),
};

const allTab = (): Tab => ({
  id: 'all',
  label: 'All batches',
  ...(all.value.length > 0 && { tag: { text: String(all.value.length) } }),
  panel: () => <AllBatches />,
});

/** Titles longer than this are cut in the tab; the panel has them whole. */
const LONGEST = 32;
const cut = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;

function WithBatch({ id }: { id: string }) {
  const facts = useBatch(id);
  const job = facts.job.value;
  const running = job?.state === 'running' || job?.state === 'paused';
  const share = job && job.total > 0 ? Math.floor((100 * job.done) / job.total) : 0;
  const tabs: Tab[] = [
    newTab,
    {
      id: 'batch',
      label: cut(job?.title ?? 'Batch'),
      ...(running && { tag: { text: `${share} %`, now: true } }),
      panel: () => <BatchPanel facts={facts} />,
    },
    ...(facts.input.value?.axes
      ? [{ id: 'sheet', label: 'Sheet', panel: () => <SheetPanel facts={facts} /> }]
      : []),
    allTab(),
  ];
  return <Tabs label="Batches" tabs={tabs} />;
}
