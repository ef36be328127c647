/** One picture of the gallery as large as it goes, with its recipe; arrows lead to its neighbours. */
import { useEffect, useRef } from 'preact/hooks';
import type { StoredPicture } from '../../api.ts';
import { list, total, want } from '../../state/gallery.ts';
import { isMarked, toggleMark } from '../../state/marks.ts';
import { remove, sameSeed, sendToForm, vary } from '../../state/pictures.ts';
import { clock, count } from '../../state/words.ts';
import { IconButton } from '../controls.tsx';
import { Facts } from '../generate/recipe-panel.tsx';
import { Icon } from '../icon.tsx';
import { FullPicture, nameOf } from '../picture.tsx';
import { PictureActions } from '../picture-actions.tsx';

export function Viewer({
  picture,
  onShow,
  onClose,
}: {
  readonly picture: StoredPicture;
  readonly onShow: (picture: StoredPicture) => void;
  readonly onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const at = list.value.findIndex(({ id }) => id === picture.id);
  const show = (to: number) => {
    const next = list.value[to];
    if (next) onShow(next);
    want(to + 20);
  };
  const away = (act: (picture: StoredPicture) => unknown) => {
    dialog.current?.close();
    act(picture);
  };
  const erase = () => {
    const after = list.value[at + 1] ?? list.value[at - 1];
    void remove([picture]);
    if (after) onShow(after);
    else dialog.current?.close();
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => show(at - 1),
    ArrowRight: () => show(at + 1),
    Delete: erase,
    s: () => away(sameSeed),
    v: () => away(vary),
    f: () => away(sendToForm),
    c: () => toggleMark(picture.id),
  };
  return (
    <dialog
      class="viewer"
      ref={dialog}
      aria-label={nameOf(picture)}
      onClose={onClose}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const act = keys[event.key];
        if (!act) return;
        event.preventDefault();
        act();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div class="viewer-grid">
        <figure class="big">
          <FullPicture picture={picture} />
        </figure>
        <div class="stack">
          <div class="row">
            <h2>Recipe</h2>
            <span class="soft s push nowrap">
              {at < 0 ? '' : `${count(at + 1)} of ${count(total.value ?? 0)}`}
            </span>
            <IconButton icon="back" label="Previous" onClick={() => show(at - 1)} />
            <IconButton icon="fwd" label="Next" onClick={() => show(at + 1)} />
            <IconButton icon="x" label="Close" onClick={() => dialog.current?.close()} />
          </div>
          <Facts picture={picture} />
          <p class="hint">
            Made {clock(picture.createdAt)}.{' '}
            <a href={`/gallery?job=${picture.job}`} onClick={() => dialog.current?.close()}>
              All of its render
            </a>
          </p>
          <div class="stack tight">
            <button type="button" class="btn" onClick={() => away(sendToForm)}>
              <Icon name="send" />
              Send to form <kbd>F</kbd>
            </button>
            <div class="two">
              <button type="button" class="btn" onClick={() => away(sameSeed)}>
                <Icon name="seed" />
                Same seed <kbd>S</kbd>
              </button>
              <button type="button" class="btn" onClick={() => away(vary)}>
                <Icon name="vary" />
                Vary <kbd>V</kbd>
              </button>
            </div>
            <button
              type="button"
              class="btn"
              aria-pressed={isMarked(picture.id)}
              onClick={() => toggleMark(picture.id)}
            >
              <Icon name="compare" />
              {isMarked(picture.id) ? 'Marked' : 'Mark'} for comparing <kbd>C</kbd>
            </button>
            <PictureActions picture={picture} onErase={erase} />
          </div>
        </div>
      </div>
    </dialog>
  );
}
