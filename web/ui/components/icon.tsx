/** The icons of the page, one `<symbol>` each on a grid of 16 pixels, drawn once and used by name. */
import type { ComponentChildren } from 'preact';

const SHAPES = {
  again: <path d="M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.8v3h-3" />,
  back: <path d="M12 3 6 8l6 5zM4 3v10" />,
  bad: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 4.8v3.8M8 11.2h.01" />
    </>
  ),
  batch: <path d="m8 1.8 6 3-6 3-6-3zM2 8l6 3 6-3M2 11.2l6 3 6-3" />,
  chart: <path d="M2 2v12h12M4.5 11.2c3-.4 5-2.6 8.5-7.7" />,
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  chev: <path d="m6 3.5 4.5 4.5L6 12.5" />,
  compare: <path d="M8 1.5v13M3 4h2.5v8H3zM10.5 4H13v8h-2.5z" />,
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1" />
      <path d="M3.5 10.5h-1v-8h8v1" />
    </>
  ),
  dice: (
    <>
      <rect x="2" y="2" width="12" height="12" rx="2" />
      <path d="M5.3 5.3h.01M10.7 10.7h.01M8 8h.01M10.7 5.3h.01M5.3 10.7h.01" stroke-width="2.2" />
    </>
  ),
  down: <path d="M8 2v8.5M4.5 7.5 8 11l3.5-3.5M2.5 14h11" />,
  first: <path d="M13 3 8 8l5 5M7 3 2 8l5 5" />,
  fwd: <path d="m4 3 6 5-6 5zM12 3v10" />,
  gallery: (
    <>
      <rect x="2" y="2" width="5" height="5" rx=".8" />
      <rect x="9" y="2" width="5" height="5" rx=".8" />
      <rect x="2" y="9" width="5" height="5" rx=".8" />
      <rect x="9" y="9" width="5" height="5" rx=".8" />
    </>
  ),
  generate: (
    <path d="M3 13.2 10.3 6M9 2.2v2.4M13.8 7h-2.4M12.4 3.6 11 5M4.5 4.5h2M5.5 3.5v2M12 11h2M13 10v2" />
  ),
  grid: <path d="M2 2h12v12H2zM2 6h12M2 10h12M6 2v12M10 2v12" />,
  grip: <path d="M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01" stroke-width="2.2" />,
  keys: (
    <>
      <rect x="1.5" y="4" width="13" height="8.5" rx="1.2" />
      <path d="M4 6.7h.01M6.7 6.7h.01M9.3 6.7h.01M12 6.7h.01M5 10h6" />
    </>
  ),
  lock: (
    <>
      <rect x="3" y="7" width="10" height="7" rx="1.2" />
      <path d="M5 7V5a3 3 0 0 1 6 0v2" />
    </>
  ),
  model: <path d="m8 1.5 5.6 3.2v6.6L8 14.5l-5.6-3.2V4.7zM2.5 4.8 8 8l5.5-3.2M8 8v6.3" />,
  more: <path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.6" />,
  pause: <path d="M5.5 3v10M10.5 3v10" stroke-width="2.2" />,
  play: <path d="M4.5 2.8v10.4L13 8z" />,
  plus: <path d="M8 3v10M3 8h10" />,
  queue: <path d="M2 4h12M2 8h12M2 12h7" />,
  run: (
    <>
      <path d="M8 1.8A6.2 6.2 0 1 1 1.8 8" />
      <path d="M6.5 5.4v5.2L10.8 8z" fill="currentColor" stroke="none" />
    </>
  ),
  seed: (
    <path d="M8 14V8M8 8C8 4.5 5.5 3 2.5 3 2.5 6.5 4.5 8 8 8zM8 9.5c0-2.5 2-4 5.5-4 0 2.8-2 4-5.5 4z" />
  ),
  send: <path d="M14 8H4M7.5 4 3.5 8l4 4" />,
  stop: <rect x="3.5" y="3.5" width="9" height="9" rx="1" />,
  swap: <path d="M3 5.5h10M10 2.5l3 3-3 3M13 10.5H3M6 7.5l-3 3 3 3" />,
  system: (
    <>
      <rect x="2" y="2.5" width="12" height="4.5" rx="1" />
      <rect x="2" y="9" width="12" height="4.5" rx="1" />
      <path d="M4.6 4.75h.01M4.6 11.25h.01" />
    </>
  ),
  theme: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" />
    </>
  ),
  trash: <path d="M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.6 9h6.8l.6-9" />,
  vary: <path d="M2 11c2.5 0 3-6 6-6s3.5 6 6 6M2 5.5c2 0 2.5 1 3.3 2M14 5.5c-2 0-2.5 1-3.3 2" />,
  wait: (
    <>
      <circle cx="8" cy="8" r="6.2" />
      <path d="M8 4.5V8l2.3 1.5" />
    </>
  ),
  warn: <path d="M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.7h.01" />,
  x: <path d="m4 4 8 8M12 4l-8 8" />,
} satisfies Record<string, ComponentChildren>;
export type IconName = keyof typeof SHAPES;

/** Stands once in the page, out of sight. */
export function Sprite() {
  return (
    <svg width="0" height="0" class="sr" aria-hidden="true">
      <defs>
        {Object.entries(SHAPES).map(([name, shape]) => (
          <symbol key={name} id={`i-${name}`} viewBox="0 0 16 16">
            {shape}
          </symbol>
        ))}
      </defs>
    </svg>
  );
}

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="i" aria-hidden="true">
    <use href={`#i-${name}`} />
  </svg>
);
