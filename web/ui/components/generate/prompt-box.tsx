/** A prompt with completion over the model's words: a combobox by the pattern of the ARIA practices. */
import { useRef } from 'preact/hooks';
import { model, style } from '../../state/session.ts';
import { useCompletion } from '../completion.tsx';

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
  const field = useRef<HTMLInputElement>(null);
  const { isOpen, aria, suggest, close, onKeyDown, list } = useCompletion({
    ...{ id, label, field, onChange },
    model: model.value,
    styleAt: () => style.value,
  });
  return (
    <div class={`ask-field ${isOpen ? 'open' : ''}`}>
      <input
        ref={field}
        type="text"
        id={id}
        value={value}
        placeholder={props.placeholder}
        maxLength={4000}
        autocomplete="off"
        spellcheck={false}
        role="combobox"
        aria-expanded={isOpen}
        {...aria}
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
      {list}
    </div>
  );
}
