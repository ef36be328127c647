/** A report: quality against size, the best of each size, three more measures, the same seed by every method. */
import { useMemo, useState } from 'preact/hooks';
import { urls } from '../api.ts';
import { Chart, ChartLegend } from '../components/chart.tsx';
import { Seg } from '../components/controls.tsx';
import { search } from '../state/router.ts';
import { BestTable } from './best-table.tsx';
import { chartOf, chartOfModels } from './curves.ts';
import {
  ALL_MODELS,
  MEASURES,
  measuresOf,
  modelsOf,
  type ResolutionReport,
  SHEETS,
  sheetFile,
} from './report.ts';

/** Choices above the large chart; the small ones are of others. */
const LARGE = 4;
const SMALL = ['duplication', 'attributes', 'seconds', 'consistency', 'style', 'frechet'];

export function Study({ id, report }: { id: string; report: ResolutionReport }) {
  const models = modelsOf(report);
  const asked = search.value.get('model');
  const several = models.length > 1;
  const [model, setModel] = useState(
    models.find((id) => id === asked) ?? (several ? ALL_MODELS : models[0]!),
  );
  const measures = measuresOf(report);
  const [measure, setMeasure] = useState(measures[0] ?? 'kid');
  const large = useMemo(
    () => chartFor(report, model, measure, { endLabels: true, height: 380 }),
    [report, model, measure],
  );
  const small = SMALL.filter((name) => name !== measure && measures.includes(name)).slice(0, 3);
  return (
    <div class="stack">
      {several && (
        <Seg
          legend="Model"
          options={[
            { value: ALL_MODELS, label: 'All' },
            ...models.map((value) => ({ value, label: value })),
          ]}
          value={model}
          onChange={setModel}
        />
      )}
      <div class="study">
        <section class="card" aria-label="Quality against size">
          <header>
            <h2>Quality against size</h2>
            <span class="push">
              <Seg
                legend="Measure"
                options={measures
                  .slice(0, LARGE)
                  .map((value) => ({ value, label: MEASURES[value]!.title }))}
                value={measure}
                onChange={setMeasure}
              />
            </span>
          </header>
          <Chart spec={large} />
          <p class="hint">
            Bars: intervals.{' '}
            {model === ALL_MODELS
              ? 'Every model without extension.'
              : 'A method is left out at sizes where it changes nothing.'}{' '}
            {large.y.log ? 'Both scales are logarithmic.' : 'Sizes are on a logarithmic scale.'}
          </p>
        </section>
        <BestTable report={report} />
      </div>
      <div class="three">
        {small.map((name) => (
          <SmallChart key={name} report={report} model={model} measure={name} />
        ))}
      </div>
      {small.length > 0 && (
        <div class="row wrap s soft">
          In the small charts: <ChartLegend spec={large} />
        </div>
      )}
      <Sheets key={model} id={id} model={model} />
      <Made report={report} />
    </div>
  );
}

const chartFor = (
  report: ResolutionReport,
  model: string,
  measure: string,
  look: { readonly endLabels?: boolean; readonly height: number },
) =>
  model === ALL_MODELS
    ? chartOfModels(report, measure, look)
    : chartOf(report, model, measure, look);

function SmallChart({
  report,
  model,
  measure,
}: {
  readonly report: ResolutionReport;
  readonly model: string;
  readonly measure: string;
}) {
  const spec = useMemo(
    () => chartFor(report, model, measure, { height: 210 }),
    [report, model, measure],
  );
  const { title } = MEASURES[measure]!;
  return (
    <section class="card" aria-label={title}>
      <header>
        <h3>{title}</h3>
      </header>
      <Chart spec={spec} legend={false} />
    </section>
  );
}

/** As many sheets as the report has; those that are not there are left out. */
function Sheets({ id, model }: { id: string; model: string }) {
  const [missing, setMissing] = useState<ReadonlySet<string>>(new Set());
  const [sheet, setSheet] = useState(1);
  const shown = SHEETS.filter((k) => !missing.has(sheetFile(model, k)));
  if (shown.length === 0) return null;
  const current = shown.includes(sheet) ? sheet : shown[0]!;
  const name = sheetFile(model, current);
  const [whose, rows] = model === ALL_MODELS ? ['all models', 'models'] : [model, 'methods'];
  return (
    <section class="card" aria-label="The same seed at every size">
      <header>
        <h2>The same seed at every size</h2>
        <p>the real drawing of the same words first; then {rows} down, sizes across</p>
        {shown.length > 1 && (
          <span class="push">
            <Seg
              legend="Sheet"
              options={shown.map((value) => ({ value, label: String(value) }))}
              value={current}
              onChange={setSheet}
            />
          </span>
        )}
      </header>
      <a href={urls.reportFile(id, name)} target="_blank" rel="noreferrer">
        <img
          class="contact"
          key={name}
          src={urls.reportFile(id, name)}
          alt={`Contact sheet ${current} of ${whose}: real drawing and ${rows} down, sizes across`}
          onError={() => setMissing((before) => new Set(before).add(name))}
        />
      </a>
    </section>
  );
}

const Made = ({ report }: { report: ResolutionReport }) => (
  <details class="card made">
    <summary>How this was measured</summary>
    <ul class="stack tight s soft">
      {report.made.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  </details>
);
