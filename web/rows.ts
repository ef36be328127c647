/**
 * Requests as rows of a file: CSV as spreadsheets write it (RFC 4180, also with semicolons or tabs), or a
 * JSON object a line. A file that is broken anywhere gives one sentence with line and column.
 */
import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import type { ImageRequest } from '../request.ts';
import { checkSchema } from '../schema.ts';
import {
  type ColumnName,
  columnAt,
  columnNamed,
  findColumn,
  type PartialDraft,
  withColumn,
} from './columns.ts';
import { checkedRequest, chooseModel, Draft } from './draft.ts';
import { parseJson } from './json-position.ts';
import type { ModelView, Services } from './services.ts';

export const MOST_ROWS = 10_000;
const MOST_CHARACTERS = 100_000; // of a row

export type Row = {
  /** 'line 3' */
  readonly where: string;
  /** What the row says by column, in the order of the file. */
  readonly cells: readonly (readonly [ColumnName, string])[];
  /** What a line of JSON says in the API's own form. */
  readonly draft: Readonly<Record<string, unknown>>;
};

/** The first line names the columns; empty cells and lines say nothing. */
export function parseCsv(file: Uint8Array): Row[] {
  const { text, firstLine } = withoutSeparatorLine(textOf(file));
  const delimiter = delimiterOf(text);
  const [header, ...records] = recordsOf(text, delimiter, firstLine);
  if (header === undefined || records.length === 0)
    throw new RangeError('line 1: expected names of columns and rows below, got none');
  const columns = header.cells.map((name, i) =>
    columnNamed(name, `line ${header.line}, column ${i + 1}`),
  );
  const twice = columns.findIndex((name, i) => columns.indexOf(name) !== i);
  if (twice >= 0)
    throw new RangeError(
      `line ${header.line}, column ${twice + 1}: expected each column once, got '${columns[twice]}' again`,
    );
  checkCount(records.length);
  return records.map(({ cells, line }) => ({
    where: `line ${line}`,
    cells: cells.flatMap((cell, i) => {
      const written = delimiter === ',' ? cell : cell.replace(/^([+-]?\d+),(\d+)$/, '$1.$2');
      return cell === '' ? [] : [[columns[i]!, written] as const];
    }),
    draft: {},
  }));
}

/** A draft a line, as `POST /images` takes it; names of columns are understood too. */
export function parseJsonLines(file: Uint8Array): Row[] {
  const lines = textOf(file).split('\n');
  const rows = lines.flatMap((text, i) => (text.trim() === '' ? [] : [jsonRow(text, i + 1)]));
  if (rows.length === 0) throw new RangeError('line 1: expected a JSON object a line, got none');
  checkCount(rows.length);
  return rows;
}

function jsonRow(text: string, line: number): Row {
  const value = parseJson(text, line);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`line ${line}: expected a JSON object, got ${text.slice(0, 40)}`);
  const entries = Object.entries(value);
  const columnOfEntry = ([key, said]: [string, unknown]) =>
    typeof said === 'object' ? undefined : findColumn(key);
  return {
    where: `line ${line}`,
    cells: entries.flatMap((entry) => {
      const column = columnOfEntry(entry);
      return column === undefined ? [] : [[column, String(entry[1])] as const];
    }),
    draft: Object.fromEntries(entries.filter((entry) => columnOfEntry(entry) === undefined)),
  };
}

/** The row as a request of its model, or of `model` where it names none. */
export async function requestOfRow(
  { where, cells, draft }: Row,
  known: readonly ModelView[],
  models: Services['models'],
  model = known[0]?.id ?? '',
): Promise<ImageRequest> {
  const named = cells.find(([name]) => name === 'model');
  const chosen = at(where, named?.[0], () =>
    chooseModel(known, named?.[1] ?? String(draft.model ?? model), { where }),
  );
  const { kind } = chosen.sampling;
  let said: PartialDraft = { ...draft, model: chosen.id };
  for (const [name, text] of cells)
    said = at(where, name, () => withColumn(said, name, text, kind));
  try {
    return await checkedRequest(checkSchema(Draft, said, where), chosen, models, { where });
  } catch (error) {
    const field = FIELD.exec((error as Error).message)?.[1];
    throw placed(error as Error, where, field && columnAt(field, cells, kind));
  }
}

