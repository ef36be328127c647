/** Small controls that many pages use. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

/** One of a few, side by side; arrows move between them. */
export function Seg<Value extends string | number>({
  legend,
  shown = false,
  options,
  value,
  onChange,
}: {
  readonly legend: string;
  /** Whether the legend is seen, or only read. */
  readonly shown?: boolean;
  readonly options: readonly {
    readonly value: Value;
    readonly label: string;
    readonly icon?: IconName;
    readonly title?: string;
  }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  const name = useId();
  return (
    <fieldset class="field">
      <legend class={shown ? 'label' : 'sr'}>{legend}</legend>
      <div class="seg">
        {options.map((option) => (
          <label key={option.value} title={option.title}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.icon ? (
              <>
                <span class="sr">{option.label}</span>
                <Icon name={option.icon} />
              </>
            ) : (
              option.label
            )}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A name above what it names. */
export const Field = ({
  id,
  label,
  children,
}: {
  /** Of the control. */
  readonly id: string;
  readonly label: string;
  readonly children: ComponentChildren;
}) => (
  <div class="field">
    <label class="label" for={id}>
      {label}
    </label>
    {children}
  </div>
);

/** A choice of names. */
export function Select({
  id,
  value,
  options,
  onChange,
  ...more
}: {
  readonly id: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string) => void;
  readonly 'aria-describedby'?: string;
}) {
  return (
    <select
      id={id}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...more}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** A button with only an icon; its name is read and shown as a hint. */
export function IconButton({
  icon,
  label,
  onClick,
  kind = 'quiet',
  ...more
}: {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => unknown;
  readonly kind?: string;
  readonly disabled?: boolean;
  readonly 'aria-pressed'?: boolean;
}) {
  return (
    <button
      type="button"
      class={`btn icon ${kind}`}
      aria-label={label}
      title={label}
      onClick={onClick}
      {...more}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Nothing here, and the one thing to do next. */
export function Empty({
  title,
  children,
  acts,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly acts?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <svg class="coil" viewBox="0 0 64 40" width="64" height="40" aria-hidden="true">
        <ellipse cx="30" cy="22" rx="24" ry="11" />
        <ellipse cx="30" cy="21" rx="17" ry="7.5" />
        <ellipse cx="30" cy="20" rx="10" ry="4" />
        <path class="yarn" d="M54 22c0 6 2 9 8 9" />
      </svg>
      <h2>{title}</h2>
      <p>{children}</p>
      {acts && <div class="acts">{acts}</div>}
    </div>
  );
}
