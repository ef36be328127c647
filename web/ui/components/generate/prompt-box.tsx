/** A prompt with completion over the model's words: a combobox by the pattern of the ARIA practices. */
import { useRef, useState } from 'preact/hooks';
import { accept, complete, lexiconOf, type Suggestion } from '../../state/lexicon.ts';
import { model, style } from '../../state/session.ts';

type Props = {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (text: string) => void;
  readonly describedBy?: string;
  readonly isInvalid?: boolean;
  /** The key / goes here. */
  readonly slash?: boolean;
};

export function PromptBox(props: Props) {
  const { id, label, value, onChange } = props;
  const input = useRef<HTMLInputElement>(null);
  const [options, setOptions] = useState<readonly Suggestion[]>([]);
  const [at, setAt] = useState(0);
  const isOpen = options.length > 0;
  const close = () => setOptions([]);

  const suggest = () => {
    const { value: text, selectionStart } = input.current!;
    setAt(0);
    setOptions(
      model.value
        ? complete(lexiconOf(model.value), text, selectionStart ?? text.length, {
            style: style.value,
          })
        : [],
    );
  };
  const take = (suggestion: Suggestion) => {
    const field = input.current!;
    const next = accept(field.value, field.selectionStart ?? field.value.length, suggestion.text);
    onChange(next.text);
    close();
    field.focus();
    // The field has its new text after the next drawing.
    requestAnimationFrame(() => field.setSelectionRange(next.caret, next.caret));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && !isOpen && event.key === 'ArrowDown') suggest();
    else if (by !== undefined && isOpen) setAt((at + by + options.length) % options.length);
    else if (isOpen && (event.key === 'Tab' || event.key === 'Enter')) take(options[at]!);
    else if (isOpen && event.key === 'Escape') close();
    else return;
    event.preventDefault();
  };

  return (
    <div class={`ask-field ${isOpen ? 'open' : ''}`}>
      <input
        ref={input}
        type="text"
        id={id}
        value={value}
        placeholder={props.placeholder}
        maxLength={4000}
        autocomplete="off"
        spellcheck={false}
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-options`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen ? `${id}-option-${at}` : undefined}
        aria-invalid={(props.isInvalid && !isOpen) || undefined}
        aria-describedby={props.describedBy}
        {...(props.slash && { 'data-slash': '' })}
        onInput={(event) => {
          onChange(event.currentTarget.value);
          suggest();
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <div class="list">
        <div id={`${id}-options`} role="listbox" aria-label={`Words for: ${label}`}>
          {options.map((option, index) => (
            <Option
              key={option.word}
              id={`${id}-option-${index}`}
              option={option}
              isChosen={index === at}
              onTake={() => take(option)}
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
