/** What may be wider than the page scrolls by itself, also by keyboard. */
import type { ComponentChildren } from 'preact';

export const Scroll = ({
  label,
  class: more = '',
  children,
}: {
  readonly label: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached to be scrolled
  <section class={`scroll ${more}`} aria-label={label} tabIndex={0}>
    {children}
  </section>
);
