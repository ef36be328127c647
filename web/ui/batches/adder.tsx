/** Adds values to an axis: words that the model completes, numbers, sizes. */
import type { RefObject } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { useCompletion } from '../components/completion.tsx';
import { Icon } from '../components/icon.tsx';
import { lexiconOf, styleAt } from '../state/lexicon.ts';
import { type Axis, readNumbers, readPhrases, readSize, sizeTitle, sizeValue } from './axes.ts';
import { model } from './form.ts';

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
export function Adder({
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
    id,
    'aria-label': `${axis.title}: ${label}`,
    'aria-describedby': `${id}-hint`,
    'aria-invalid': error !== undefined,
  };
  return (
    <div class="adder">
      {axis.kind === 'phrases' ? (
        <Prompts {...shared} field={field} onKey={onKeyDown} />
      ) : (
        <input type="text" ref={field} {...shared} onKeyDown={onKeyDown} />
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

/** A line each, completed from the model's words; keys that the list does not take are the adder's. */
function Prompts({
  field,
  onKey,
  ...shared
}: {
  readonly id: string;
  readonly 'aria-label': string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly onKey: (event: KeyboardEvent) => void;
}) {
  const chosen = model.value;
  const { isOpen, aria, suggest, close, onKeyDown, list } = useCompletion({
    ...{ id: shared.id, label: shared['aria-label'], field, model: chosen },
    styleAt: (text, caret) => chosen && styleAt(lexiconOf(chosen), text, caret),
  });
  return (
    <div class={`ask-field ${isOpen ? 'open' : ''}`}>
      <textarea
        ref={field}
        rows={4}
        {...shared}
        {...aria}
        aria-haspopup="listbox"
        autocomplete="off"
        spellcheck={false}
        onInput={suggest}
        onKeyDown={(event) => {
          onKeyDown(event);
          if (event.defaultPrevented) event.stopPropagation();
          else onKey(event);
        }}
        onBlur={close}
      />
      {list}
    </div>
  );
}
