/** From a grid batch to X/Y/Z sheets: which request stands in which cell, which axes run across, down and over pages. */
export type SheetAxis = { readonly name: string; readonly values: readonly string[] };
/** Where axes run. Axes that are not named are chosen one value each: `fixed`. */
export type SheetLayout = { readonly x: string; readonly y?: string; readonly z?: string };

export type SheetCell = {
  /** Index of the request, or nothing where the combination was dropped. */
  readonly request: number | undefined;
  /** The value of every axis. */
  readonly values: Readonly<Record<string, string>>;
};
export type SheetTable = {
  readonly across: readonly string[];
  readonly down: readonly string[];
  /** By row, then column. */
  readonly cells: readonly (readonly SheetCell[])[];
};

/** Axes along which something changes. */
export const wideAxes = (axes: readonly SheetAxis[]): SheetAxis[] =>
  axes.filter(({ values }) => values.length > 1);

/** The two longest axes that fit a screen, the longer one down; a third over pages. */
export function layoutOf(axes: readonly SheetAxis[]): SheetLayout | undefined {
  const wide = wideAxes(axes);
  const [first, second, third] = [
    ...wide.filter(({ name }) => name !== 'seed'),
    ...wide.filter(({ name }) => name === 'seed'),
  ];
  if (!first) return axes[0] && { x: axes[0].name };
  if (!second) return { x: first.name };
  const [x, y] = first.values.length <= second.values.length ? [first, second] : [second, first];
  return { x: x.name, y: y.name, ...(third ? { z: third.name } : {}) };
}

/** Where the cells of the product are among the requests; cells that were dropped are absent. */
export function requestsByCell(
  axes: readonly SheetAxis[],
  cells?: readonly number[],
): Map<number, number> {
  const product = axes.reduce((count, { values }) => count * values.length, 1);
  const own = cells ?? Array.from({ length: product }, (_, i) => i);
  return new Map(own.map((cell, request) => [cell, request]));
}

/** The number of a combination in the product, the last axis turning fastest. */
export function cellIndex(
  axes: readonly SheetAxis[],
  values: Readonly<Record<string, string>>,
): number {
  return axes.reduce(
    (index, axis) => index * axis.values.length + axis.values.indexOf(values[axis.name]!),
    0,
  );
}

export function sheetTable(
  axes: readonly SheetAxis[],
  layout: SheetLayout,
  fixed: Readonly<Record<string, string>>,
  requests: ReadonlyMap<number, number>,
): SheetTable {
  const valuesOf = (name: string | undefined) =>
    axes.find((axis) => axis.name === name)?.values ?? [''];
  const [across, down] = [valuesOf(layout.x), valuesOf(layout.y)];
  const cell = (x: string, y: string): SheetCell => {
    const values = {
      ...Object.fromEntries(axes.map((axis) => [axis.name, fixed[axis.name] ?? axis.values[0]!])),
      [layout.x]: x,
      ...(layout.y === undefined ? {} : { [layout.y]: y }),
    };
    return { request: requests.get(cellIndex(axes, values)), values };
  };
  return { across, down, cells: down.map((y) => across.map((x) => cell(x, y))) };
}

/** What to move a chosen cell by when an arrow is pressed, kept inside the table. */
export function moved(
  [row, column]: readonly [number, number],
  key: string,
  [rows, columns]: readonly [number, number],
): [number, number] | undefined {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
  if (!step) return undefined;
  const clamp = (value: number, most: number) => Math.min(most - 1, Math.max(0, value));
  return [clamp(row + step[0]!, rows), clamp(column + step[1]!, columns)];
}

/** "seed 7" as it stands beside a row or over a column. */
export function axisTitle(name: string): string {
  const titles: Record<string, string> = {
    ...{ prompt: 'Prompt', style: 'Style', size: 'Size, px', extension: 'Position method' },
    ...{ seed: 'Seed', guidance: 'Guidance (CFG)', solver: 'Solver', steps: 'Steps' },
    ...{ decoder: 'Decoder', temperature: 'Temperature', model: 'Model', shift: 'Time shift' },
  };
  return titles[name] ?? name;
}

/** A combination in words. */
export const cellName = ({ values }: SheetCell): string =>
  Object.entries(values)
    .map(([name, value]) => (name === 'prompt' ? value : `${name} ${value}`))
    .join(', ');
