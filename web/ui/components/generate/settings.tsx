/** Everything that is set beside the prompt; made from the model's card, so a new method shows by itself. */
import type { ModelView } from '../../api.ts';
import { type Form, type Problem, RATIOS, type Ratio, ratioOf, sizeFor } from '../../state/form.ts';
import { models } from '../../state/models.ts';
import { change, chooseModel, estimate, form, model, problems } from '../../state/session.ts';
import { duration } from '../../state/words.ts';
import { IconButton, Seg, Select } from '../controls.tsx';
import { Icon } from '../icon.tsx';
import { MethodOptions } from './method-options.tsx';
import { NumberField } from './number-field.tsx';
import { Ruler } from './ruler.tsx';

type Both = { readonly form: Form; readonly model: ModelView };

export function Settings() {
  const both = form.value && model.value && { form: form.value, model: model.value };
  if (!both) return <p class="soft s">Models are being read…</p>;
  const { sampling } = both.model;
  return (
    <div class="stack">
      {models.value.length > 1 && <ModelField {...both} />}
      <SizeFields {...both} />
      {sampling.kind === 'diffusion' ? <DiffusionFields {...both} /> : <TokenFields {...both} />}
      <SeedField {...both} />
      <CountField {...both} />
    </div>
  );
}

export const summaryOf = ({ width, height, solver, steps, decoder, guidance }: Form): string =>
  `${width === height ? width : `${width} × ${height}`} px, ${
    solver ? `${solver} ${steps}` : decoder
  }, CFG ${guidance}`;

function ModelField({ form: { model: id } }: Both) {
  return (
    <div class="field">
      <label class="label" for="model">
        Model
      </label>
      <Select
        id="model"
        value={id}
        options={models.value.map((entry) => ({ value: entry.id, label: entry.title }))}
        onChange={chooseModel}
      />
    </div>
  );
}

export function Faults({ of }: { readonly of: readonly Problem['field'][] }) {
  return (
    <>
      {problems.value
        .filter(({ field }) => of.includes(field))
        .map(({ field, message, repairs }) => (
          <div class="fault" key={field} id={`${field}-fault`}>
            <p class="s row">
              <span class="state bad">
                <Icon name="bad" />
                {message}
              </span>
            </p>
            <div class="row wrap">
              {repairs.map((repair) => (
                <button
                  type="button"
                  class="btn"
                  key={repair.label}
                  onClick={() => change(repair.change)}
                >
                  {repair.label}
                </button>
              ))}
            </div>
          </div>
        ))}
    </>
  );
}

function SizeFields({ form: now, model: card }: Both) {
  const { fixed, multiple, largestSide } = card.size;
  if (fixed)
    return (
      <div class="field">
        <div class="label">
          Size
          <span class="val">
            {now.width} × {now.height} px
          </span>
        </div>
        <p class="hint">This model draws the size it was trained on.</p>
        <Faults of={['width', 'height']} />
      </div>
    );
  const setSide = (field: 'width' | 'height', side: number) => {
    const other = field === 'width' ? 'height' : 'width';
    const sides = { width: now.width, height: now.height, [field]: side };
    if (now.ratio !== 'free' && now.ratio !== '1:1')
      change({ ...sides, ratio: ratioOf(sides.width, sides.height) });
    else if (now.ratio === '1:1') change({ ...sides, [other]: side });
    else change(sides);
  };
  return (
    <div class="field">
      <div class="label">
        <label for="size">Size</label>
        <span class="val">
          {now.width} × {now.height} px
        </span>
      </div>
      <Ruler form={now} model={card} />
      <div class="wh">
        {(['width', 'height'] as const).map((field) => (
          <div class={`unit ${field}`} key={field}>
            <label class="sr" for={field}>
              {field === 'width' ? 'Width' : 'Height'}
            </label>
            <NumberField
              id={field}
              value={now[field]}
              min={multiple}
              max={largestSide}
              step={multiple}
              onChange={(side) => setSide(field, side)}
            />
            <span>px</span>
          </div>
        ))}
        <IconButton
          icon="swap"
          label="Swap width and height"
          onClick={() =>
            change({
              width: now.height,
              height: now.width,
              ratio: ratioOf(now.height, now.width),
            })
          }
        />
        <IconButton
          icon="lock"
          label="Keep the aspect ratio"
          aria-pressed={now.ratio !== 'free'}
          onClick={() =>
            change({ ratio: now.ratio === 'free' ? ratioOf(now.width, now.height) : 'free' })
          }
        />
      </div>
      <Faults of={['width', 'height']} />
      <Seg<Ratio>
        legend="Aspect"
        options={RATIOS.map((ratio) => ({ value: ratio, label: ratio }))}
        value={now.ratio}
        onChange={(ratio) =>
          change({ ratio, ...sizeFor(Math.max(now.width, now.height), ratio, card.size) })
        }
      />
    </div>
  );
}

