/** One option of a method as its card describes it; empty means its default. */
import type { Choice } from '../../services.ts';

type Option = Choice['options'][number];
type Value = number | string | boolean;

export function OptionField({
  option,
  value,
  onChange,
}: {
  readonly option: Option;
  readonly value: Value | undefined;
  readonly onChange: (value: Value | undefined) => void;
}) {
  const { name, kind, minimum, maximum, choices, description } = option;
  const shown = value ?? option.default;
  if (kind === 'boolean')
    return (
      <label class="row s" title={description}>
        <input
          type="checkbox"
          checked={shown === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
        {name}
      </label>
    );
  const id = `option-${name}`;
  return (
    <div class="field narrow" title={description}>
      <label class="label" for={id}>
        {name}
      </label>
      {choices ? (
        <select
          id={id}
          value={String(shown ?? '')}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        >
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : kind === 'text' ? (
        <input
          id={id}
          type="text"
          value={String(shown ?? '')}
          onInput={({ currentTarget }) => onChange(currentTarget.value || undefined)}
        />
      ) : (
        <input
          id={id}
          type="number"
          min={minimum}
          max={maximum}
          step={kind === 'integer' ? 1 : 'any'}
          value={String(shown ?? '')}
          onInput={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : Number(currentTarget.value))
          }
        />
      )}
    </div>
  );
}
