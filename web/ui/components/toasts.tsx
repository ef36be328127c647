/** Notes at the page's foot; failures are alerts, all others are read when there is time. */
import { useKeys } from '../state/keys.ts';
import { closeToast, type Toast, toasts } from '../state/toasts.ts';
import { Note } from './note.tsx';

export function Toasts() {
  const undo = () => {
    const last = toasts.value.findLast(({ action }) => action?.key === 'Ctrl Z');
    if (last) press(last);
    return last !== undefined;
  };
  useKeys({ 'Ctrl+z': (event) => (isTyping(event) ? false : undo()) });
  return (
    <div class="toasts">
      {toasts.value.map((toast) => (
        <Note
          key={toast.id}
          {...(toast.kind && { kind: toast.kind })}
          {...(toast.kind === undefined && toast.action && { icon: 'trash' as const })}
          title={toast.text}
          {...(toast.action && {
            action: { ...toast.action, run: () => press(toast) },
          })}
          onClose={() => closeToast(toast.id)}
        >
          {toast.more}
        </Note>
      ))}
    </div>
  );
}

function press(toast: Toast): void {
  closeToast(toast.id);
  toast.action?.run();
}

const isTyping = ({ target }: KeyboardEvent): boolean =>
  target instanceof HTMLInputElement && target.value !== '' && target.type !== 'range';
