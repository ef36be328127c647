/** Where pictures and labels of a sheet stand: which axis goes across, which down, and how much room texts take. */

export type SheetAxis = { readonly name: string; readonly values: readonly string[] };
/** Names of axes: across, down, and the first of those that make sections. Default: the last ones. */
export type SheetChoice = {
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly z?: string | undefined;
};

/** A value of an axis, and how far its pictures are from the first one in the order of the grid. */
type Place = { readonly text: string; readonly cell: number };
export type Section = Place & {
  readonly columns: readonly Place[];
  /** One without text where nothing goes down. */
  readonly rows: readonly Place[];
};

export type Size = { readonly width: number; readonly height: number };
export type Label = {
  readonly text: string;
  readonly x: number;
  /** Of the line on which letters stand. */
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
};
export type Layout = Size & {
  readonly labels: readonly Label[];
  readonly cells: readonly { readonly cell: number; readonly x: number; readonly y: number }[];
};

export const FONT = 13;
const LINE = 1.3 * FONT;
/** Width of a character: on the large side. */
const GLYPH = 0.6 * FONT;
const GAP = 4;
const MARGIN = 12;
/** Columns are as wide as a short label at least. */
const NARROWEST = 56;
const ROW_LABEL = 24; // characters
const COLUMN_LINES = 4;
/** Values of an only axis that stand in one row. */
const WRAP = 8;

export function arrangeSheet(
  axes: readonly SheetAxis[],
  { x, y, z }: SheetChoice,
): { readonly sections: readonly Section[]; readonly subtitle: string } {
  const [across, down, ...others] = orderOf(axes, { x, y, z });
  const strides = axes.map((_, i) =>
    axes.slice(i + 1).reduce((n, { values }) => n * values.length, 1),
  );
  const places = (axis: number): Place[] =>
    labelsOf(axes[axis]!).map((text, i) => ({ text, cell: i * strides[axis]! }));

  let groups: Place[] = [{ text: '', cell: 0 }];
  for (const axis of others)
    groups = groups.flatMap(({ text, cell }) =>
      places(axis).map((value) => ({
        text: [text, headingOf(axes[axis]!, value.text)].filter(Boolean).join(', '),
        cell: cell + value.cell,
      })),
    );
  const rows = down === undefined ? [{ text: '', cell: 0 }] : places(down);
  const columns = places(across!);
  const lines = down === undefined ? chunks(columns, WRAP) : [columns];
  const sections = groups.flatMap(({ text, cell }) =>
    lines.map((columns, i) => ({ text: i === 0 ? text : '', cell, columns, rows })),
  );
  const names = [`${axes[across!]!.name} across`, down !== undefined && `${axes[down]!.name} down`];
  return { sections, subtitle: names.filter(Boolean).join(', ') };
}

const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));

/** A number alone says nothing: 'steps 8', but 'red hair'. */
const labelsOf = ({ name, values }: SheetAxis): readonly string[] =>
  values.every(isNumber) ? values.map((value) => `${name} ${value}`) : values;

const headingOf = ({ name, values }: SheetAxis, label: string): string =>
  values.every(isNumber) ? label : `${name}: ${label}`;

/** Indices of axes: across, down, sections. */
function orderOf(axes: readonly SheetAxis[], { x, y, z }: SheetChoice): number[] {
  const asked = [
    ['x', x],
    ['y', y],
    ['z', z],
  ] as const;
  const found = asked.map(([letter, name]) => find(axes, letter, name));
  for (const [i, [letter, name]] of asked.entries())
    if (found[i] !== undefined && found.indexOf(found[i]) !== i)
      throw new RangeError(`sheet: '${letter}': expected an axis of its own, got '${name}' again`);
  const free = axes.map((_, i) => i).filter((i) => !found.includes(i));
  const across = found[0] ?? free.pop();
  const down = found[1] ?? free.pop();
  return [across, down, found[2], ...free].filter((axis) => axis !== undefined);
}

