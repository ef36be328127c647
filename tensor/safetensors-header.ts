/**
 * The header of a safetensors file: 8 bytes of length, then JSON from tensor names to type, shape and
 * byte range. Everything in it is untrusted: it is checked against the file's size before anything
 * is allocated by it. Rules of the format: at most 100 MB, starts with `{`, no name twice, ranges
 * that fill the rest of the file without a hole or an overlap, and as many bytes as the shape says.
 */

/** Bytes of one element. */
export const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
} as const;

export type StoredType = keyof typeof ELEMENT_BYTES;

export type Entry = {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly start: number;
  readonly end: number;
};

export type Header = {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
};

export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA = '__metadata__';

/** The header's length from the first 8 bytes, or a sentence why there cannot be one. */
export function headerLength(path: string, first: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8)
    throw new RangeError(
      `${path}: expected a safetensors file of at least 8 bytes, got ${fileBytes}`,
    );
  const view = new DataView(first.buffer, first.byteOffset, 8);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES)
    throw new RangeError(
      `${path}: expected a safetensors header of at most ${MAX_HEADER_BYTES} bytes, got one that says ${length}; this may not be a safetensors file`,
    );
  if (Number(length) > fileBytes - 8)
    throw new RangeError(
      `${path}: expected a header of ${length} bytes, got a file of ${fileBytes} bytes; it is truncated`,
    );
  return Number(length);
}

export function parseHeader(path: string, bytes: Uint8Array, fileBytes: number): Header {
  const fields = parseObject(path, bytes);
  const metadata = checkMetadata(path, fields[METADATA]);
  const origin = 8 + bytes.length;
  const entries = Object.entries(fields)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => [name, checkEntry(path, name, value, origin)] as const)
    .sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  checkRanges(path, entries, origin, fileBytes);
  return { entries: new Map(entries), metadata };
}

function parseObject(path: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = text.startsWith('{') ? JSON.parse(text) : undefined;
  } catch (error) {
    throw new TypeError(
      `${path}: expected a header of JSON in UTF-8, got ${(error as Error).message}`,
    );
  }
  if (typeof value !== 'object' || value === null)
    throw new TypeError(
      `${path}: expected a header that starts with {, got ${JSON.stringify(text.slice(0, 12))}`,
    );
  const twice = findDuplicateKey(text);
  if (twice !== undefined)
    throw new TypeError(
      `${path}: expected each name once in the header, got ${quote(twice)} twice`,
    );
  return value as Record<string, unknown>;
}

/** The first key that an object of valid JSON holds twice; JSON.parse keeps the last without a word. */
export function findDuplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []; // the keys of each open object; an array has none
  for (let at = 0; at < json.length; at++) {
    const mark = json[at];
    if (mark === '{' || mark === '[') open.push(new Set());
    else if (mark === '}' || mark === ']') open.pop();
    else if (mark === '"') {
      const end = endOfString(json, at);
      if (isKey(json, end)) {
        const key = JSON.parse(json.slice(at, end)) as string;
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The index after the closing quote. By hand: a regular expression overflows its stack on long strings. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (json[quote - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
}

function isKey(json: string, after: number): boolean {
  let at = after;
  while (' \t\r\n'.includes(json[at] ?? ':')) at++;
  return json[at] === ':';
}

function checkMetadata(path: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const ok = isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
  if (!ok)
    throw new TypeError(
      `${path}: expected ${METADATA} to map names to strings, got ${show(value)}`,
    );
  return value as Record<string, string>;
}

function checkEntry(path: string, name: string, value: unknown, origin: number): Entry {
  const where = `${path}: tensor ${quote(name)}`;
  if (!isObject(value))
    throw new TypeError(`${where}: expected dtype, shape and data_offsets, got ${show(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    const known = Object.keys(ELEMENT_BYTES).join(', ');
    throw new TypeError(`${where}: expected dtype one of ${known}, got ${show(dtype)}`);
  }
  if (!isSizes(shape))
    throw new TypeError(`${where}: expected shape as whole numbers, got ${show(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[1]! < offsets[0]!)
    throw new TypeError(`${where}: expected data_offsets [start, end], got ${show(offsets)}`);
  const wanted = bytesOf(shape, dtype as StoredType);
  const [start, end] = offsets as [number, number];
  if (wanted !== end - start)
    throw new RangeError(
      `${where}: expected ${wanted ?? 'fewer than 2^53'} bytes for ${dtype} [${shape.join(', ')}], got ${end - start}`,
    );
  return { dtype: dtype as StoredType, shape, start: origin + start, end: origin + end };
}

/** `undefined` where a product on the way is too large to be exact, even if a later side is 0. */
function bytesOf(shape: readonly number[], dtype: StoredType): number | undefined {
  let bytes: number = ELEMENT_BYTES[dtype];
  for (const side of shape) {
    bytes *= side;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}

function checkRanges(
  path: string,
  entries: readonly (readonly [string, Entry])[],
  origin: number,
  fileBytes: number,
): void {
  let end = origin;
  for (const [name, entry] of entries) {
    if (entry.start !== end) {
      const what = entry.start < end ? 'overlaps the one before' : 'leaves a hole before it';
      throw new RangeError(
        `${path}: tensor ${quote(name)}: expected its data at byte ${end - origin}, got ${entry.start - origin}: it ${what}`,
      );
    }
    end = entry.end;
  }
  if (end !== fileBytes) {
    const what = end > fileBytes ? 'it is truncated' : 'bytes that no tensor owns follow';
    throw new RangeError(
      `${path}: expected a file of ${end} bytes by its header, got ${fileBytes}; ${what}`,
    );
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0);

/** Names come from strangers: quoted, so that control characters are escaped, and cut. */
export const quote = (name: string): string =>
  JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}...` : name);

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
