/** The list of keys, opened by `?`. */
import { Fragment } from 'preact';
import { singleKeys } from '../state/keys.ts';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['Ctrl', 'Enter'], 'Generate with the settings shown (queues if something is running)'],
  [
    ['Esc'],
    'Close what is open; else cancel the render in view, after one question if more than 20 pictures are left',
  ],
  [['/'], 'Go to the prompt or the search field'],
  [['←', '→'], 'Previous, next picture'],
  [['S', 'V', 'F'], 'Same seed, vary, send to form (for the chosen picture)'],
  [['C'], 'Mark for comparing; with two marked, open the slider'],
  [['Delete'], 'Delete, with undo by Ctrl Z for 10 s'],
  [['Space'], 'Play or pause a decoding trace; , and . step one pass'],
  [['↑', '↓'], 'On the handle of a waiting job: move it in the queue'],
  [['?'], 'This list'],
];

let dialog: HTMLDialogElement | null = null;
export const showKeys = (): void => dialog?.showModal();

export function KeysDialog() {
  return (
    <dialog
      id="keys"
      aria-labelledby="keys-h"
      ref={(element) => {
        dialog = element;
      }}
    >
      <h2 id="keys-h">Keyboard</h2>
      <dl class="s">
        {KEYS.map(([keys, what]) => (
          <Fragment key={what}>
            <dt>
              {keys.map((key) => (
                <Fragment key={key}>
                  <kbd>{key}</kbd>{' '}
                </Fragment>
              ))}
            </dt>
            <dd>{what}</dd>
          </Fragment>
        ))}
      </dl>
      <form method="dialog" class="row">
        <label class="row s">
          <input
            type="checkbox"
            checked={singleKeys.value}
            onChange={(event) => {
              singleKeys.value = event.currentTarget.checked;
            }}
          />
          Single letters act as keys
        </label>
        <button type="submit" class="btn push">
          Close
        </button>
      </form>
    </dialog>
  );
}
