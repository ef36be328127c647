/** A new training run: begin with a configuration that ships, change what matters, start. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, api } from '../api.ts';
import { Note } from '../components/note.tsx';
import { models } from '../state/models.ts';
import { complain, toast } from '../state/toasts.ts';
import { count } from '../state/words.ts';
import { type Config, FIELDS, type Field, kindOf, typedValue, valueAt } from './config.ts';
import { begin, change, init, loadShipped, read, shipped, text } from './form.ts';

export function NewRun({ onStarted }: { onStarted: (run: string) => void }) {
  const [error, setError] = useState<{ message: string; field?: string | undefined }>();
  useEffect(() => {
    loadShipped().catch(complain);
  }, []);
  const state = read.value;
  const config = 'config' in state ? state.config : undefined;
  const start = () => {
    if (!config) return;
    setError(undefined);
    api.train({ config: { ...config }, ...(init.value && { init: init.value }) }).then(
      ({ job }) => {
        toast(`${job.title} is queued`);
        onStarted(job.id);
      },
      (wrong: Error) =>
        setError({
          message: wrong.message,
          field: wrong instanceof ApiError ? wrong.field : undefined,
        }),
    );
  };
  return (
    <div class="plan">
      <div class="card stack">
        <Beginning />
        {config && (
          <div class="fields">
            {FIELDS.filter(({ when }) => !when || when(config)).map((field) => (
              <ConfigField key={field.path} field={field} config={config} wrong={error?.field} />
            ))}
          </div>
        )}
        <label class="field">
          <span class="label">The whole configuration</span>
          <textarea
            class="mono"
            rows={18}
            spellcheck={false}
            value={text.value}
            aria-invalid={'error' in state && text.value !== ''}
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value;
            }}
          />
          {'error' in state && text.value !== '' ? (
            <span class="hint wrong" role="alert">
              {state.error}
            </span>
          ) : (
            <span class="hint">The server checks it before anything starts.</span>
          )}
        </label>
      </div>
      <Summary config={config} error={error?.message} onStart={start} />
    </div>
  );
}

const Beginning = () => (
  <div class="two">
    <label class="field">
      <span class="label">Begin with</span>
      <select
        value=""
        onChange={({ currentTarget }) => {
          const chosen = shipped.value.find(({ name }) => name === currentTarget.value);
          if (chosen) begin(chosen.config);
          currentTarget.value = '';
        }}
      >
        <option value="">choose one…</option>
        {shipped.value.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
    <label class="field">
      <span class="label">Weights</span>
      <select
        value={init.value}
        onChange={({ currentTarget }) => {
          init.value = currentTarget.value;
        }}
      >
        <option value="">fresh</option>
        {models.value.map(({ id, title }) => (
          <option key={id} value={id}>
            of {title}
          </option>
        ))}
      </select>
    </label>
  </div>
);

function ConfigField({
  field,
  config,
  wrong,
}: {
  readonly field: Field;
  readonly config: Config;
  readonly wrong: string | undefined;
}) {
  const value = valueAt(config, field.path);
  const id = `config-${field.path.replaceAll('.', '-')}`;
  const shared = {
    id,
    value: value === undefined ? '' : String(value),
    'aria-invalid': wrong?.endsWith(field.path) ?? false,
  };
  return (
    <div class="field">
      <label class="label" for={id}>
        {field.title}
        {field.hint && <span class="val soft xs">{field.hint}</span>}
      </label>
      {field.kind === 'choice' ? (
        <select
          {...shared}
          onChange={({ currentTarget }) => change(field.path, currentTarget.value)}
        >
          {(field.choices ?? []).map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type="text"
          inputMode={field.kind === 'number' ? 'numeric' : 'text'}
          onInput={({ currentTarget }) =>
            change(field.path, typedValue(field, currentTarget.value))
          }
        />
      )}
    </div>
  );
}

function Summary({
  config,
  error,
  onStart,
}: {
  readonly config: Config | undefined;
  readonly error: string | undefined;
  readonly onStart: () => void;
}) {
  const number = (path: string) => {
    const value = config && valueAt(config, path);
    return typeof value === 'number' ? value : undefined;
  };
  const [steps, batch, accumulate] = ['steps', 'batch', 'accumulate'].map(number);
  const seen = steps && batch ? steps * batch * (accumulate ?? 1) : undefined;
  return (
    <aside class="card sum" aria-label="What will be trained">
      <p class="soft s">This run trains</p>
      <p class="total">{config ? kindOf(config).replace(/^an? /, '') : '–'}</p>
      <hr />
      <dl class="facts">
        <dt>Steps</dt>
        <dd>{steps === undefined ? '–' : count(steps)}</dd>
        <dt>Pictures seen</dt>
        <dd>{seen === undefined ? '–' : count(seen)}</dd>
        <dt>Weights</dt>
        <dd>{init.value ? `of ${init.value}` : 'fresh'}</dd>
      </dl>
      <hr />
      <div class="stack tight">
        <button type="button" class="btn main" disabled={!config} onClick={onStart}>
          Start training
        </button>
        <p class="hint">
          A run can be stopped at any step; it goes on from its latest checkpoint. Pictures asked
          for meanwhile wait or share the machine.
        </p>
        {error && (
          <Note kind="bad" title="Not started">
            {error}
          </Note>
        )}
      </div>
    </aside>
  );
}
