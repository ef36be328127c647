/** Prompt, what to leave out, style and attribute chips, and the main button. */
import { useState } from 'preact/hooks';
import {
  lexiconOf,
  type Reading,
  readPrompt,
  withAttribute,
  withoutPart,
} from '../../state/lexicon.ts';
import {
  change,
  form,
  generate,
  model,
  negativeReading,
  reading,
  sending,
  style,
} from '../../state/session.ts';
import { count } from '../../state/words.ts';
import { Icon } from '../icon.tsx';
import { Attributes, openAttributes } from './attributes.tsx';
import { PromptBox } from './prompt-box.tsx';

export function Ask() {
  const now = form.value;
  const [isNegative, setNegative] = useState(false);
  const hasNegative = isNegative || (now?.negative ?? '') !== '';
  return (
    <form
      class="ask"
      aria-label="Prompt"
      onSubmit={(event) => {
        event.preventDefault();
        void generate();
      }}
    >
      <div class="field">
        <div class="label">
          <label for="prompt">Prompt</label>
          {!hasNegative && (
            <button type="button" class="link push" onClick={() => setNegative(true)}>
              Leave out…
            </button>
          )}
        </div>
        <PromptBox
          id="prompt"
          label="Prompt"
          slash
          value={now?.prompt ?? ''}
          placeholder="Words such as: red hair, round glasses, smile"
          onChange={(prompt) => change({ prompt })}
          describedBy="prompt-words"
          isInvalid={isFaulty(reading.value)}
        />
      </div>
      <div class="go">
        <button
          type="submit"
          class="btn main big"
          aria-disabled={sending.value || !now ? true : undefined}
        >
          Generate {count(now?.count ?? 1)} <kbd>Ctrl Enter</kbd>
        </button>
      </div>
      {hasNegative && now && (
        <div class="field negative">
          <label class="label" for="negative">
            Leave out
          </label>
          <PromptBox
            id="negative"
            label="Leave out"
            value={now.negative}
            placeholder="Words to keep away from"
            onChange={(negative) => change({ negative })}
            describedBy="negative-words"
            isInvalid={isFaulty(negativeReading.value)}
          />
        </div>
      )}
      <Styles />
      <Words
        id="prompt-words"
        text={now?.prompt ?? ''}
        reading={reading.value}
        onChange={(prompt) => change({ prompt })}
      />
      {hasNegative && now && (
        <Words
          id="negative-words"
          text={now.negative}
          reading={negativeReading.value}
          onChange={(negative) => change({ negative })}
        />
      )}
      <Attributes />
    </form>
  );
}

const isFaulty = (reading: Reading | { readonly fault: string }): boolean =>
  'fault' in reading || reading.unknown.length > 0;

function Styles() {
  if (!model.value || !form.value) return null;
  const lexicon = lexiconOf(model.value);
  if (lexicon.styles.length === 0) return null;
  const { prompt } = form.value;
  const choose = (word: number | undefined) => {
    const next = withAttribute(lexicon, prompt, 'style', word);
    // What the new style cannot have is left where it is; the reader says so below the prompt.
    change({ prompt: next });
  };
  return (
    <fieldset class="styles">
      <legend class="sr">Style</legend>
      <span class="label" aria-hidden="true">
        Style
      </span>
      {[...lexicon.styles, undefined].map((word) => (
        <label class="chip" key={word ?? 'any'}>
          <input
            type="radio"
            name="style"
            checked={style.value === word}
            onChange={() => choose(word)}
          />
          <Icon name="check" />
          {word === undefined ? 'any' : lexicon.phrases[word]}
        </label>
      ))}
    </fieldset>
  );
}

/** What the prompt says, part by part: each can be taken away, and what is not understood is mended. */
function Words({
  id,
  text,
  reading: now,
  onChange,
}: {
  readonly id: string;
  readonly text: string;
  readonly reading: Reading | { readonly fault: string };
  readonly onChange: (text: string) => void;
}) {
  if ('fault' in now)
    return (
      <p class="words state bad" id={id} role="alert">
        <Icon name="bad" />
        {now.fault}
      </p>
    );
  const lexicon = model.value && lexiconOf(model.value);
  const isStyle = (words: readonly number[]) =>
    words.some((word) => lexicon?.styles.includes(word));
  return (
    <div class="words" id={id}>
      {now.chips
        .filter(({ words }) => !isStyle(words))
        .map(({ text: part, weight }) => (
          <span class="chip fixed" key={part}>
            {part}
            {weight !== undefined && <span class="soft xs">{weight}</span>}
            <button
              type="button"
              aria-label={`Take away: ${part}`}
              onClick={() => onChange(withoutPart(text, part))}
            >
              <Icon name="x" />
            </button>
          </span>
        ))}
      {id === 'prompt-words' && (
        <button type="button" class="chip" onClick={openAttributes}>
          <span aria-hidden="true">+</span> Attribute
        </button>
      )}
      {now.unknown.map((part) => (
        <Unknown key={part.text} part={part} text={text} onChange={onChange} />
      ))}
    </div>
  );
}

function Unknown({
  part,
  text,
  onChange,
}: {
  readonly part: Reading['unknown'][number];
  readonly text: string;
  readonly onChange: (text: string) => void;
}) {
  const lexicon = lexiconOf(model.value!);
  const say = (word: string) => {
    const id = lexicon.model.vocabulary.indexOf(word);
    return lexicon.phrases[id] ?? word;
  };
  const replace = (phrase: string) => {
    const at = text.indexOf(part.text);
    const next =
      at < 0
        ? `${withoutPart(text, part.text)}, ${phrase}`
        : text.slice(0, at) + phrase + text.slice(at + part.text.length);
    onChange(next);
  };
  const isOfOtherStyle =
    style.value !== undefined &&
    readPrompt({ ...lexicon, fits: () => true }, part.text).unknown.length === 0;
  return (
    <span class="row wrap unknown">
      <span class="state bad">
        <Icon name="bad" />“{part.text}”{' '}
        {isOfOtherStyle
          ? `is not drawn in ${lexicon.phrases[style.value!]}`
          : 'is no word of this model'}
      </span>
      {part.nearest.map((word) => (
        <button type="button" class="chip" key={word} onClick={() => replace(say(word))}>
          {say(word)}
        </button>
      ))}
      <button type="button" class="chip" onClick={() => onChange(withoutPart(text, part.text))}>
        Take it away
      </button>
    </span>
  );
}
