/** Pages, the queue in one line, and the hall: how far all queued work is. */
import { Fragment } from 'preact';
import { PAGES, type PageEntry } from '../pages.ts';
import { hall, paused, running, waiting } from '../state/facts.ts';
import { loaded } from '../state/live.ts';
import { toggleTheme } from '../state/theme.ts';
import { count, plural } from '../state/words.ts';
import { Icon } from './icon.tsx';
import { showKeys } from './keys-dialog.tsx';

export function Header({ page }: { page: PageEntry }) {
  return (
    <header class="head">
      <a class="brand" href="/" aria-label="Ropewalk, home">
        <Mark />
        <span>Ropewalk</span>
      </a>
      <Nav page={page} />
      <div class="tools">
        <Pulse />
        <button
          type="button"
          class="btn quiet icon hide"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={showKeys}
        >
          <Icon name="keys" />
        </button>
        <button
          type="button"
          class="btn quiet icon"
          aria-label="Light or dark"
          title="Light or dark"
          onClick={toggleTheme}
        >
          <Icon name="theme" />
        </button>
      </div>
      <Hall />
    </header>
  );
}

function Nav({ page }: { page: PageEntry }) {
  const current = (entry: PageEntry) => (entry === page ? ('page' as const) : undefined);
  return (
    <nav class="nav" aria-label="Pages">
      {PAGES.filter(({ hidden }) => !hidden).map((entry) => (
        <Fragment key={entry.path}>
          {entry.bay && <span class="bay" aria-hidden="true" />}
          <a href={entry.path} class={entry.far ? 'far' : ''} aria-current={current(entry)}>
            <Icon name={entry.icon} />
            <span data-label={entry.title}>{entry.title}</span>
          </a>
        </Fragment>
      ))}
      <a
        class="more phone-only"
        href="/more"
        aria-current={page.far || page.path === '/more' ? 'page' : undefined}
      >
        <Icon name="more" />
        More
      </a>
    </nav>
  );
}

function Pulse() {
  if (!loaded.value) return null;
  const [now, later] = [running.value.length, waiting.value.length];
  return (
    <a class="pulse" href="/queue">
      <Icon name={paused.value ? 'pause' : 'run'} />
      <span>
        {paused.value ? 'Paused' : now === 0 && later === 0 ? 'Ready' : `${count(now)} running`}
        {later > 0 && <span class="w">, {count(later)} waiting</span>}
      </span>
    </a>
  );
}

function Hall() {
  const { done, total, jobs } = hall.value;
  return (
    <progress
      class={`hall ${paused.value ? 'still' : ''}`}
      value={done}
      max={total || 1}
      aria-label={
        jobs === 0
          ? 'All queued work: nothing to do'
          : `All queued work: ${count(done)} of ${count(total)} done in ${plural(jobs, 'job')}`
      }
    />
  );
}

/** Five strands of a rope; one of them is the yarn. */
function Mark() {
  const strand = (x: number) => `M${x} 18.5C${x + 5.5} 18.5 ${x - 0.5} 3.5 ${x + 5} 3.5`;
  return (
    <svg viewBox="0 0 36 22" aria-hidden="true">
      <g class="mark">
        {[3, 9.2, 15.4, 21.6, 27.8].map((x, at) => (
          <path key={x} class={at === 2 ? 'yarn' : ''} d={strand(x)} />
        ))}
      </g>
    </svg>
  );
}
