/** The options of a method as its card describes them, a field each; what is not changed has its default. */
import { useId } from 'preact/hooks';
import type { Choice } from '../../services.ts';
import type { Options } from '../state/form.ts';
import { Select } from './controls.tsx';

type Option = Choice['options'][number];
type Value = number | string | boolean;

export type OptionFieldsProps = {
  readonly method: Choice;
  readonly values: Options;
  readonly onChange: (values: Options) => void;
};

export function OptionFields({ method, values, onChange }: OptionFieldsProps) {
  const set = (option: Option, value: Value | undefined) => {
    const { [option.name]: _, ...rest } = values;
    onChange(
      value === undefined || value === option.default ? rest : { ...rest, [option.name]: value },
    );
  };
  return (
    <>
      {method.options.map((option) => (
        <OptionField
          key={`${method.name}.${option.name}`}
          option={option}
          value={values[option.name] ?? option.default}
          onChange={(value) => set(option, value)}
        />
      ))}
    </>
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
  const id = useId();
  return (
    <div class="field option" title={description}>
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
