/** One seed with every method side by side: starts a grid over the extensions and shows its pictures in a row. */
import { computed } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { api, type ModelView, previewUrl, urls } from '../api.ts';
import { sizesOf, trainedOf } from '../batches/axes.ts';
import { type BatchFacts, useBatch } from '../batches/batch-facts.ts';
import { requestsByCell } from '../batches/sheet.ts';
import { PromptField, SeedField } from '../components/ask-fields.tsx';
import { Select } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { previews } from '../state/facts.ts';
import { models } from '../state/models.ts';
import { search, setSearch } from '../state/router.ts';
import { stored } from '../state/storage.ts';
import { methodTitle } from './report.ts';
import { methodsOf, sideBySide } from './side-by-side.ts';

const extensible = computed(() =>
  models.value.filter((model) => methodsOf(model).length > 1 && !model.size.fixed),
);
const text = (value: unknown) => (typeof value === 'string' ? value : '');
const prompt = stored('methods.prompt', '', text);
const seed = stored('methods.seed', '1', text);

export function EveryMethod() {
  const [id, setId] = useState(search.value.get('model'));
  const model = extensible.value.find((one) => one.id === id) ?? extensible.value[0];
  const batch = search.value.get('batch');
  if (!model) return null;
  return (
    <section class="card stack" aria-label="One seed, every method">
      <header>
        <h2>One seed, every method</h2>
        <p>your own words, drawn by every position method at a size of your choice</p>
      </header>
      <Form model={model} onModel={setId} />
      {batch !== null && <Pictures key={batch} id={batch} />}
    </section>
  );
}

/** Twice the trained side, where that is allowed. */
function firstSize(model: ModelView): string {
  const { width, height } = model.trained;
  const wanted = `${2 * width}x${2 * height}`;
  return sizesOf(model).find(({ value }) => value === wanted)?.value ?? trainedOf(model);
}

function Form({ model, onModel }: { model: ModelView; onModel: (id: string) => void }) {
  const [size, setSize] = useState(firstSize(model));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const start = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const asked = { model, prompt: prompt.value, seed: Number(seed.value) || 0, size };
    api
      .batch(sideBySide(asked))
      .then(
        ({ job }) => setSearch({ batch: job.id }),
        (wrong: Error) => setError(wrong.message),
      )
      .finally(() => setBusy(false));
  };
  return (
    <form class="ask-methods" onSubmit={start}>
      {extensible.value.length > 1 && (
        <label class="field" for="methods-model">
          <span class="label">Model</span>
          <Select
            id="methods-model"
            value={model.id}
            options={extensible.value.map(({ id, title }) => ({ value: id, label: title }))}
            onChange={onModel}
          />
        </label>
      )}
      <PromptField value={prompt} />
      <SeedField value={seed} />
      <label class="field" for="methods-size">
        <span class="label">Size</span>
        <Select
          id="methods-size"
          value={size}
          options={sizesOf(model).map(({ value, title }) => ({
            value,
            label: value === trainedOf(model) ? `${title} px, trained` : `${title} px`,
          }))}
          onChange={setSize}
        />
      </label>
      <button type="submit" class="btn main" disabled={busy}>
        Draw with {methodsOf(model).length} methods
      </button>
      {error && (
        <p class="hint wrong" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}

function Pictures({ id }: { id: string }) {
  const facts = useBatch(id);
  useEffect(() => facts.loadRequests(), [facts]);
  const input = facts.input.value;
  const axis = input?.axes?.find(({ name }) => name === 'extension');
  if (!input || !axis) return <p class="soft s">{facts.error.value ?? 'Loading the pictures'}</p>;
  const methods = axis.values;
  const requests = requestsByCell([axis], input.cells);
  const first = input.requests[0]!;
  return (
    <>
      <p class="s soft" role="status">
        {facts.job.value?.done ?? 0} of {facts.job.value?.total ?? methods.length} drawn, seed{' '}
        {first.seed}, {first.size.width} × {first.size.height} px.{' '}
        <a href={`/batches?tab=sheet&batch=${id}`}>As a sheet</a>
      </p>
      <ul class="methods">
        {methods.map((method, cell) => (
          <li key={method}>
            <Method method={method} facts={facts} request={requests.get(cell)} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Method({
  method,
  facts,
  request,
}: {
  readonly method: string;
  readonly facts: BatchFacts;
  readonly request: number | undefined;
}) {
  const job = request === undefined ? undefined : facts.children.value.get(request);
  const picture = job && facts.pictures.value.get(job.id);
  const preview = job && previews.value.get(job.id)?.at(-1);
  const title = methodTitle(method);
  return (
    <figure>
      {picture ? (
        <div class="pic">
          <img
            src={urls.file(picture.id)}
            alt={`drawn with ${title}`}
            width={picture.width}
            height={picture.height}
          />
          <a href={`/gallery?image=${picture.id}`}>
            <span class="sr">Open the picture drawn with {title}</span>
          </a>
        </div>
      ) : preview ? (
        <div class="pic">
          <img src={previewUrl(preview.png)} alt="" />
        </div>
      ) : (
        <div class={`pic ${job?.state === 'failed' ? 'failed' : 'pending'}`}>
          <span>
            {request === undefined ? (
              'the same picture as without'
            ) : job?.state === 'failed' ? (
              (job.reason ?? 'failed')
            ) : (
              <Icon name="wait" />
            )}
          </span>
        </div>
      )}
      <figcaption class="s">{title}</figcaption>
    </figure>
  );
}
