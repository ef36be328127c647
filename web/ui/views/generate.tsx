/** Generate: settings, prompt, the render in view, and the recipe of the chosen picture. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api.ts';
import { Ask } from '../components/generate/ask.tsx';
import { Foreign, RecipePanel } from '../components/generate/recipe-panel.tsx';
import { Settings, summaryOf } from '../components/generate/settings.tsx';
import { Stage } from '../components/generate/stage.tsx';
import { cancelViewed, Walk } from '../components/generate/walk.tsx';
import { Icon } from '../components/icon.tsx';
import { takeFile } from '../state/drop.ts';
import { useKeys } from '../state/keys.ts';
import { resets } from '../state/live.ts';
import { markAndCompare } from '../state/marks.ts';
import { modelsLoaded } from '../state/models.ts';
import { remove, sameSeed, sendToForm, vary } from '../state/pictures.ts';
import { search, setSearch } from '../state/router.ts';
import {
  chooseModel,
  chosen,
  form,
  generate,
  loadViewed,
  shownPicture,
  viewed,
  viewedPictures,
} from '../state/session.ts';
import { complain } from '../state/toasts.ts';
import './generate.css';

export function Generate() {
  const [isDropping, setDropping] = useState(false);
  useEffect(() => {
    loadViewed().catch(complain);
  }, [resets.value, viewed.value?.id]);
  useFromAddress();
  useKeys(KEYS);
  return (
    <main
      id="main"
      tabIndex={-1}
      class={`gen ${isDropping ? 'dropping' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        void takeFile(event.dataTransfer?.files[0]);
      }}
    >
      <aside class="side l" aria-label="Settings">
        <Fold title="Settings" summary={form.value && summaryOf(form.value)}>
          <Settings />
        </Fold>
      </aside>
      <section class="bench" aria-label="Pictures">
        <h1 class="sr">Generate</h1>
        <Ask />
        <Walk />
        <Stage />
      </section>
      <aside class="side r" aria-label="Recipe of the chosen picture">
        <Fold
          title="Recipe"
          summary={shownPicture.value && `picture ${shownPicture.value.index + 1}`}
        >
          <RecipePanel />
        </Fold>
      </aside>
      <Foreign />
    </main>
  );
}

const withPicture = (act: (picture: NonNullable<typeof shownPicture.value>) => unknown) => () =>
  shownPicture.value ? void act(shownPicture.value) : false;

const KEYS = {
  'Ctrl+Enter': () => void generate(),
  Escape: cancelViewed,
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  s: withPicture(sameSeed),
  v: withPicture(vary),
  f: withPicture(sendToForm),
  c: withPicture(({ id }) => markAndCompare(id)),
  Delete: withPicture((picture) => remove([picture])),
};

/** To the next finished picture; past the last one to the picture being drawn. */
function step(by: number): boolean {
  const list = viewedPictures.value;
  if (list.length === 0) return false;
  const at = list.findIndex(({ index }) => index === chosen.value);
  const isRunning = viewed.value?.state === 'running';
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by;
  if (isRunning && next >= list.length) chosen.value = undefined;
  else chosen.value = list[Math.min(list.length - 1, Math.max(0, next))]!.index;
  return true;
}

/** `/?from=<picture>` sends its recipe to the form, `/?model=<id>` chooses the model. */
function useFromAddress(): void {
  const from = search.value.get('from');
  const model = search.value.get('model');
  const isReady = modelsLoaded.value;
  useEffect(() => {
    if (!from || !isReady) return;
    setSearch({ from: undefined });
    api.image(from).then(sendToForm, complain);
  }, [from, isReady]);
  useEffect(() => {
    if (!model || !isReady) return;
    setSearch({ model: undefined });
    chooseModel(model);
  }, [model, isReady]);
}

/** On a phone folded away, with a summary. */
function Fold({
  title,
  summary,
  children,
}: {
  readonly title: string;
  readonly summary: string | undefined;
  readonly children: preact.ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(() => !matchMedia('(max-width: 719px)').matches);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary class="phone-only">
        <span class="chev">
          <Icon name="chev" />
        </span>
        {title} <span class="soft s push nowrap">{summary}</span>
      </summary>
      {children}
    </details>
  );
}
