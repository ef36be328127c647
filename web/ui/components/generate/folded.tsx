/** What is seldom set, folded away. */
import type { ComponentChildren } from 'preact';
import { Icon } from '../icon.tsx';

export const Folded = ({
  title,
  note,
  isOpen,
  children,
}: {
  readonly title: string;
  /** At the right of the title. */
  readonly note: string | undefined;
  readonly isOpen: boolean;
  readonly children: ComponentChildren;
}) => (
  <details class="options" open={isOpen}>
    <summary class="s">
      <span class="chev">
        <Icon name="chev" />
      </span>
      {title}
      {note !== undefined && <span class="soft xs push">{note}</span>}
    </summary>
    {children}
  </details>
);
