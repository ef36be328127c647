/** System: what this machine is, who works, what the server says of itself, and whether it is ready. */
import { useEffect, useState } from 'preact/hooks';
import type { WorkerView } from '../../../jobs/jobs.ts';
import { api } from '../api.ts';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { Workers } from '../components/workers.tsx';
import { hall, paused, running, waiting } from '../state/facts.ts';
import { resets } from '../state/live.ts';
import { complain, toast } from '../state/toasts.ts';
import { count } from '../state/words.ts';

type Values = Readonly<Record<string, unknown>>;
type Readiness = { readonly ready: boolean; readonly problems?: readonly string[] };

/** Asked for anew this often while the page is open. */
const PERIOD = 5000;

export function System() {
  const [values, setValues] = useState<Values>();
  const [readiness, setReadiness] = useState<Readiness>();
  const [workers, setWorkers] = useState<readonly WorkerView[]>();
  useEffect(() => {
    const load = () => {
      api.system().then(setValues, () => {});
      api.workers().then(
        (answer) => setWorkers(answer.workers),
        () => {},
      );
      api
        .ready()
        .then(setReadiness, (error: Error) =>
          setReadiness({ ready: false, problems: [error.message] }),
        );
    };
    load();
    const timer = setInterval(() => document.hidden || load(), PERIOD);
    return () => clearInterval(timer);
  }, [resets.value]);
  const groups = values ? groupsOf(values) : [];
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>System</h1>
        <p class="row">
          {readiness?.ready && (
            <span class="state">
              <Icon name="check" />
              Healthy
            </span>
          )}
        </p>
        <span class="push row wrap">
          <button
            type="button"
            class="btn"
            onClick={() =>
              navigator.clipboard
                .writeText(JSON.stringify({ system: values, workers, ready: readiness }, null, 2))
                .then(() => toast('On the clipboard.'), complain)
            }
          >
            <Icon name="copy" />
            Copy for a bug report
          </button>
          <a class="btn" href="/docs" target="_blank" rel="noreferrer">
            API
          </a>
          <a class="btn" href="/metrics" target="_blank" rel="noreferrer">
            /metrics
          </a>
        </span>
      </div>
      <div class="stack">
        {readiness && !readiness.ready && (
          <Note kind="bad" title="The server is not ready.">
            {readiness.problems?.join(' ')}
          </Note>
        )}
        <div class="sys">
          {workers && <Workers workers={workers} />}
          <section class="card">
            <header>
              <h2>Work</h2>
            </header>
            <dl class="facts">
              <dt>Running</dt>
              <dd>{count(running.value.length)}</dd>
              <dt>Waiting</dt>
              <dd>{count(waiting.value.length)}</dd>
              <dt>Pictures and steps to go</dt>
              <dd>{count(Math.ceil(hall.value.total - hall.value.done))}</dd>
              <dt>Queue</dt>
              <dd>{paused.value ? 'paused' : 'open'}</dd>
            </dl>
          </section>
          {groups.map(([title, rows]) => (
            <section class="card" key={title}>
              <header>
                <h2>{title}</h2>
              </header>
              <dl class="facts">
                {rows.map(([name, value]) => (
                  <Row key={name} name={name} value={value} />
                ))}
              </dl>
            </section>
          ))}
        </div>
      </div>
    </main>
  );
}

const Row = ({ name, value }: { readonly name: string; readonly value: unknown }) => (
  <>
    <dt>{wordsOf(name)}</dt>
    <dd>{typeof value === 'number' ? value.toLocaleString('en-GB') : String(value)}</dd>
  </>
);

/** Plain values stand together; a value with parts is a group of its own. */
function groupsOf(values: Values): [string, [string, unknown][]][] {
  const isGroup = (value: unknown) => typeof value === 'object' && value !== null;
  const plain = Object.entries(values).filter(([, value]) => !isGroup(value));
  const grouped = Object.entries(values)
    .filter(([, value]) => isGroup(value))
    .map(([name, value]): [string, [string, unknown][]] => [
      wordsOf(name),
      Object.entries(value as object).map(([key, part]) => [
        key,
        isGroup(part) ? JSON.stringify(part) : part,
      ]),
    ]);
  return [
    ...(plain.length > 0 ? [['Machine', plain] as [string, [string, unknown][]]] : []),
    ...grouped,
  ];
}

/** "memoryLimit" is "Memory limit". */
function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]/g, ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
