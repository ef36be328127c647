/** Every attribute of the model with its values, as a dialog: what a person cannot know to type. */
import { type Lexicon, lexiconOf, readPrompt, withAttribute } from '../../state/lexicon.ts';
import { change, form, model, style } from '../../state/session.ts';
import { Select } from '../controls.tsx';

let dialog: HTMLDialogElement | null = null;
export const openAttributes = (): void => dialog?.showModal();

export function Attributes() {
  const lexicon = model.value && lexiconOf(model.value);
  return (
    <dialog
      class="attributes"
      aria-labelledby="attributes-h"
      ref={(element) => {
        dialog = element;
      }}
    >
      <div class="row">
        <h2 id="attributes-h">Attributes</h2>
        <p class="soft s">
          {lexicon && style.value !== undefined
            ? `as ${lexicon.phrases[style.value]} draws them`
            : 'of all styles; choose a style to see what it draws'}
        </p>
        <button type="button" class="btn push" onClick={() => dialog?.close()}>
          Close
        </button>
      </div>
      {lexicon && <Grid lexicon={lexicon} />}
    </dialog>
  );
}

function Grid({ lexicon }: { readonly lexicon: Lexicon }) {
  const prompt = form.value?.prompt ?? '';
  const said = new Set(readPrompt(lexicon, prompt).chips.flatMap(({ words }) => words));
  const groups = new Map<string, number[]>();
  for (const [word, attribute] of lexicon.attributes.entries()) {
    if (attribute === 'style' || !lexicon.fits(word, style.value)) continue;
    groups.set(attribute, [...(groups.get(attribute) ?? []), word]);
  }
  return (
    <div class="attribute-grid">
      {[...groups].map(([attribute, words]) => {
        const chosen = words.find((word) => said.has(word));
        return (
          <div class="field" key={attribute}>
            <label class="label" for={`attribute-${attribute}`}>
              {attribute || 'word'}
            </label>
            <Select
              id={`attribute-${attribute}`}
              value={chosen === undefined ? '' : String(chosen)}
              options={[
                { value: '', label: 'any' },
                ...words.map((word) => ({
                  value: String(word),
                  label: lexicon.model.vocabulary[word]!.split('=').at(-1)!,
                })),
              ]}
              onChange={(value) => {
                const word = value === '' ? undefined : Number(value);
                change({ prompt: withAttribute(lexicon, prompt, attribute, word) });
              }}
            />
          </div>
        );
      })}
    </div>
  );
}
