/** Marked pictures, and what can be done with them all. */
import { urls } from '../../api.ts';
import { list } from '../../state/gallery.ts';
import { compareMarked, marks } from '../../state/marks.ts';
import { downloadAll, remove } from '../../state/pictures.ts';
import { count } from '../../state/words.ts';
import { IconButton } from '../controls.tsx';
import { Icon } from '../icon.tsx';

const SHOWN = 4;

export function Tray() {
  const ids = marks.value;
  if (ids.length === 0) return null;
  const erase = () => {
    void remove(list.value.filter(({ id }) => ids.includes(id)));
    marks.value = [];
  };
  return (
    <section class="tray" aria-label="Marked pictures">
      {ids.slice(-SHOWN).map((id) => (
        <img key={id} src={urls.thumb(id, 64)} width="36" height="36" alt="" />
      ))}
      <span class="s">
        <b>{count(ids.length)} marked</b>
      </span>
      <button
        type="button"
        class="btn main"
        aria-disabled={ids.length < 2 || undefined}
        onClick={() => ids.length >= 2 && compareMarked()}
      >
        <Icon name="compare" />
        Compare
      </button>
      <IconButton
        icon="down"
        kind=""
        label="Download the marked"
        onClick={() => downloadAll(ids)}
      />
      <IconButton icon="trash" kind="bad" label="Delete the marked, with undo" onClick={erase} />
      <IconButton
        icon="x"
        label="Clear the marks"
        onClick={() => {
          marks.value = [];
        }}
      />
    </section>
  );
}
