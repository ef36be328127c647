/** Every decoder of a model side by side, from the latest report; or how to make one. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api.ts';
import { short } from '../charts/scale.ts';
import { RunningEvaluations } from '../components/running-evaluations.tsx';
import { Scroll } from '../components/scroll.tsx';
import { reports, useReports } from '../state/reports.ts';
import { complain, toast } from '../state/toasts.ts';
import { plural } from '../state/words.ts';
import { checkDecoding, type DecodingReport, type ShownRow, shownRows } from './decoder-rows.ts';
import type { TokenModel } from './trace-form.tsx';

/** Pictures of a comparison that is started here. */
const PICTURES = 4;

export function DecoderTable({ model }: { model: TokenModel }) {
  useReports();
  const report = useLatest(model.id);
  const compare = () =>
    api
      .evaluate({
        what: 'decoding',
        config: {
          model: model.id,
          decoders: model.sampling.decoders.map(({ name }) => name),
          pictures: PICTURES,
        },
      })
      .then(({ job }) => toast(`${job.title} is queued`), complain);
  const titles = new Map(model.sampling.decoders.map(({ name, title }) => [name, title]));
  return (
    <section class="card stack tight" aria-label="Every decoder on this model">
      <header>
        <h2>Every decoder on this model</h2>
        <p>{report ? plural(report.pictures, 'picture') : 'not measured yet'}</p>
        <span class="push">
          <button type="button" class="btn" onClick={compare}>
            {report ? 'Measure again' : 'Measure all'}
          </button>
        </span>
      </header>
      <RunningEvaluations what="decoding" />
      {report && <Table rows={shownRows(report)} titles={titles} />}
      <p class="hint">
        <b>Identical</b>: the same tokens at the same seed. <b>Lossless</b>: the same law, other
        tokens. <b>Approximate</b>: neither.
      </p>
    </section>
  );
}

/** Reports are looked through from the newest on until one is of this model. */
function useLatest(model: string): DecodingReport | undefined {
  const [found, setFound] = useState<DecodingReport>();
  const own = reports.value.filter(({ kind }) => kind === 'decoding').map(({ id }) => id);
  const key = own.join(' ');
  useEffect(() => {
    let gone = false;
    const look = async () => {
      for (const id of own) {
        const report = checkDecoding(await api.report(id));
        if (gone) return;
        if (report.model === model) return setFound(report);
      }
      setFound(undefined);
    };
    look().catch(complain);
    return () => {
      gone = true;
    };
  }, [model, key]);
  return found;
}

const KINDS: Readonly<Record<string, string>> = { identical: 'acc', approximate: 'warn' };

function Table({
  rows,
  titles,
}: {
  readonly rows: readonly ShownRow[];
  readonly titles: ReadonlyMap<string, string>;
}) {
  const longest = Math.max(...rows.map(({ row }) => row.seconds));
  const withKid = rows.some(({ row }) => row.kid !== undefined);
  return (
    <Scroll label="Every decoder, table">
      <table>
        <thead>
          <tr>
            <th scope="col">Decoder</th>
            <th scope="col">Compared with sequential</th>
            <th scope="col" class="num">
              Passes
            </th>
            <th scope="col" class="num">
              Seconds
            </th>
            <th scope="col">Time beside the longest</th>
            <th scope="col" class="num">
              Tokens a pass
            </th>
            <th scope="col" class="num">
              of the drawing
            </th>
            <th scope="col" class="num">
              Equal tokens
            </th>
            <th scope="col" class="num">
              Faster
            </th>
            {withKid && (
              <th scope="col" class="num">
                KID × 1000
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, compared, faster, best }) => (
            <tr key={row.decoder} class={best ? 'best' : ''}>
              <th scope="row">{titles.get(row.decoder) ?? row.decoder}</th>
              <td>
                <span class={`tag ${compared === 'reference' ? '' : (KINDS[compared] ?? '')}`}>
                  {compared}
                </span>
              </td>
              <td class="num">{row.passes}</td>
              <td class="num">{row.seconds.toFixed(2)}</td>
              <td>
                <progress
                  class={best ? 'thin' : 'thin still'}
                  value={row.seconds}
                  max={longest}
                  aria-label={`${row.decoder}: ${row.seconds.toFixed(2)} of ${longest.toFixed(2)} seconds`}
                />
              </td>
              <td class="num">{short(row.tokensPerPass)}</td>
              <td class="num">{short(row.foregroundPerPass)}</td>
              <td class="num">{(100 * row.equal).toFixed(0)} %</td>
              <td class="num">{faster}</td>
              {withKid && (
                <td class="num">{row.kid === undefined ? '–' : short(1000 * row.kid)}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
