/** Sheets of a comparison: the real drawing and arms down, sizes across, one seed. */
import { blank, contactSheet, type Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { SHOWN, sizeName } from './plan.ts';
import type { Report } from './report.ts';
import { bestRow, methodsOf, modelsOf, type Named, plainMethod } from './report-charts.ts';
import type { Resolution, SeenSize } from './run.ts';

/** In place of what was not drawn, and around pictures. */
const GROUND = '#e8e8e8';

/** A model and a method, which may be another at every size. */
type Row = { readonly label: string; readonly model: string; method(size: Size): string };
type Sheets = { readonly name: string; readonly title: string; readonly rows: readonly Row[] };

/**
 * Of the first seeds: a sheet of all models, without extension and each with its best method of a size, where there are
 * several; and a sheet of all methods of each model that was drawn with several.
 */
export async function sheetsOf(
  resolution: Resolution,
  report: Report,
): Promise<(Named<Picture> & { readonly title: string })[]> {
  const sizes = [...resolution.sizes, ...resolution.seen.sizes];
  const cells = [...resolution.cells, ...resolution.seen.cells].filter(
    ({ cell }) => cell.seeds === 0,
  );
  const picture = (k: number, { model, method }: Row, { size }: SeenSize): Picture => {
    const extend = method(size);
    const found = cells.find(
      ({ cell }) => cell.name === model && cell.extend === extend && cell.size === size,
    );
    return found?.pictures[k] ?? blank(size.width, size.height, GROUND);
  };
  const count = Math.min(SHOWN, cells[0]!.pictures.length);
  const sheets: (Named<Picture> & { title: string })[] = [];
  for (const { name, title, rows } of groupsOf(resolution, report))
    for (let k = 0; k < count; k++) {
      const drawn = rows.flatMap((row) => sizes.map((size) => picture(k, row, size)));
      const chart = await contactSheet([...sizes.map(({ real }) => real[k]!), ...drawn], {
        ...{ columns: sizes.length, gap: 4, background: GROUND },
        rowLabels: ['real drawing', ...rows.map(({ label }) => label)],
        columnLabels: sizes.map(({ size }) => sizeName(size)),
      });
      sheets.push({ name: `sheet-${name}-${k + 1}`, title: `${title}, picture ${k + 1}`, chart });
    }
  return sheets;
}

function groupsOf({ cells }: Resolution, report: Report): Sheets[] {
  const [models, methods] = [modelsOf(report), methodsOf(report)];
  const row = (model: string, extend: string, label: string): Row => ({
    ...{ label, model },
    method: () => extend,
  });
  const ofMethods = (model: string): Sheets => ({
    ...{ name: model, title: model },
    rows: methods.map((extend) => row(model, extend, extend)),
  });
  if (models.length === 1) return [ofMethods(models[0]!)];
  const extended = models.filter((model) =>
    cells.some(({ cell }) => cell.name === model && cell.drawnBy !== 'none'),
  );
  const plain = plainMethod(report);
  const ofModels = {
    ...{ name: 'models', title: 'All models' },
    rows: [
      ...models.map((model) => row(model, plain, model)),
      ...extended.map((model) => bestOf(report, model)),
    ],
  };
  return [ofModels, ...extended.map(ofMethods)];
}

/** With the best method of a size; where that was not measured, the best of the largest that was. */
function bestOf(report: Report, model: string): Row {
  const area = (size: string) =>
    size.split('x').reduce((product, side) => product * Number(side), 1);
  const own = report.rows.filter((row) => row.model === model && row.extend !== 'none');
  const [largest] = own.map(({ size }) => size).toSorted((a, b) => area(b) - area(a));
  return {
    ...{ model, label: `${model}, best` },
    method: (size) =>
      (bestRow(report, model, sizeName(size)) ?? bestRow(report, model, largest!))!.extend,
  };
}
