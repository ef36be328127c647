/** A chart of curves: canvas, names, what the pointer is at, and the same as a table. */
import { useEffect, useRef, useState } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import { createPlot, hasEndLabels } from '../charts/plot.ts';
import { short } from '../charts/scale.ts';
import type { ChartSpec } from '../charts/spec.ts';
import './chart.css';
import { dark } from '../state/dark.ts';
import { ChartKey } from './chart-key.tsx';
import { ChartTable, pointText } from './chart-table.tsx';

export function Chart({ spec, legend = true }: { spec: ChartSpec; legend?: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const isDark = dark.value;
  const [pointed, setPointed] = useState<{ place: number; left: number }>();
  const height = spec.height ?? 320;

  useEffect(() => {
    if (!host.current || width === 0) return;
    const plot = createPlot(host.current, spec, { width, height }, (place, left) =>
      setPointed(place === undefined || left < 0 ? undefined : { place, left }),
    );
    return () => plot.destroy();
  }, [spec, width, height, isDark]);

  return (
    <figure class="plot">
      <p class="xs soft">{spec.y.name}</p>
      <div class="canvas">
        <div ref={host} role="img" aria-label={`${spec.title}. ${spec.description}`} />
        {pointed && <Pointed spec={spec} {...pointed} width={width} />}
      </div>
      <p class="xs soft num">{spec.x.name}</p>
      {legend && !hasEndLabels(spec, width) && <ChartLegend spec={spec} />}
      <ChartTable spec={spec} />
    </figure>
  );
}

export const ChartLegend = ({ spec }: { spec: Pick<ChartSpec, 'series'> }) => (
  <ul class="row wrap s soft keys">
    {spec.series.map((series) => (
      <li key={series.name} class="nowrap">
        <ChartKey {...series} /> {series.name}
      </li>
    ))}
  </ul>
);

/** The values under the pointer, in the order of the curves from top to bottom. */
function Pointed({
  spec,
  place,
  left,
  width,
}: {
  spec: ChartSpec;
  place: number;
  left: number;
  width: number;
}) {
  const { x, series } = spec;
  const values = series
    .flatMap((one) => {
      const point = one.points[place];
      return point ? [{ one, point }] : [];
    })
    .sort((a, b) => b.point.value - a.point.value);
  if (values.length === 0) return null;
  const side = left > width / 2 ? 'l' : 'r';
  return (
    <div class={`tip ${side}`} style={{ left: `${left + 46}px` }} aria-hidden="true">
      <b>
        {x.labels?.[place] ?? short(x.places[place]!)} {x.name.split(', ').at(-1)}
      </b>
      {values.map(({ one, point }) => (
        <div key={one.name}>
          <ChartKey {...one} /> {one.name} <span>{pointText(point)}</span>
        </div>
      ))}
    </div>
  );
}

/** Width of the element in CSS pixels; 0 until it is laid out. */
function useWidth(ref: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!ref.current) return;
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.floor(entry?.contentRect.width ?? 0));
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return width;
}
