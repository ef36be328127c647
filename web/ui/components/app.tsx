/** What stands on every page: header, notes, live regions, key list; and the view between them. */
import { useEffect } from 'preact/hooks';
import { PAGES, pageAt } from '../pages.ts';
import { useKeys } from '../state/keys.ts';
import { path } from '../state/router.ts';
import { spoken } from '../state/toasts.ts';
import { ConnectionNote } from './connection-note.tsx';
import { Header } from './header.tsx';
import { Sprite } from './icon.tsx';
import { KeysDialog, showKeys } from './keys-dialog.tsx';
import { Toasts } from './toasts.tsx';
import { ViewSlot } from './view-slot.tsx';

export function App() {
  const page = pageAt(path.value) ?? PAGES[0]!;
  useEffect(() => {
    document.title = `${page.title} · Ropewalk`;
  }, [page]);
  useKeys({
    '?': showKeys,
    '/': () => {
      const field = document.querySelector<HTMLElement>('[data-slash]');
      field?.focus();
      return field !== null;
    },
  });
  return (
    <>
      <Sprite />
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header page={page} />
      <p class="sr" role="status">
        {spoken}
      </p>
      <ConnectionNote />
      <ViewSlot key={page.path} page={page} />
      <Toasts />
      <KeysDialog />
    </>
  );
}
