/** The numbers of a chart as a table, for those who do not see it and those who want to copy them. */
import { short } from '../charts/scale.ts';
import type { ChartPoint, ChartSpec } from '../charts/spec.ts';
import { Scroll } from './scroll.tsx';

/** Rows at most: of a curve of 300 places every n-th. */
const ROWS = 24;

export function ChartTable({ spec }: { spec: ChartSpec }) {
  const { x, y, series, title } = spec;
  const every = Math.ceil(x.places.length / ROWS);
  const rows = [...x.places.keys()].filter((i) => (x.places.length - 1 - i) % every === 0);
  return (
    <details class="numbers">
      <summary>Numbers as a table</summary>
      <Scroll label={`${title}, numbers`}>
        <table>
          <caption class="sr">
            {title}: {y.name}
          </caption>
          <thead>
            <tr>
              <th scope="col">{x.name}</th>
              {series.map(({ name }) => (
                <th key={name} scope="col" class="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((i) => (
              <tr key={i}>
                <th scope="row">{x.labels?.[i] ?? short(x.places[i]!)}</th>
                {series.map(({ name, points }) => (
                  <td key={name} class="num">
                    {pointText(points[i])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

/** "28 (27 to 29)", or the value alone where nothing is known of its error. */
export function pointText(point: ChartPoint | undefined): string {
  if (!point) return '–';
  const { value, low = value, high = value } = point;
  return high > low ? `${short(value)} (${short(low)} to ${short(high)})` : short(value);
}
