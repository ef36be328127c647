/**
 * The keyboard. A view says which keys it knows while it is shown; the newest comes first. Single
 * characters count only while no field has the focus, and can be switched off.
 */
import { useEffect, useRef } from 'preact/hooks';
import { stored } from './storage.ts';

export const singleKeys = stored('single-keys', true, (value) => value !== false);

/** By `event.key` (letters in lower case), `Ctrl+` before it where it is held. Return false to pass it on. */
export type KeyMap = Readonly<Record<string, (event: KeyboardEvent) => unknown>>;

const maps: { current: KeyMap }[] = [];

export function useKeys(map: KeyMap): void {
  const ref = useRef(map);
  ref.current = map;
  useEffect(() => {
    maps.push(ref);
    return () => {
      maps.splice(maps.indexOf(ref), 1);
    };
  }, []);
}

const FIELD = 'input:not([type=radio],[type=checkbox],[type=range]), textarea, select';

export const nameOfKey = (event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>): string => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl+${key}` : key;
};

/** A press that means text or moves within the control that has the focus. */
function belongsToFocus(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.ctrlKey || event.metaKey || event.key === 'Escape') return false;
  if (event.altKey || target.matches(FIELD)) return true;
  if (event.key.startsWith('Arrow')) return target.matches('input, [role=tab], [role=slider]');
  if (event.key === ' ') return target.matches('input, button, a, summary, [role=tab]');
  return false;
}

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || belongsToFocus(event)) return;
    if (document.querySelector('dialog[open]')) return;
    if (event.key.length === 1 && event.key !== '?' && !event.ctrlKey && !event.metaKey)
      if (!singleKeys.value) return;
    const name = nameOfKey(event);
    for (const { current } of maps.toReversed()) {
      const act = current[name];
      if (!act || act(event) === false) continue;
      event.preventDefault();
      return;
    }
  });
}
