/** One axis of a grid: its values as chips, how to add more, and how many there are. */
import { useId, useRef, useState } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { count } from '../state/words.ts';
import {
  type Axis,
  chipsOf,
  readNumbers,
  readPhrases,
  readSize,
  sizeTitle,
  sizeValue,
} from './axes.ts';

type Props = {
  readonly axis: Axis;
  readonly values: readonly string[];
  readonly hint?: string | undefined;
  readonly onChange: (values: readonly string[]) => void;
};

export function AxisRow(props: Props) {
  const { axis, values, hint } = props;
  return (
    <fieldset class="axis" aria-label={`${axis.title}, ${count(values.length)} chosen`}>
      <p class="label">{axis.title}</p>
      <div>
        <div class="chips">
          {axis.kind === 'choices' ? <Choices {...props} /> : <Typed {...props} />}
        </div>
        {hint && <p class="hint">{hint}</p>}
      </div>
      <p class="count">{count(Math.max(1, values.length))}</p>
    </fieldset>
  );
}

function Choices({ axis, values, onChange }: Props) {
  const known = new Set(axis.choices.map(({ value }) => value));
  const added = values.filter((value) => !known.has(value));
  const toggle = (value: string) =>
    onChange(
      values.includes(value) ? values.filter((other) => other !== value) : [...values, value],
    );
  const own = added.map((value) => {
    const size = readSize(value);
    return { value, title: size ? sizeTitle(size) : value };
  });
  return (
    <>
      {[...axis.choices, ...own].map(({ value, title }) => (
        <label key={value} class="chip">
          <input type="checkbox" checked={values.includes(value)} onChange={() => toggle(value)} />
          <Icon name="check" />
          {title}
        </label>
      ))}
      {axis.name === 'size' && (
        <Adder axis={axis} label="Other size" onAdd={(more) => onChange([...values, ...more])} />
      )}
    </>
  );
}

function Typed({ axis, values, onChange }: Props) {
  const without = (gone: readonly string[]) =>
    onChange(values.filter((value) => !gone.includes(value)));
  return (
    <>
      {chipsOf(values).map((chip) => (
        <span key={chip.title} class="chip fixed">
          {chip.title}
          <button
            type="button"
            aria-label={`Remove ${chip.title}`}
            onClick={() => without(chip.values)}
          >
            <Icon name="x" />
          </button>
        </span>
      ))}
      <Adder
        axis={axis}
        label={axis.kind === 'phrases' ? 'Add, or paste a list' : 'Number, range or list'}
        onAdd={(more) => onChange(inOrder(axis, [...values, ...more]))}
      />
    </>
  );
}

const inOrder = ({ kind }: Axis, values: readonly string[]): readonly string[] =>
  kind === 'numbers' ? values.toSorted((a, b) => Number(a) - Number(b)) : values;

/** Values from what was typed; throws a sentence. */
function read(axis: Axis, text: string): string[] {
  if (axis.kind === 'phrases') return readPhrases(text);
  if (axis.kind === 'numbers') return readNumbers(text, axis);
  return text
    .split(/[,;\s]+(?![x×*])/)
    .filter(Boolean)
    .map((part) => {
      const size = readSize(part);
      if (!size) throw new RangeError(`Sizes: expected sides like 96 or 128x64, got '${part}'`);
      return sizeValue(size);
    });
}

const EXAMPLES: Readonly<Record<Axis['kind'], string>> = {
  phrases: 'One prompt a line; a line may have commas.',
  numbers: 'Such as 1 to 64, or 2, 3, 4.5.',
  choices: `Such as ${sizeTitle({ width: 80, height: 80 })} or 128x64.`,
};

/** A button that turns into a field; Enter adds (in several lines Ctrl+Enter), Esc closes. */
function Adder({
  axis,
  label,
  onAdd,
}: {
  readonly axis: Axis;
  readonly label: string;
  readonly onAdd: (values: readonly string[]) => void;
}) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<string>();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    setError(undefined);
    requestAnimationFrame(() => button.current?.focus());
  };
  const add = () => {
    try {
      onAdd(read(axis, field.current?.value ?? ''));
      close();
    } catch (wrong) {
      setError((wrong as Error).message);
      field.current?.focus();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && (axis.kind !== 'phrases' || event.ctrlKey)) add();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (!open)
    return (
      <button
        ref={button}
        type="button"
        class="btn quiet"
        aria-label={`${axis.title}: ${label}`}
        onClick={() => {
          setOpen(true);
          requestAnimationFrame(() => field.current?.focus());
        }}
      >
        <Icon name="plus" />
        {label}
      </button>
    );
  const shared = {
    ref: field,
    id,
    'aria-label': `${axis.title}: ${label}`,
    'aria-describedby': `${id}-hint`,
    'aria-invalid': error !== undefined,
    onKeyDown,
  } as const;
  return (
    <div class="adder">
      {axis.kind === 'phrases' ? (
        <textarea rows={4} {...shared} />
      ) : (
        <input type="text" {...shared} />
      )}
      <button type="button" class="btn" onClick={add}>
        Add
      </button>
      <button type="button" class="btn quiet" onClick={close}>
        Close
      </button>
      <p id={`${id}-hint`} class={error ? 'hint wrong' : 'hint'} role={error ? 'alert' : undefined}>
        {error ?? EXAMPLES[axis.kind]}
      </p>
    </div>
  );
}
