/** What a report measured of a model at each size: for the ruler of sizes and the choice of an extension. */
import { useEffect, useState } from 'preact/hooks';
import type { ModelView, ReportView } from '../../services.ts';
import { api } from '../api.ts';
import { checkReport, modelsOf, type ResolutionReport } from '../resolution/report.ts';
import type { Form } from './form.ts';
import { reports } from './reports.ts';

/** Reports do not change, so each is read once; one that cannot be read is passed over, its own page says why. */
const known = new Map<string, Promise<ResolutionReport | undefined>>();

/** Of the reports that `useReports` loads the newest that has the model. */
export function useReportOf(model: string): ResolutionReport | undefined {
  const [report, setReport] = useState<ResolutionReport>();
  const list = reports.value;
  useEffect(() => {
    let isWanted = true;
    void newestOf(model, list).then((found) => isWanted && setReport(found));
    return () => {
      isWanted = false;
    };
  }, [model, list]);
  return report;
}

/** The form's extension as reports name it; none has what was given options of its own, or other coordinates. */
export function extensionOf(
  { extend, extendOptions, beyond }: Form,
  { positions }: ModelView,
): string | undefined {
  if (beyond?.coordinates) return undefined;
  if (extend === '') return 'extend' in positions ? 'own' : 'none';
  return Object.keys(extendOptions).length > 0 || beyond?.extend ? undefined : extend;
}

async function newestOf(
  model: string,
  list: readonly ReportView[],
): Promise<ResolutionReport | undefined> {
  for (const { id } of list.filter(({ kind }) => kind === 'resolution')) {
    if (!known.has(id))
      known.set(
        id,
        api
          .report(id)
          .then(checkReport)
          .catch(() => undefined),
      );
    const report = await known.get(id);
    if (report && modelsOf(report).includes(model)) return report;
  }
  return undefined;
}
