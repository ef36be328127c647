/** Everything that is set beside the prompt; made from the model's card, so a new method shows by itself. */
import type { ModelView } from '../../api.ts';
import { sayBeyond } from '../../state/beyond.ts';
import type { Form } from '../../state/form.ts';
import { models } from '../../state/models.ts';
import { useReports } from '../../state/reports.ts';
import { change, chooseModel, estimate, form, model } from '../../state/session.ts';
import { duration } from '../../state/words.ts';
import { Field, Seg, Select } from '../controls.tsx';
import { Faults } from './faults.tsx';
import { NumberField } from './number-field.tsx';
import { DiffusionFields, TokenFields } from './sampling-fields.tsx';
import { SizeFields } from './size-fields.tsx';

type Both = { readonly form: Form; readonly model: ModelView };

export function Settings() {
  useReports();
  const both = form.value && model.value && { form: form.value, model: model.value };
  if (!both) return <p class="soft s">Models are being read…</p>;
  const { sampling } = both.model;
  return (
    <div class="stack">
      {models.value.length > 1 && <ModelField {...both} />}
      <SizeFields {...both} />
      {sampling.kind === 'diffusion' ? <DiffusionFields {...both} /> : <TokenFields {...both} />}
      <FromRecipe {...both} />
      <SeedField {...both} />
      <CountField {...both} />
    </div>
  );
}

/** What a restored recipe says beyond the fields. */
function FromRecipe({ form: { beyond } }: Both) {
  if (!beyond) return null;
  return (
    <p class="hint row wrap">
      <span>Also from the recipe: {sayBeyond(beyond).join(', ')}.</span>
      <button type="button" class="link" onClick={() => change({ beyond: undefined })}>
        Drop it
      </button>
    </p>
  );
}

export const summaryOf = ({ width, height, solver, steps, decoder, guidance }: Form): string =>
  `${width === height ? width : `${width} × ${height}`} px, ${
    solver ? `${solver} ${steps}` : decoder
  }, CFG ${guidance}`;

function ModelField({ form: { model: id } }: Both) {
  return (
    <Field id="model" label="Model">
      <Select
        id="model"
        value={id}
        options={models.value.map((entry) => ({ value: entry.id, label: entry.title }))}
        onChange={chooseModel}
      />
    </Field>
  );
}

function SeedField({ form: { seed, next, count } }: Both) {
  const last = seed + count - 1;
  const hints = {
    lock: count > 1 ? `Locked: pictures use ${seed} to ${last}.` : `Locked: ${seed}.`,
    random: 'A new seed each time.',
    vary: `Goes on: the next render begins with ${last + 1}.`,
  };
  return (
    <Field id="seed" label="Seed">
      <div class="two">
        <NumberField
          id="seed"
          class="mono"
          value={seed}
          min={0}
          onChange={(value) => change({ seed: value, next: next === 'random' ? 'lock' : next })}
        />
        <Seg
          legend="Next seed"
          options={[
            { value: 'lock', label: 'Lock', icon: 'lock', title: 'Lock: keep this seed' },
            {
              value: 'random',
              label: 'Random',
              icon: 'dice',
              title: 'Random: a new seed each time',
            },
            { value: 'vary', label: 'Vary', icon: 'vary', title: 'Vary: the seeds that follow' },
          ]}
          value={next}
          onChange={(value) => change({ next: value })}
        />
      </div>
      <p class="hint">{hints[next]}</p>
      <Faults of={['seed']} />
    </Field>
  );
}

const COUNTS = [1, 4, 8, 16, 64];

function CountField({ form: { count } }: Both) {
  return (
    <div class="field">
      <div class="counts">
        <Seg
          legend="Pictures"
          shown
          options={COUNTS.map((value) => ({ value, label: String(value) }))}
          value={count}
          onChange={(value) => change({ count: value })}
        />
        <Field id="count" label="or">
          <NumberField
            id="count"
            value={count}
            min={1}
            max={10_000}
            onChange={(value) => change({ count: value })}
          />
        </Field>
      </div>
      <Faults of={['count']} />
      {estimate.value !== undefined && (
        <p class="hint">About {duration(estimate.value)}, as the last one like it.</p>
      )}
    </div>
  );
}