function DiffusionFields({ form: now, model: { sampling } }: Both) {
  if (sampling.kind !== 'diffusion') return null;
  const extension = sampling.extensions.find(({ name }) => name === now.extend);
  return (
    <>
      <div class="field">
        <label class="label" for="extend">
          Position extension
        </label>
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
        {extension && (
          <MethodOptions
            method={extension}
            values={now.extendOptions}
            onChange={(extendOptions) => change({ extendOptions })}
          />
        )}
      </div>
      <div class="two">
        <div class="field">
          <label class="label" for="solver">
            Solver
          </label>
          <Select
            id="solver"
            value={now.solver}
            options={sampling.solvers.map((name) => ({ value: name, label: name }))}
            onChange={(solver) => change({ solver })}
          />
        </div>
        <div class="field">
          <label class="label" for="steps">
            Steps
          </label>
          <NumberField
            id="steps"
            value={now.steps}
            min={1}
            max={1000}
            onChange={(steps) => change({ steps })}
          />
        </div>
      </div>
      <Faults of={['steps']} />
      <GuidanceField value={now.guidance} />
    </>
  );
}

function GuidanceField({ value }: { readonly value: number }) {
  return (
    <div class="field">
      <div class="label">
        <label for="cfg">Guidance (CFG)</label>
        <output for="cfg">{value.toFixed(1)}</output>
      </div>
      <input
        type="range"
        id="cfg"
        min="1"
        max={Math.max(10, value)}
        step="0.1"
        value={value}
        onInput={(event) => change({ guidance: Number(event.currentTarget.value) })}
      />
      <Faults of={['guidance']} />
    </div>
  );
}

const EXACTNESS = {
  identical: 'the picture of sequential decoding, to the bit',
  lossless: 'the same law as sequential decoding, another picture',
  approximate: 'faster by changing what is drawn',
} as const;

function TokenFields({ form: now, model: { sampling } }: Both) {
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
      <div class="field">
        <div class="label">
          <label for="temperature">Temperature</label>
          <output for="temperature">{now.temperature.toFixed(2)}</output>
        </div>
        <input
          type="range"
          id="temperature"
          min="0"
          max="2"
          step="0.05"
          value={now.temperature}
          onInput={(event) => change({ temperature: Number(event.currentTarget.value) })}
        />
        <Faults of={['temperature']} />
      </div>
      <GuidanceField value={now.guidance} />
    </>
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
    <div class="field">
      <label class="label" for="seed">
        Seed
      </label>
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
    </div>
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
        <div class="field">
          <label class="label" for="count">
            or
          </label>
          <NumberField
            id="count"
            value={count}
            min={1}
            max={10_000}
            onChange={(value) => change({ count: value })}
          />
        </div>
      </div>
      <Faults of={['count']} />
      {estimate.value !== undefined && (
        <p class="hint">About {duration(estimate.value)}, as the last one like it.</p>
      )}
    </div>
  );
}
