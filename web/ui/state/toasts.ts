/** What the page says on its own: notes that go away, and sentences for a screen reader. */
import { signal } from '@preact/signals';

export type Toast = {
  readonly id: number;
  readonly text: string;
  readonly more?: string;
  readonly kind?: 'acc' | 'warn' | 'bad';
  /** Milliseconds it stays; a `bad` one stays until it is closed. */
  readonly stay: number;
  readonly action?: { readonly label: string; readonly key?: string; readonly run: () => void };
};

export const toasts = signal<readonly Toast[]>([]);
let made = 0;

export function toast(
  text: string,
  options: Partial<Pick<Toast, 'more' | 'kind' | 'stay' | 'action'>> = {},
): () => void {
  const id = ++made;
  const stay = options.stay ?? (options.kind === 'bad' ? Number.POSITIVE_INFINITY : 6000);
  toasts.value = [...toasts.value.slice(-3), { ...options, id, text, stay }];
  const close = () => closeToast(id);
  if (Number.isFinite(stay)) setTimeout(close, stay);
  return close;
}

export function closeToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** An error as a note; for promises that nobody else waits for: `act().catch(complain)`. */
export function complain(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), { kind: 'bad' });
}

/** Spoken politely: at most one sentence in five seconds, the newest of those that wait. */
export const spoken = signal('');
const PAUSE = 5000;
let next = '';
let isWaiting = false;
let quietUntil = 0;

export function announce(sentence: string): void {
  next = sentence;
  if (isWaiting) return;
  isWaiting = true;
  setTimeout(
    () => {
      isWaiting = false;
      spoken.value = next;
      quietUntil = Date.now() + PAUSE;
    },
    Math.max(0, quietUntil - Date.now()),
  );
}
