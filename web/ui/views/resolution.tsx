/** Resolution: what position methods do to pictures of sizes that were never trained. */
import { useEffect, useState } from 'preact/hooks';
import { api, urls } from '../api.ts';
import { Empty, Select } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { RunningEvaluations } from '../components/running-evaluations.tsx';
import { EveryMethod } from '../resolution/every-method.tsx';
import { NewStudy } from '../resolution/new-study.tsx';
import { checkReport, methodsOf, modelsOf, type ResolutionReport } from '../resolution/report.ts';
import { Study } from '../resolution/study.tsx';
import { reports, reportsLoaded, useReports } from '../state/reports.ts';
import { search, setSearch } from '../state/router.ts';
import { plural } from '../state/words.ts';
import './resolution.css';

export function Resolution() {
  useReports();
  const [asking, setAsking] = useState(false);
  const own = reports.value.filter(({ kind }) => kind === 'resolution');
  const chosen = own.find(({ id }) => id === search.value.get('report')) ?? own[0];
  const { report, error } = useReport(chosen?.id);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Resolution study</h1>
        <p>{report ? subtitle(report) : 'Position methods at sizes that were never trained'}</p>
        <span class="push row wrap">
          {own.length > 1 && (
            <label class="row s" for="report">
              Report
              <Select
                id="report"
                value={chosen?.id ?? ''}
                options={own.map(({ id, title }) => ({ value: id, label: title }))}
                onChange={(report) => setSearch({ report })}
              />
            </label>
          )}
          {chosen && <Files id={chosen.id} />}
          <button
            type="button"
            class="btn main"
            aria-expanded={asking}
            onClick={() => setAsking(!asking)}
          >
            <Icon name="plus" />
            New study
          </button>
        </span>
      </div>
      <div class="stack">
        {asking && <NewStudy onClose={() => setAsking(false)} />}
        <RunningEvaluations what="resolution" />
        {error && <Note kind="bad" title={error} />}
        {chosen && report && <Study key={chosen.id} id={chosen.id} report={report} />}
        <EveryMethod />
        {reportsLoaded.value && !chosen && (
          <Empty
            title="No study yet"
            acts={
              <button type="button" class="btn" onClick={() => setAsking(true)}>
                New study
              </button>
            }
          >
            A study draws the same words and seeds with every method at every size, and measures
            them. On the command line: ropewalk evaluate resolution. Not measured means not known:
            no method is called best before.
          </Empty>
        )}
      </div>
    </main>
  );
}

function useReport(id: string | undefined) {
  const [state, setState] = useState<{
    id?: string;
    report?: ResolutionReport;
    error?: string;
  }>({});
  useEffect(() => {
    if (id === undefined) return;
    let gone = false;
    api.report(id).then(
      (value) => {
        if (gone) return;
        try {
          setState({ id, report: checkReport(value) });
        } catch (wrong) {
          setState({ id, error: (wrong as Error).message });
        }
      },
      (wrong: Error) => !gone && setState({ id, error: wrong.message }),
    );
    return () => {
      gone = true;
    };
  }, [id]);
  return state.id === id ? state : {};
}

const Files = ({ id }: { id: string }) => (
  <>
    <a class="btn" href={urls.reportFile(id, 'report.html')} target="_blank" rel="noreferrer">
      <Icon name="down" />
      Report
    </a>
    <a class="btn" href={urls.reportFile(id, 'report.csv')} download>
      CSV
    </a>
  </>
);

function subtitle(report: ResolutionReport): string {
  const sizes = new Set(report.rows.map(({ size }) => size)).size;
  const { samples, sets } = report.rows[0]!;
  return `${modelsOf(report).join(', ')}: ${plural(methodsOf(report).length, 'method')}, ${plural(sizes, 'size')}, ${plural(samples, 'picture')}${sets > 1 ? ` × ${sets} sets of seeds` : ''} each`;
}
