/** Completion of a field over a model's words: its keys, and the list below it. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { ModelView } from '../api.ts';
import { accept, complete, lexiconOf, type Suggestion } from '../state/lexicon.ts';

type Field = HTMLInputElement | HTMLTextAreaElement;

export type CompletionOptions = {
  readonly id: string;
  readonly label: string;
  readonly field: RefObject<Field | null>;
  readonly model: ModelView | undefined;
  /** The style that words at the caret must fit. */
  readonly styleAt: (text: string, caret: number) => number | undefined;
  /** For a field whose text is kept elsewhere. */
  readonly onChange?: (text: string) => void;
};

/** To be put around a field as `.ask-field`: what the field gets, and `list` after it. */
export function useCompletion({ id, label, field, model, styleAt, onChange }: CompletionOptions) {
  const [options, setOptions] = useState<readonly Suggestion[]>([]);
  const [at, setAt] = useState(0);
  const isOpen = options.length > 0;
  const close = () => setOptions([]);

  const suggest = () => {
    const { text, caret } = readingOf(field.current!);
    setAt(0);
    setOptions(
      model ? complete(lexiconOf(model), text, caret, { style: styleAt(text, caret) }) : [],
    );
  };
  const take = (suggestion: Suggestion) => {
    const { text, caret } = readingOf(field.current!);
    const next = accept(text, caret, suggestion.text);
    const own = field.current!;
    own.value = next.text;
    own.focus();
    own.setSelectionRange(next.caret, next.caret); // at once: what is typed next belongs there
    onChange?.(next.text);
    close();
  };
  /** Whether the key was for the list; in a field of several lines Enter begins the next one. */
  const press = ({ key, ctrlKey, metaKey, currentTarget }: KeyboardEvent): boolean => {
    if (ctrlKey || metaKey) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[key];
    const hasOneLine = currentTarget instanceof HTMLInputElement;
    if (by !== undefined && isOpen) setAt((at + by + options.length) % options.length);
    else if (key === 'ArrowDown' && hasOneLine) suggest();
    else if (isOpen && (key === 'Tab' || (key === 'Enter' && hasOneLine))) take(options[at]!);
    else if (isOpen && key === 'Escape') close();
    else return false;
    return true;
  };

  return {
    isOpen,
    aria: {
      'aria-controls': `${id}-options`,
      'aria-autocomplete': 'list' as const,
      'aria-activedescendant': isOpen ? `${id}-option-${at}` : undefined,
    },
    suggest,
    close,
    onKeyDown: (event: KeyboardEvent) => {
      if (press(event)) event.preventDefault();
    },
    list: <List {...{ id, label, options, at }} onTake={take} />,
  };
}

const readingOf = ({ value, selectionStart }: Field) => ({
  text: value,
  caret: selectionStart ?? value.length,
});

function List({
  id,
  label,
  options,
  at,
  onTake,
}: {
  readonly id: string;
  readonly label: string;
  readonly options: readonly Suggestion[];
  readonly at: number;
  readonly onTake: (option: Suggestion) => void;
}) {
  return (
    <div class="list">
      <div id={`${id}-options`} role="listbox" aria-label={`Words for: ${label}`}>
        {options.map((option, index) => (
          <Option
            key={option.word}
            id={`${id}-option-${index}`}
            option={option}
            isChosen={index === at}
            onTake={() => onTake(option)}
          />
        ))}
      </div>
      <p class="k hint" aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Tab</kbd> complete
        </span>
        <span class="push">
          Stronger: <code>(red hair:1.3)</code>
        </span>
      </p>
    </div>
  );
}

function Option({
  id,
  option: { text, mark, attribute },
  isChosen,
  onTake,
}: {
  readonly id: string;
  readonly option: Suggestion;
  readonly isChosen: boolean;
  readonly onTake: () => void;
}) {
  const [from, to] = mark ?? [0, 0];
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field (aria-activedescendant)
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's
    <div
      role="option"
      id={id}
      aria-selected={isChosen}
      onMouseDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      <span>
        {text.slice(0, from)}
        <mark>{text.slice(from, to)}</mark>
        {text.slice(to)}
      </span>
      <span class="soft xs">{attribute}</span>
    </div>
  );
}
