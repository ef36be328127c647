/** The page's address as signals, changed by the history API: links stay links, and Back works. */
import { computed, signal } from '@preact/signals';

export const path = signal(location.pathname);
const searchText = signal(location.search);
export const search = computed(() => new URLSearchParams(searchText.value));

/** To another page of ours, such as `/gallery?search=fox`. */
export function go(to: string, { replace = false } = {}): void {
  const here = location.pathname + location.search;
  if (to === here) return;
  keepScroll();
  if (replace) history.replaceState(history.state, '', to);
  else history.pushState(null, '', to);
  follow();
}

/** Changes part of the query of the page in view; an empty value takes a key away. */
export function setSearch(
  changes: Readonly<Record<string, string | undefined>>,
  { replace = true } = {},
): void {
  const next = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value) next.set(key, value);
    else next.delete(key);
  }
  const text = next.toString();
  go(location.pathname + (text === '' ? '' : `?${text}`), { replace });
}

function follow(): void {
  path.value = location.pathname;
  searchText.value = location.search;
}

const keyOf = () => `ropewalk.scroll:${location.pathname}`;
function keepScroll(): void {
  try {
    sessionStorage.setItem(keyOf(), String(Math.round(scrollY)));
  } catch {
    // no storage: the page begins at its top
  }
}
/** Called by a view once it is drawn: where the reader was on this page. */
export function restoreScroll(): void {
  let top = 0;
  try {
    top = Number(sessionStorage.getItem(keyOf()) ?? 0);
  } catch {
    // no storage
  }
  scrollTo(0, top);
}

/** Lets plain clicks on links to our own pages change the address without loading anew. */
export function startRouter(isOurs: (path: string) => boolean): void {
  history.scrollRestoration = 'manual';
  addEventListener('popstate', follow);
  addEventListener('pagehide', keepScroll);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download'))
      return;
    if (link.origin !== location.origin || link.hash || !isOurs(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