function find(axes: readonly SheetAxis[], letter: string, name: string | undefined) {
  if (name === undefined) return undefined;
  const at = axes.findIndex((axis) => axis.name === name);
  if (at >= 0) return at;
  const names = axes.map((axis) => axis.name).join(' or ');
  throw new RangeError(`sheet: '${letter}': expected ${names}, got '${name}'`);
}

const chunks = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );

/** `cell` is the size of the largest picture as it is shown. */
export function layOutSheet(
  sections: readonly Section[],
  cell: Size,
  { title, subtitle }: { title: string; subtitle: string },
): Layout {
  const step = Math.max(cell.width, NARROWEST) + GAP;
  const longest = Math.max(...sections.flatMap(({ rows }) => rows.map(({ text }) => text.length)));
  const head = longest === 0 ? 0 : Math.ceil(Math.min(ROW_LABEL, longest) * GLYPH) + 2 * GAP;
  const left = MARGIN + head;
  const widest = Math.max(...sections.map(({ columns }) => columns.length));
  const width = Math.max(left + widest * step - GAP, 260) + MARGIN;

  const line = (text: string, y: number, bold: boolean): Label => ({
    text: cut(text, (width - 2 * MARGIN) / GLYPH),
    x: MARGIN,
    y,
    bold,
  });
  const labels = [line(title, MARGIN + FONT, true), line(subtitle, MARGIN + FONT + LINE, false)];
  const cells: { cell: number; x: number; y: number }[] = [];
  let y = MARGIN + 2 * LINE;
  for (const section of sections) {
    y += 2 * GAP;
    if (section.text !== '') {
      y += LINE;
      labels.push(line(section.text, y, true));
    }
    const heads = columnLabels(section.columns, { left, top: y, step });
    labels.push(...heads.labels);
    y = heads.bottom + GAP;
    for (const row of section.rows) {
      labels.push(...rowLabels(row.text, { right: left - 2 * GAP, head, top: y, cell }));
      for (const [i, column] of section.columns.entries()) {
        const x = Math.round(left + i * step + (step - GAP - cell.width) / 2);
        cells.push({ cell: section.cell + row.cell + column.cell, x, y: Math.round(y) });
      }
      y += cell.height + GAP;
    }
  }
  return { width: Math.ceil(width), height: Math.ceil(y - GAP + MARGIN), labels, cells };
}

/** In the middle above each column, all on the same last line. */
function columnLabels(
  columns: readonly Place[],
  { left, top, step }: { left: number; top: number; step: number },
): { labels: Label[]; bottom: number } {
  const texts = columns.map(({ text }) => wrap(text, (step - GAP) / GLYPH, COLUMN_LINES));
  const bottom = top + Math.max(...texts.map((lines) => lines.length)) * LINE;
  const labels = texts.flatMap((lines, i) =>
    lines.map((text, line) => ({
      text,
      x: left + i * step + (step - GAP) / 2,
      y: bottom - (lines.length - 1 - line) * LINE,
      anchor: 'middle' as const,
    })),
  );
  return { labels, bottom };
}

/** At half the height of a row. */
function rowLabels(
  text: string,
  { right, head, top, cell }: { right: number; head: number; top: number; cell: Size },
): Label[] {
  const most = Math.max(1, Math.floor(cell.height / LINE));
  const lines = wrap(text, (head - 2 * GAP) / GLYPH, most);
  const first = top + (cell.height - lines.length * LINE) / 2 + FONT;
  return lines.map((text, i) => ({ text, x: right, y: first + i * LINE, anchor: 'end' }));
}

/** Lines of at most `room` characters, broken at spaces where there are some. */
function wrap(text: string, room: number, most: number): string[] {
  const width = Math.max(4, Math.floor(room));
  const words = text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((word) => chunks([...word], width).map((part) => part.join('')));
  const lines: string[] = [];
  for (const word of words) {
    const joined = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines[most - 1]!.slice(0, width - 1)}…`];
}

export const cut = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, Math.max(1, Math.floor(room) - 1))}…`;
