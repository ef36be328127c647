/** What happened; what is kept; the next action, as a button. */
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export type NoteKind = 'acc' | 'warn' | 'bad';
const ICONS: Record<NoteKind, IconName> = { acc: 'again', warn: 'warn', bad: 'bad' };

export function Note({
  kind,
  title,
  icon,
  role,
  action,
  onClose,
  children,
}: {
  readonly kind?: NoteKind;
  readonly title: ComponentChildren;
  readonly icon?: IconName;
  /** Default: `alert` for a failure, `status` otherwise. */
  readonly role?: 'alert' | 'status' | 'none';
  readonly action?: {
    readonly label: string;
    readonly key?: string | undefined;
    readonly run: () => unknown;
  };
  readonly onClose?: () => void;
  readonly children?: ComponentChildren;
}) {
  const spoken = role ?? (kind === 'bad' ? 'alert' : 'status');
  return (
    <div class={`note ${kind ?? ''}`} {...(spoken !== 'none' && { role: spoken })}>
      <Icon name={icon ?? (kind ? ICONS[kind] : 'check')} />
      <p class="h">{title}</p>
      {children && <p class="s">{children}</p>}
      {(action || onClose) && (
        <div class="acts">
          {action && (
            <button type="button" class="btn" onClick={action.run}>
              {action.label} {action.key && <kbd>{action.key}</kbd>}
            </button>
          )}
          {onClose && (
            <button type="button" class="btn quiet icon" aria-label="Dismiss" onClick={onClose}>
              <Icon name="x" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
