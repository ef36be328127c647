/** The best method of each size, with what cannot be told from it. */
import { Scroll } from '../components/scroll.tsx';
import { bestRows, type ResolutionReport } from './report.ts';

export function BestTable({ report }: { report: ResolutionReport }) {
  const rows = bestRows(report);
  return (
    <section class="card" aria-label="Best method for each size">
      <header>
        <h2>Best method for each size</h2>
      </header>
      <Scroll label="Best method for each size, table">
        <table>
          <thead>
            <tr>
              <th scope="col">Size</th>
              <th scope="col">Best</th>
              <th scope="col" class="num">
                KID × 1000
              </th>
              <th scope="col" class="num">
                Attributes
              </th>
              <th scope="col" class="num">
                s / picture
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.size}>
                <th scope="row" class="nowrap">
                  {row.size}
                  <br />
                  <span class="tie">{row.times}</span>
                </th>
                <td>
                  {row.best}
                  <br />
                  <span class="tie">{row.beside}</span>
                </td>
                <td class="num">
                  {row.kid}
                  <br />
                  <span class="tie">{row.error}</span>
                </td>
                <td class="num">{row.attributes}</td>
                <td class="num">{row.seconds}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="hint">
        A tie: the pictures do not tell them apart. Attributes: the share found, relative to real
        drawings.
      </p>
    </section>
  );
}
