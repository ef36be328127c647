import { describe, expect, it } from 'vitest';
import { chartOf, chartOfModels, rankedMethods } from '../../../web/ui/resolution/curves.ts';
import {
  bestExtensions,
  bestRows,
  checkReport,
  measuresOf,
  qualityBySide,
  type ReportRow,
  type ResolutionReport,
  squaresOf,
} from '../../../web/ui/resolution/report.ts';

const row = (
  extend: string,
  size: string,
  kid: number,
  more: Partial<ReportRow> = {},
): ReportRow => ({
  ...{
    model: 'm',
    extend,
    size,
    trained: size === '64x64',
    unchanged: false,
    sets: 1,
    samples: 32,
  },
  numbers: { kid: { value: kid, low: kid - 1, high: kid + 1 } },
  warnings: [],
  ...more,
});
const report: ResolutionReport = {
  rows: [
    row('none', '64x64', 10),
    row('none', '128x128', 90),
    row('yarn', '64x64', 10, { unchanged: true }),
    row('yarn', '128x128', 28),
    row('ntk', '128x128', 31),
    row('none', '64x128', 20),
  ],
  best: [
    { size: '64x64', arm: 'm, none', kid: { value: 10, low: 9, high: 11 }, alike: [] },
    { size: '128x128', arm: 'm, yarn', kid: { value: 28, low: 27, high: 29 }, alike: ['m, ntk'] },
    { size: '64x128', arm: 'm, none', kid: { value: 20, low: 20, high: 20 }, alike: [] },
  ],
  made: ['32 pictures a cell.'],
};

describe('qualityBySide', () => {
  it('is the curve of one extension, without it where it changes nothing', () => {
    const point = (side: number, kid: number) => ({
      side,
      value: kid,
      low: kid - 1,
      high: kid + 1,
    });
    expect(qualityBySide(report, 'm', 'none')).toEqual([point(64, 10), point(128, 90)]);
    expect(qualityBySide(report, 'm', 'yarn')).toEqual([point(64, 10), point(128, 28)]);
    const rows = report.rows.map((one) => (one.unchanged ? { ...one, numbers: {} } : one));
    expect(qualityBySide({ ...report, rows }, 'm', 'yarn')).toEqual([
      point(64, 10),
      point(128, 28),
    ]);
  });

  it('is nothing of another model, or of one size', () => {
    expect(qualityBySide(report, 'other', 'none')).toEqual([]);
    expect(qualityBySide(report, 'm', 'ntk')).toEqual([]);
  });
});

it('bestExtensions are the best of a size, and what cannot be told from it', () => {
  expect(bestExtensions(report, 'm', '128x128')).toEqual(['yarn', 'ntk']);
  expect(bestExtensions(report, 'other', '128x128')).toEqual([]);
  expect(bestExtensions(report, 'm', '512x512')).toEqual([]);
});

describe('curves', () => {
  it('have square sizes as places, and nothing where a method changes nothing', () => {
    const chart = chartOf(report, 'm', 'kid');
    expect(squaresOf(report)).toEqual([64, 128]);
    const yarn = chart.series.find(({ name }) => name === 'yarn')!;
    expect(yarn.points).toEqual([undefined, { value: 28, low: 27, high: 29 }]);
    expect(chart.trained).toBe(64);
    expect(measuresOf(report)).toEqual(['kid']);
  });

  it('give the yarn to the method that is best at the largest size', () => {
    expect(rankedMethods(report, 'm')).toEqual(['yarn', 'ntk', 'none']);
    expect(chartOf(report, 'm', 'kid').series[0]).toMatchObject({ name: 'yarn', colour: 1 });
  });

  it('are models without extension, in one picture', () => {
    const other = report.rows.map((one) => ({ ...one, model: 'rpe2d' }));
    const both = {
      ...report,
      rows: [...report.rows, ...other.filter((one) => one.size !== '64x64')],
    };
    const { series, trained } = chartOfModels(both, 'kid');
    expect(series.map(({ name, points }) => [name, ...points.map((one) => one?.value)])).toEqual([
      ['m', 10, 90],
      ['rpe2d', undefined, 90],
    ]);
    expect(trained).toBe(64);
  });

  it('are told in a sentence', () => {
    expect(chartOf(report, 'm', 'kid').description).toBe(
      'KID × 1000 by picture side. At 128 pixels yarn is lowest at 28, no extension highest at 90.',
    );
  });
});

describe('the best of each size', () => {
  it('is a tie where the pictures do not tell arms apart', () => {
    const [home, twice, oblong] = bestRows(report);
    expect(home).toMatchObject({
      size: '64 px',
      times: 'trained',
      best: 'no extension',
      beside: '',
    });
    expect(twice).toMatchObject({
      times: '2×',
      best: 'yarn',
      beside: 'tie with ntk',
      error: '± 1',
    });
    expect(oblong).toMatchObject({ size: '64 × 128', times: '1 × 2', error: '' });
  });

  it('says how far the next one is where it is none', () => {
    const alone = { ...report, best: [{ ...report.best[1]!, alike: [] }] };
    expect(bestRows(alone)[0]!.beside).toBe('next: ntk +3');
  });
});

it('refuses what is no report', () => {
  expect(checkReport(report)).toBe(report);
  for (const wrong of [null, {}, { rows: [], best: [], made: [] }, { ...report, rows: [{}] }])
    expect(() => checkReport(wrong)).toThrow('report: expected rows, best and made');
});
