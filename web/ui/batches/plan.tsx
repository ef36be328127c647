/** What a batch will make, what is left out of it and why, what it takes; and the button that starts it. */
import { useState } from 'preact/hooks';
import type { BatchBody, BatchCount } from '../api.ts';
import { running, waiting } from '../state/facts.ts';
import { complain, toast } from '../state/toasts.ts';
import { bytes, clock, count, duration, plural } from '../state/words.ts';
import { type Asked, type Counted, droppedByReason, start } from './count.ts';
import { grid, source } from './form.ts';

/** Reasons shown; the rest is a number. */
const REASONS = 4;

export function Plan({
  counted,
  onStarted,
}: {
  readonly counted: Counted;
  readonly onStarted: (batch: string) => void;
}) {
  const { asked, error, stale } = counted;
  const known = error ? undefined : counted.count;
  const [busy, setBusy] = useState(false);
  const begin = (what: Asked) => {
    setBusy(true);
    start(what)
      .then(({ job }) => {
        toast(`${job.title}: ${plural(job.total, 'picture')} queued`);
        onStarted(job.id);
      }, complain)
      .finally(() => setBusy(false));
  };
  const ready = known !== undefined && known.count > 0 && asked !== undefined && !stale && !busy;
  return (
    <aside class="card sum" aria-label="What will be made">
      <p class="soft s">This batch makes</p>
      <p class={stale ? 'total soft' : 'total'}>{known ? count(known.count) : '–'}</p>
      <p class="soft s">{known?.count === 1 ? 'picture' : 'pictures'}</p>
      <p class="sr" role="status">
        {!stale && known && `This batch makes ${plural(known.count, 'picture')}`}
      </p>
      {known && <Product known={known} />}
      {error && source.value === 'grid' && (
        <p class="hint wrong" role="alert">
          {error.message}
        </p>
      )}
      {known && <Cost known={known} />}
      <hr />
      <div class="stack tight">
        <button
          type="button"
          class="btn main"
          disabled={!ready}
          onClick={() => asked && begin(asked)}
        >
          {known && known.count > 0 ? `Queue ${plural(known.count, 'picture')}` : 'Queue'}
        </button>
        <div class="two">
          <button
            type="button"
            class="btn"
            disabled={!ready || known.sample.length === 0}
            onClick={() => known && begin(trialOf(known, asked))}
          >
            Try {known && known.sample.length > 0 ? `${known.sample.length} of them` : 'a few'}
          </button>
          <button
            type="button"
            class="btn"
            disabled={asked?.kind !== 'body'}
            onClick={() => asked?.kind === 'body' && save(asked.body)}
          >
            Save as JSON
          </button>
        </div>
      </div>
    </aside>
  );
}

/** The first few requests, as a batch of their own. */
const trialOf = ({ sample }: BatchCount, asked: Asked | undefined): Asked => {
  const title = asked?.kind === 'body' ? asked.body.title : (asked?.about.title ?? 'batch');
  return { kind: 'body', body: { title: `trial of ${title}`.slice(0, 200), requests: sample } };
};

function Product({ known }: { known: BatchCount }) {
  const axes = source.value === 'grid' ? (grid.value?.grid.axes ?? []) : [];
  const dropped = droppedByReason(known.dropped);
  const whole = axes.reduce((product, { values }) => product * values.length, 1);
  if (axes.length === 0 && dropped.length === 0) return null;
  return (
    <ol>
      {axes.length > 0 && (
        <li>
          <span>{axes.map(({ values }) => count(values.length)).join(' × ')}</span>
          <span>{count(whole)}</span>
        </li>
      )}
      {dropped.slice(0, REASONS).map(({ reason, count: gone }) => (
        <li key={reason}>
          <span>{reason}</span>
          <span>−{count(gone)}</span>
        </li>
      ))}
      {dropped.length > REASONS && <li>and {dropped.length - REASONS} other reasons</li>}
    </ol>
  );
}

function Cost({ known: { seconds, bytes: disk, pixels } }: { known: BatchCount }) {
  const before = running.value.length + waiting.value.length;
  return (
    <>
      <hr />
      <dl class="facts">
        {seconds !== undefined && (
          <>
            <dt>Time</dt>
            <dd>about {duration(seconds)}</dd>
            {before === 0 && (
              <>
                <dt>Done</dt>
                <dd>about {clock(Date.now() + seconds * 1000)}</dd>
              </>
            )}
          </>
        )}
        <dt>Disk</dt>
        <dd>about {bytes(disk)}</dd>
        <dt>Pixels</dt>
        <dd>
          {pixels < 1e6
            ? count(pixels)
            : `${(pixels / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} million`}
        </dd>
        <dt>Starts</dt>
        <dd>{before === 0 ? 'at once' : `after ${plural(before, 'job')}`}</dd>
      </dl>
    </>
  );
}

function save(body: BatchBody): void {
  const link = document.createElement('a');
  const file = new Blob([JSON.stringify(body, null, 2)], { type: 'application/json' });
  link.href = URL.createObjectURL(file);
  link.download = `${body.title.replace(/[^\w-]+/g, '-').slice(0, 60) || 'batch'}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
