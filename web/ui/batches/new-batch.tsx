/** A new batch: from a grid over what the model allows, or from a file. */
import { Seg } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { models } from '../state/models.ts';
import { axesOf, sizeHint } from './axes.ts';
import { AxisRow } from './axis-row.tsx';
import { useCount } from './count.ts';
import { FileForm } from './file-form.tsx';
import {
  chooseModel,
  clearValues,
  grid,
  model,
  negative,
  type Source,
  setValues,
  source,
  title,
  values,
} from './form.ts';
import { Plan } from './plan.tsx';

const SOURCES: readonly { readonly value: Source; readonly label: string }[] = [
  { value: 'grid', label: 'Grid' },
  { value: 'csv', label: 'CSV' },
  { value: 'jsonl', label: 'JSONL' },
  { value: 'json', label: 'JSON' },
];

export function NewBatch({ onStarted }: { onStarted: (batch: string) => void }) {
  const counted = useCount();
  const body = grid.value;
  return (
    <div class="plan">
      <div class="card">
        <div class="row wrap">
          <Seg
            legend="Source"
            options={SOURCES}
            value={source.value}
            onChange={(next) => {
              source.value = next;
            }}
          />
          <label class="grow field">
            <span class="sr">Name of the batch</span>
            <input
              type="text"
              maxLength={200}
              placeholder={body && source.value === 'grid' ? body.title : 'Name of the batch'}
              value={title.value}
              onInput={({ currentTarget }) => {
                title.value = currentTarget.value;
              }}
            />
          </label>
          {models.value.length > 1 && <ModelChoice />}
        </div>
        {source.value === 'grid' ? <GridForm /> : <FileForm error={counted.error?.message} />}
      </div>
      <Plan counted={counted} onStarted={onStarted} />
    </div>
  );
}

const ModelChoice = () => (
  <label class="field">
    <span class="sr">Model</span>
    <select
      value={model.value?.id ?? ''}
      onChange={({ currentTarget }) => chooseModel(currentTarget.value)}
    >
      {models.value.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </select>
  </label>
);

function GridForm() {
  const chosen = model.value;
  if (!chosen) return null;
  return (
    <>
      {axesOf(chosen).map((axis) => (
        <AxisRow
          key={`${chosen.id} ${axis.name}`}
          axis={axis}
          values={values.value[axis.name] ?? []}
          hint={
            axis.name === 'size'
              ? sizeHint(chosen, values.value.size ?? [])
              : axis.name === 'extension'
                ? extensionHint(values.value.size ?? [])
                : undefined
          }
          onChange={(next) => setValues(axis.name, next)}
        />
      ))}
      <div class="row wrap foot-row">
        <label class="grow field">
          <span class="label">Not in any picture</span>
          <input
            type="text"
            maxLength={4000}
            placeholder="negative prompt, for all"
            value={negative.value}
            onInput={({ currentTarget }) => {
              negative.value = currentTarget.value;
            }}
          />
        </label>
        <button type="button" class="btn quiet" onClick={clearValues}>
          <Icon name="again" />
          Start over
        </button>
      </div>
    </>
  );
}

/** Extensions change what lies beyond the trained size. */
const extensionHint = (sizes: readonly string[]): string | undefined =>
  sizes.length <= 1 && !sizes.some((size) => size !== '')
    ? undefined
    : 'Methods for sizes that were never trained; at the trained size most change nothing.';
