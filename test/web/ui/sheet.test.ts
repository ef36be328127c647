import { describe, expect, it } from 'vitest';
import {
  cellIndex,
  layoutOf,
  moved,
  requestsByCell,
  sheetTable,
} from '../../../web/ui/batches/sheet.ts';

const axes = [
  { name: 'prompt', values: ['owl', 'fox'] },
  { name: 'guidance', values: ['1', '2', '3'] },
  { name: 'steps', values: ['6', '12', '24', '48'] },
  { name: 'solver', values: ['euler'] },
];

describe('layoutOf', () => {
  it('puts the longer of two axes down, the third over pages, and seeds last', () => {
    expect(layoutOf(axes)).toEqual({ x: 'prompt', y: 'guidance', z: 'steps' });
    expect(layoutOf([{ name: 'seed', values: ['1', '2'] }, axes[1]!, axes[2]!])).toEqual({
      ...{ x: 'guidance', y: 'steps', z: 'seed' },
    });
  });

  it('is a row where one axis changes, and nothing without axes', () => {
    expect(layoutOf([axes[3]!, axes[0]!])).toEqual({ x: 'prompt' });
    expect(layoutOf([axes[3]!])).toEqual({ x: 'solver' });
    expect(layoutOf([])).toBeUndefined();
  });
});

describe('sheetTable', () => {
  it('finds the request of every cell: the last axis turns fastest', () => {
    const { across, down, cells } = sheetTable(
      axes,
      { x: 'guidance', y: 'steps' },
      { prompt: 'fox' },
      requestsByCell(axes),
    );
    expect([across, down]).toEqual([axes[1]!.values, axes[2]!.values]);
    // fox is the second prompt: 12 requests before it; guidance 2 the second of 4 steps each; 24 the third
    expect(cells[2]![1]).toEqual({
      request: 12 + 4 + 2,
      values: { prompt: 'fox', guidance: '2', steps: '24', solver: 'euler' },
    });
    const requests = cells.flat().map(({ request }) => request);
    expect(new Set(requests).size).toBe(12);
  });

  it('leaves cells empty whose combination was dropped', () => {
    const requests = requestsByCell(axes.slice(0, 2), [0, 5]);
    const table = sheetTable(axes.slice(0, 2), { x: 'guidance', y: 'prompt' }, {}, requests);
    expect(table.cells.map((row) => row.map(({ request }) => request))).toEqual([
      [0, undefined, undefined],
      [undefined, undefined, 1],
    ]);
  });

  it('counts as the product does', () => {
    const values = { prompt: 'fox', guidance: '3', steps: '48', solver: 'euler' };
    expect(cellIndex(axes, values)).toBe(23);
  });
});

it('arrows move the chosen cell and stop at the edges', () => {
  expect(moved([0, 0], 'ArrowRight', [2, 3])).toEqual([0, 1]);
  expect(moved([1, 2], 'ArrowDown', [2, 3])).toEqual([1, 2]);
  expect(moved([0, 0], 'ArrowLeft', [2, 3])).toEqual([0, 0]);
  expect(moved([0, 0], 'x', [2, 3])).toBeUndefined();
});