function at<Result>(where: string, column: ColumnName | undefined, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw placed(error as Error, where, column);
  }
}

/** The part of a request that an error names, as schema.ts writes it. */
const FIELD = /^[^']*'([^']+)': /;

function placed(error: Error, where: string, column: ColumnName | '' | undefined): Error {
  if (!column) return error;
  const sentence = error.message.replace(FIELD, '');
  return new RangeError(`${where}, column '${column}': ${sentence}`, { cause: error });
}

function checkCount(rows: number): void {
  if (rows > MOST_ROWS)
    throw new RangeError(`file: expected at most ${MOST_ROWS} rows, got ${rows}; cut it in parts`);
}

/** UTF-8, or the UTF-16 of Excel's "Unicode text"; lines end in \n. */
function textOf(file: Uint8Array): string {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (!wide && !isUtf8(bytes)) throw new TypeError(notUtf8(bytes));
  return bytes
    .toString(wide ? 'utf16le' : 'utf8')
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n');
}

function notUtf8(bytes: Buffer): string {
  const before = bytes
    .toString('utf8')
    .split('\ufffd')[0]!
    .split(/\r\n?|\n/);
  return `line ${before.length}, column ${before.at(-1)!.length + 1}: expected text in UTF-8, got another encoding; save the file as "CSV UTF-8"`;
}

/** Excel's own first line `sep=;` says nothing that the header does not. */
function withoutSeparatorLine(text: string): { text: string; firstLine: number } {
  const [line] = /^sep=[^\n]?\n/i.exec(text) ?? [];
  return line === undefined
    ? { text, firstLine: 1 }
    : { text: text.slice(line.length), firstLine: 2 };
}

/** What separates the names of columns, which hold none of the three. */
function delimiterOf(text: string): string {
  const header = text.trimStart().split('\n')[0]!;
  const times = (mark: string) => header.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (times(mark) > times(best) ? mark : best));
}

type CsvRecord = { readonly cells: readonly string[]; readonly line: number };

function recordsOf(text: string, delimiter: string, firstLine: number): CsvRecord[] {
  /** The line after the last record that was read whole. */
  let next = firstLine;
  const records: CsvRecord[] = [];
  try {
    parse(text, {
      delimiter,
      skip_empty_lines: true,
      trim: true,
      max_record_size: MOST_CHARACTERS,
      on_record: (cells: string[], { lines }) => {
        const breaks = cells.join('').split('\n').length - 1;
        next = firstLine + lines;
        if (cells.some((cell) => cell !== '')) records.push({ cells, line: next - 1 - breaks });
        return null;
      },
    });
    return records;
  } catch (error) {
    throw error instanceof CsvError ? explained(error, records[0], next, firstLine) : error;
  }
}

function explained(
  error: CsvError,
  header: CsvRecord | undefined,
  next: number,
  firstLine: number,
): Error {
  const { code, lines = 1, index = 0 } = error as CsvError & { lines?: number; index?: number };
  const line = lines + firstLine - 1;
  const column = (i: number) => {
    const name = header?.cells[i];
    return name === undefined ? `column ${i + 1}` : `column '${name}'`;
  };
  switch (code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return new RangeError(
        `line ${line}, ${column(Math.min(index, header?.cells.length ?? 0))}: expected ${header?.cells.length} values, got ${index}; text with separators needs quotes`,
      );
    case 'CSV_QUOTE_NOT_CLOSED':
      return new RangeError(
        `line ${next}, ${column(index)}: expected a closing quote, got the end of the file`,
      );
    case 'CSV_MAX_RECORD_SIZE':
      return new RangeError(
        `line ${next}: expected at most ${MOST_CHARACTERS} characters a row, got more; a quote may be open`,
      );
    default:
      return new RangeError(
        `line ${line}, ${column(index)}: expected quotes around the whole value and inner ones doubled, got a stray quote`,
      );
  }
}
