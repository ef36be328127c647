/** Gallery: every picture, searched, filtered, marked, compared, deleted with undo. */
import { useEffect, useState } from 'preact/hooks';
import type { StoredPicture } from '../api.ts';
import { Empty, Field, Seg, Select } from '../components/controls.tsx';
import { Compare } from '../components/gallery/compare.tsx';
import { Tray } from '../components/gallery/tray.tsx';
import { Viewer } from '../components/gallery/viewer.tsx';
import { Wall } from '../components/gallery/wall.tsx';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { fault, fresh, list, openGallery, total } from '../state/gallery.ts';
import { resets } from '../state/live.ts';
import { models } from '../state/models.ts';
import { zipFound } from '../state/pictures.ts';
import { search, setSearch } from '../state/router.ts';
import { stored } from '../state/storage.ts';
import { announce } from '../state/toasts.ts';
import { count, plural } from '../state/words.ts';
import './gallery.css';

export function Gallery() {
  const compare = search.value.get('compare');
  return compare ? <Compare ids={compare} /> : <Pictures />;
}

type Size = 'S' | 'M' | 'L';
const LEAST: Record<Size, number> = { S: 96, M: 148, L: 236 };
const size = stored<Size>('gallery.size', 'M', (value) =>
  value === 'S' || value === 'L' ? value : 'M',
);

const queryOfAddress = () => {
  const get = (key: string) => search.value.get(key) ?? undefined;
  const [text, model, job] = [get('search'), get('model'), get('job')];
  return {
    ...(text && { search: text }),
    ...(model && { model }),
    ...(job && { job }),
    order: get('order') === 'oldest' ? ('oldest' as const) : ('newest' as const),
  };
};

function Pictures() {
  const query = queryOfAddress();
  const key = JSON.stringify(query);
  const [shown, setShown] = useState<StoredPicture>();
  const seen = resets.value;
  useEffect(() => {
    if (seen > 0) void openGallery(JSON.parse(key) as ReturnType<typeof queryOfAddress>);
  }, [key, seen]);
  const isFiltered = Boolean(query.search || query.model || query.job);
  useEffect(() => {
    if (isFiltered && total.value !== undefined) announce(`${plural(total.value, 'picture')}`);
  }, [isFiltered, total.value]);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Gallery</h1>
        <p>{total.value === undefined ? 'Loading' : plural(total.value, 'picture')}</p>
        <div class="push row wrap">
          {fresh.value > 0 && (
            <button type="button" class="btn" onClick={() => openGallery(query)}>
              <Icon name="again" />
              Show {count(fresh.value)} new
            </button>
          )}
          {Boolean(total.value) && (
            <button
              type="button"
              class="btn"
              title="The pictures of this list, with a manifest"
              onClick={() => zipFound(query, total.value!)}
            >
              <Icon name="down" />
              Zip
            </button>
          )}
        </div>
      </div>
      <Filters query={query} />
      {fault.value && (
        <Note
          kind="bad"
          title={fault.value.message}
          action={{ label: 'Try again', run: () => openGallery(query) }}
        />
      )}
      {total.value === 0 ? (
        <Nothing isFiltered={isFiltered} text={query.search} />
      ) : (
        <Wall least={LEAST[size.value]} onOpen={setShown} />
      )}
      <Tray />
      {shown && <Viewer picture={shown} onShow={setShown} onClose={() => setShown(undefined)} />}
    </main>
  );
}

/** After this long without a letter the list is asked for. */
const QUIET = 250;

function Filters({ query }: { readonly query: ReturnType<typeof queryOfAddress> }) {
  const [text, setText] = useState(query.search ?? '');
  useEffect(() => {
    const timer = setTimeout(() => setSearch({ search: text.trim() }), QUIET);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <search class="bar" aria-label="Filter the gallery">
      <div class="field search">
        <label class="label" for="q">
          Search
        </label>
        <input
          type="search"
          id="q"
          data-slash=""
          placeholder="Words of the prompt, or a seed"
          maxLength={200}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class="rest">
        {query.job && (
          <div class="field">
            <span class="label">Job</span>
            <span class="chip fixed">
              {query.job}
              <button
                type="button"
                aria-label="Show the pictures of all jobs"
                onClick={() => setSearch({ job: undefined })}
              >
                <Icon name="x" />
              </button>
            </span>
          </div>
        )}
        <Field id="gallery-model" label="Model">
          <Select
            id="gallery-model"
            value={query.model ?? ''}
            options={[
              { value: '', label: 'All models' },
              ...models.value.map(({ id, title }) => ({ value: id, label: title })),
            ]}
            onChange={(model) => setSearch({ model })}
          />
        </Field>
        <Field id="gallery-order" label="Order">
          <Select
            id="gallery-order"
            value={query.order}
            options={[
              { value: 'newest', label: 'Newest first' },
              { value: 'oldest', label: 'Oldest first' },
            ]}
            onChange={(order) => setSearch({ order: order === 'newest' ? undefined : order })}
          />
        </Field>
        <Seg<Size>
          legend="Picture size"
          options={[
            { value: 'S', label: 'S' },
            { value: 'M', label: 'M' },
            { value: 'L', label: 'L' },
          ]}
          value={size.value}
          onChange={(value) => {
            size.value = value;
          }}
        />
      </div>
    </search>
  );
}

function Nothing({
  isFiltered,
  text,
}: {
  readonly isFiltered: boolean;
  readonly text: string | undefined;
}) {
  if (!isFiltered)
    return (
      <Empty
        title="No pictures yet"
        acts={
          <a class="btn main" href="/">
            Draw the first one
          </a>
        }
      >
        Every picture made here, by the page or through the API, is kept with its recipe.
      </Empty>
    );
  return (
    <Empty
      title={text ? `Nothing matches “${text}”` : 'Nothing matches'}
      acts={
        <a class="btn" href="/gallery">
          Clear the filters
        </a>
      }
    >
      {list.value.length === 0 && 'The words of prompts are searched as they stand in recipes.'}
    </Empty>
  );
}
