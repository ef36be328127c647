/** The options of an extension or a decoder, as its card describes them. */
import type { Choice } from '../../../services.ts';
import type { Options } from '../../state/form.ts';
import { Select } from '../controls.tsx';
import { Icon } from '../icon.tsx';

type Option = Choice['options'][number];
type Value = number | boolean | string;

export function MethodOptions({
  method,
  values,
  onChange,
}: {
  readonly method: Choice;
  readonly values: Options;
  readonly onChange: (values: Options) => void;
}) {
  if (method.options.length === 0) return null;
  const set = (option: Option, value: Value | undefined) => {
    const { [option.name]: _, ...rest } = values;
    onChange(
      value === undefined || value === option.default ? rest : { ...rest, [option.name]: value },
    );
  };
  const changed = Object.keys(values).length;
  return (
    <details class="options" open={changed > 0}>
      <summary class="s">
        <span class="chev">
          <Icon name="chev" />
        </span>
        Options
        {changed > 0 && <span class="soft xs push">{changed} changed</span>}
      </summary>
      <div class="two">
        {method.options.map((option) => (
          <OptionField
            key={`${method.name}.${option.name}`}
            option={option}
            value={values[option.name] ?? option.default}
            onChange={(value) => set(option, value)}
          />
        ))}
      </div>
    </details>
  );
}

function OptionField({
  option,
  value,
  onChange,
}: {
  readonly option: Option;
  readonly value: Value | undefined;
  readonly onChange: (value: Value | undefined) => void;
}) {
  const { name, kind, choices, description, minimum, maximum } = option;
  const id = `option-${name}`;
  return (
    <div class="field" title={description}>
      <label class="label" for={id}>
        {name}
      </label>
      {kind === 'boolean' || choices ? (
        <Select
          id={id}
          value={String(value ?? '')}
          options={(choices ?? ['true', 'false']).map((choice) => ({
            value: choice,
            label: choices ? choice : choice === 'true' ? 'yes' : 'no',
          }))}
          onChange={(text) => onChange(kind === 'boolean' ? text === 'true' : text)}
        />
      ) : kind === 'text' ? (
        <input
          id={id}
          type="text"
          value={String(value ?? '')}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      ) : (
        <input
          id={id}
          type="number"
          value={value as number | undefined}
          min={minimum}
          max={maximum}
          step={kind === 'integer' ? 1 : 'any'}
          onChange={({ currentTarget: { value: text } }) =>
            onChange(text === '' ? undefined : Number(text))
          }
        />
      )}
    </div>
  );
}
