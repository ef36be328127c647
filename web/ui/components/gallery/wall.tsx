/** All pictures of the gallery; only rows in sight are in the document, so fifty thousand scroll as ten do. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { StoredPicture } from '../../api.ts';
import { list, total, want } from '../../state/gallery.ts';
import { useKeys } from '../../state/keys.ts';
import { isMarked, markAndCompare, toggleMark } from '../../state/marks.ts';
import { promptOfPicture } from '../../state/names.ts';
import { remove, sameSeed, sendToForm, vary } from '../../state/pictures.ts';
import { columnsFor, neighbour, type Row, wallOf } from '../../state/wall.ts';
import { count } from '../../state/words.ts';
import { Picture } from '../picture.tsx';
import { useVirtualRows } from './use-virtual.ts';

const GAP = 10;
const DAY = 46;
const CAPTION = 26;

export function Wall({
  least,
  onOpen,
}: {
  /** The least side of a picture. */
  readonly least: number;
  readonly onOpen: (picture: StoredPicture) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [{ width, top }, setFrame] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const measure = () => {
      const { width, top } = frame.current!.getBoundingClientRect();
      setFrame({ width, top: Math.round(top + scrollY) });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(frame.current!);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const { columns, side } = columnsFor(width, least, GAP);
  const pictures = list.value;
  const known = total.value ?? 0;
  const wall = useMemo(() => wallOf(pictures, known, columns), [pictures, known, columns]);
  const sizeOf = useCallback(
    (row: number) => (wall.rows[row]?.kind === 'day' ? DAY : side + CAPTION + GAP),
    [wall, side],
  );
  const { items, height, scrollTo } = useVirtualRows(wall.rows.length, sizeOf, top);
  const at = useFocus(wall, scrollTo);

  const lastRow = items.at(-1)?.index ?? 0;
  const missing = wall.rows[lastRow]?.kind === 'open';
  useEffect(() => {
    if (missing) want((lastRow + 1) * columns);
  }, [missing, lastRow, columns]);

  return (
    <div ref={frame} class="wall-frame" style={{ height: `${height}px` }}>
      {width > 0 &&
        items.map(({ key, index, start }) => (
          <div
            key={key}
            class="wall-row"
            style={{ transform: `translateY(${start - top}px)`, '--columns': columns }}
          >
            <WallRow row={wall.rows[index]!} side={side} at={at} onOpen={onOpen} />
          </div>
        ))}
    </div>
  );
}

function WallRow({
  row,
  side,
  at,
  onOpen,
}: {
  readonly row: Row;
  readonly side: number;
  readonly at: number;
  readonly onOpen: (picture: StoredPicture) => void;
}) {
  if (row.kind === 'day')
    return (
      <div class="day">
        <h2>{row.title}</h2>
        {row.count !== undefined && <span class="soft s">{count(row.count)}</span>}
      </div>
    );
  if (row.kind === 'open')
    return Array.from({ length: row.count }, (_, cell) => <div class="pic" key={cell} />);
  const size = side * devicePixelRatio > 140 ? 256 : 128;
  return list.value.slice(row.from, row.to).map((picture, cell) => (
    <div
      key={picture.id}
      class="tile"
      onClickCapture={(event) => {
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
        event.preventDefault();
        event.stopPropagation();
        toggleMark(picture.id);
      }}
    >
      <Picture
        picture={picture}
        isChosen={isMarked(picture.id)}
        onChoose={() => onOpen(picture)}
        size={size}
        tabIndex={row.from + cell === Math.max(0, at) ? 0 : -1}
      />
      <p class="cap">
        <b>{promptOfPicture(picture)}</b>
        <span>
          {picture.width === picture.height
            ? picture.width
            : `${picture.width} × ${picture.height}`}{' '}
          px
        </span>
      </p>
    </div>
  ));
}

/** One stop for Tab; arrows move the focus, and the keys of pictures act on what has it. */
function useFocus(wall: ReturnType<typeof wallOf>, scrollTo: (row: number) => void): number {
  const [at, setAt] = useState(-1);
  const wanted = useRef<string | undefined>(undefined);
  useEffect(() => {
    const onFocus = ({ target }: FocusEvent) => {
      const id = (target as Element | null)?.closest<HTMLElement>('[data-picture]')?.dataset;
      if (id) setAt(list.value.findIndex((picture) => picture.id === id.picture));
    };
    document.addEventListener('focusin', onFocus);
    return () => document.removeEventListener('focusin', onFocus);
  }, []);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const button = document.querySelector<HTMLElement>(
      `.wall-frame [data-picture="${wanted.current}"]`,
    );
    if (!button) return;
    wanted.current = undefined;
    button.focus({ preventScroll: true });
  });
  const move = (to: number) => {
    const picture = list.value[to];
    if (!picture) return;
    wanted.current = picture.id;
    scrollTo(wall.rowOf[to]!);
    setAt(to);
  };
  const step = ({ key }: KeyboardEvent) => {
    if (document.querySelector('dialog[open]')) return false;
    move(neighbour(wall, at, key as Parameters<typeof neighbour>[2]));
    return true;
  };
  const onFocused = (act: (picture: StoredPicture) => unknown) => () => {
    const picture = list.value[at];
    return picture ? void act(picture) : false;
  };
  useKeys({
    ...{ ArrowLeft: step, ArrowRight: step, ArrowUp: step, ArrowDown: step },
    ...{ Home: step, End: step },
    s: onFocused(sameSeed),
    v: onFocused(vary),
    f: onFocused(sendToForm),
    c: onFocused(({ id }) => markAndCompare(id)),
    Delete: onFocused((picture) => {
      const after = list.value[at + 1] ?? list.value[at - 1];
      void remove([picture]);
      wanted.current = after?.id;
    }),
  });
  return at;
}
