/** The line and mark of a series, as legends and tables show it beside its name. */
import type { Look, Mark } from '../charts/spec.ts';

const PATHS: Readonly<Record<Mark, string>> = {
  square: 'M7.8 2.8h6.4v6.4H7.8z',
  circle: 'M7.4 6a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z',
  triangle: 'M11 2l3.9 7.2H7.1z',
  diamond: 'M11 1.5l4.3 4.5-4.3 4.5L6.700 6z',
};

export const ChartKey = ({ colour, mark, hollow, dashed }: Look) => (
  <svg class={`key k${colour}`} viewBox="0 0 22 12" aria-hidden="true">
    <g class={`ser k${colour}`}>
      <path class="ln" d="M0 6h22" stroke-dasharray={dashed ? '5 3' : undefined} />
      {mark && <path class={hollow ? 'mk o' : 'mk'} d={PATHS[mark]} />}
    </g>
  </svg>
);
