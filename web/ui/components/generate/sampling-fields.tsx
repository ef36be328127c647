/** How a picture is drawn: position extension, solver and its steps, or the decoder of tokens; guidance. */
import type { ModelView } from '../../api.ts';
import { bestExtensions, methodTitle } from '../../resolution/report.ts';
import { type Form, reachOf } from '../../state/form.ts';
import { extensionOf, useReportOf } from '../../state/measured.ts';
import { change } from '../../state/session.ts';
import { Field, Select } from '../controls.tsx';
import { Faults } from './faults.tsx';
import { Folded } from './folded.tsx';
import { MethodOptions } from './method-options.tsx';
import { NumberField } from './number-field.tsx';

type Both = { readonly form: Form; readonly model: ModelView };

export function DiffusionFields({ form: now, model }: Both) {
  const { sampling } = model;
  if (sampling.kind !== 'diffusion') return null;
  const extension = sampling.extensions.find(({ name }) => name === now.extend);
  return (
    <>
      <Field id="extend" label="Position extension">
        <Select
          id="extend"
          value={now.extend}
          options={[
            { value: '', label: "The model's own" },
            { value: 'none', label: 'None' },
            ...sampling.extensions
              .filter(({ name }) => name !== 'none')
              .map(({ name, title }) => ({ value: name, label: title })),
          ]}
          onChange={(extend) => change({ extend, extendOptions: {} })}
        />
        <BestHere form={now} model={model} />
        {extension && (
          <MethodOptions
            method={extension}
            values={now.extendOptions}
            onChange={(extendOptions) => change({ extendOptions })}
          />
        )}
      </Field>
      <div class="two">
        <Field id="solver" label="Solver">
          <Select
            id="solver"
            value={now.solver}
            options={sampling.solvers.map((name) => ({ value: name, label: name }))}
            onChange={(solver) => change({ solver })}
          />
        </Field>
        <Field id="steps" label="Steps">
          <NumberField
            id="steps"
            value={now.steps}
            min={1}
            max={1000}
            onChange={(steps) => change({ steps })}
          />
        </Field>
      </div>
      <Faults of={['steps']} />
      <ShiftField value={now.shift} own={sampling.shift} />
      <GuidanceField value={now.guidance} />
    </>
  );
}

/** Beyond the trained size: whether the extension is the one that was measured best, or which one is. */
function BestHere({ form: now, model }: Both) {
  const report = useReportOf(model.id);
  if (!report || reachOf(now, model) <= 1) return null;
  const best = bestExtensions(report, model.id, `${now.width}x${now.height}`);
  const chosen = extensionOf(now, model);
  if (best.length === 0) return <p class="hint">Not measured at this size.</p>;
  if (chosen !== undefined && best.includes(chosen))
    return (
      <p class="hint">
        <span class="tag acc">best measured</span> at this size
      </p>
    );
  const extend = best[0] === 'own' ? '' : best[0]!;
  return (
    <p class="hint">
      Best measured at this size:{' '}
      {canChoose(extend, model) ? (
        <button
          type="button"
          class="link inline"
          onClick={() => change({ extend, extendOptions: {} })}
        >
          {methodTitle(best[0]!)}
        </button>
      ) : (
        methodTitle(best[0]!)
      )}
    </p>
  );
}

/** Not what a report measured with options, or several at once. */
const canChoose = (extend: string, { sampling }: ModelView): boolean =>
  extend === '' ||
  extend === 'none' ||
  (sampling.kind === 'diffusion' && sampling.extensions.some(({ name }) => name === extend));

/** Folded away as long as it is the model's own. */
function ShiftField({ value, own }: { readonly value: number; readonly own: number }) {
  return (
    <Folded
      title="Time shift"
      note={value === own ? `${value}, the model's own` : `${value}`}
      isOpen={value !== own}
    >
      <div class="field">
        <label class="sr" for="shift">
          Time shift
        </label>
        <NumberField
          id="shift"
          value={value}
          min={0.01}
          max={100}
          step={0.1}
          onChange={(shift) => change({ shift })}
        />
        <p class="hint">Above 1 spends more of the steps near noise, below 1 near the picture.</p>
        <Faults of={['shift']} />
      </div>
    </Folded>
  );
}

const GuidanceField = ({ value }: { readonly value: number }) => (
  <RangeField
    id="cfg"
    label="Guidance (CFG)"
    field="guidance"
    shown={value.toFixed(1)}
    {...{ value, min: 1, max: Math.max(10, value), step: 0.1 }}
  />
);

/** A number to drag, with what it is now. */
function RangeField({
  id,
  label,
  field,
  shown,
  ...range
}: {
  readonly id: string;
  readonly label: string;
  /** Of the form. */
  readonly field: 'guidance' | 'temperature';
  readonly shown: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}) {
  return (
    <div class="field">
      <div class="label">
        <label for={id}>{label}</label>
        <output for={id}>{shown}</output>
      </div>
      <input
        type="range"
        id={id}
        {...range}
        onInput={(event) => change({ [field]: Number(event.currentTarget.value) })}
      />
      <Faults of={[field]} />
    </div>
  );
}

const EXACTNESS = {
  identical: 'the picture of sequential decoding, to the bit',
  lossless: 'the same law as sequential decoding, another picture',
  approximate: 'faster by changing what is drawn',
} as const;

export function TokenFields({ form: now, model: { sampling } }: Both) {
  if (sampling.kind !== 'tokens') return null;
  const decoder = sampling.decoders.find(({ name }) => name === now.decoder);
  return (
    <>
      <div class="field">
        <label class="label" for="decoder">
          Decoder
          {decoder && (
            <span class={`tag push ${decoder.exactness === 'approximate' ? 'warn' : 'acc'}`}>
              {decoder.exactness}
            </span>
          )}
        </label>
        <Select
          id="decoder"
          value={now.decoder}
          aria-describedby="decoder-h"
          options={sampling.decoders.map(({ name, exactness }) => ({
            value: name,
            label: `${name} (${exactness})`,
          }))}
          onChange={(name) => change({ decoder: name, decoderOptions: {} })}
        />
        {decoder && (
          <p class="hint" id="decoder-h">
            {decoder.title}: {EXACTNESS[decoder.exactness]}.
          </p>
        )}
        {decoder && (
          <MethodOptions
            method={decoder}
            values={now.decoderOptions}
            onChange={(decoderOptions) => change({ decoderOptions })}
          />
        )}
      </div>
      <RangeField
        id="temperature"
        label="Temperature"
        field="temperature"
        shown={now.temperature.toFixed(2)}
        {...{ value: now.temperature, min: 0, max: 2, step: 0.05 }}
      />
      <GuidanceField value={now.guidance} />
    </>
  );
}
