/** A new study: which models, sizes and methods, how many pictures. It takes long, so the number of pictures is said first. */
import { useState } from 'preact/hooks';
import { api } from '../api.ts';
import { readSize, sizesOf, trainedOf } from '../batches/axes.ts';
import { Icon } from '../components/icon.tsx';
import { models } from '../state/models.ts';
import { search } from '../state/router.ts';
import { toast } from '../state/toasts.ts';
import { count } from '../state/words.ts';
import { methodTitle } from './report.ts';
import { methodsOf } from './side-by-side.ts';

/** Fewer pictures give no neighbours to count. */
const FEWEST = 8;

export function NewStudy({ onClose }: { onClose: () => void }) {
  const able = models.value.filter((model) => methodsOf(model).length > 1);
  const [id, setId] = useState(search.value.get('model'));
  const model = able.find((one) => one.id === id) ?? able[0];
  const [sizes, setSizes] = useState<readonly string[]>();
  const [methods, setMethods] = useState<readonly string[]>(['none', 'yarn']);
  const [samples, setSamples] = useState('64');
  const [sets, setSets] = useState('1');
  const [error, setError] = useState<string>();
  if (!model) return <p class="soft">A study needs a diffusion model with position methods.</p>;
  const own = sizes ?? [trainedOf(model), ...sizesOf(model).map(({ value }) => value)].slice(0, 4);
  const chosenSizes = [...new Set(own)];
  const chosenMethods = methodsOf(model).filter((name) => methods.includes(name));
  const pictures =
    chosenSizes.length * chosenMethods.length * (Number(samples) || 0) * (Number(sets) || 0);
  const start = (event: Event) => {
    event.preventDefault();
    setError(undefined);
    api
      .evaluate({
        what: 'resolution',
        config: {
          models: [model.id],
          sizes: chosenSizes.flatMap((value) => readSize(value) ?? []),
          extend: chosenMethods,
          samples: Number(samples),
          seeds: Number(sets),
        },
      })
      .then(
        ({ job }) => {
          toast(`${job.title} is queued`);
          onClose();
        },
        (wrong: Error) => setError(wrong.message),
      );
  };
  const toggled = (list: readonly string[], value: string) =>
    list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
  return (
    <form class="card stack" onSubmit={start} aria-label="New study">
      <header>
        <h2>New study</h2>
        <p>every method at every size, judged on the same words and seeds</p>
      </header>
      {able.length > 1 && (
        <label class="field">
          <span class="label">Model</span>
          <select value={model.id} onChange={({ currentTarget }) => setId(currentTarget.value)}>
            {able.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
      )}
      <Chips
        legend="Sizes"
        choices={sizesOf(model)}
        chosen={chosenSizes}
        onToggle={(value) => setSizes(toggled(chosenSizes, value))}
      />
      <Chips
        legend="Methods"
        choices={methodsOf(model).map((value) => ({ value, title: methodTitle(value) }))}
        chosen={methods}
        onToggle={(value) => setMethods(toggled(methods, value))}
      />
      <div class="two">
        <NumberField
          label="Pictures a size and method"
          min={FEWEST}
          value={samples}
          onInput={setSamples}
        />
        <NumberField label="Sets of seeds" min={1} value={sets} onInput={setSets} />
      </div>
      <div class="row wrap">
        <button type="submit" class="btn main" disabled={pictures === 0}>
          Draw and measure {count(pictures)} pictures
        </button>
        <button type="button" class="btn quiet" onClick={onClose}>
          Close
        </button>
        {error && (
          <p class="hint wrong" role="alert">
            {error}
          </p>
        )}
      </div>
    </form>
  );
}

const NumberField = ({
  label,
  min,
  value,
  onInput,
}: {
  readonly label: string;
  readonly min: number;
  readonly value: string;
  readonly onInput: (value: string) => void;
}) => (
  <label class="field">
    <span class="label">{label}</span>
    <input
      type="number"
      min={min}
      step={1}
      required
      value={value}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
    />
  </label>
);

const Chips = ({
  legend,
  choices,
  chosen,
  onToggle,
}: {
  readonly legend: string;
  readonly choices: readonly { readonly value: string; readonly title: string }[];
  readonly chosen: readonly string[];
  readonly onToggle: (value: string) => void;
}) => (
  <fieldset class="field">
    <legend class="label">{legend}</legend>
    <div class="chips">
      {choices.map(({ value, title }) => (
        <label key={value} class="chip">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={() => onToggle(value)}
          />
          <Icon name="check" />
          {title}
        </label>
      ))}
    </div>
  </fieldset>
);
