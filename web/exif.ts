/**
 * What image generators write into the EXIF block of JPEG and WebP files (Exif 2.32, TIFF 6.0 section 2), by the keywords
 * that they use in PNG: AUTOMATIC1111 and its forks have `parameters` in UserComment, ComfyUI `prompt:{...}` and
 * `workflow:{...}` in Model and Make. Files come from strangers: three entries are looked for and each is read once,
 * since a block of 64 kB can declare thousands of entries that all hold the whole of it.
 */
const [MAKE, MODEL, EXIF, USER_COMMENT] = [0x010f, 0x0110, 0x8769, 0x9286];
const [ASCII, LONG, BYTES] = [2, 4, 7];
/** Bytes of an entry of a directory: tag, type, count, and the value or where it is. */
const ENTRY = 12;
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/** A TIFF file; reads outside of it throw. */
type Tiff = {
  readonly bytes: Buffer;
  readonly bigEndian: boolean;
  readonly u16: (at: number) => number;
  readonly u32: (at: number) => number;
};

/** Text by keyword; a block that is damaged says nothing. */
export function readExifText(block: Uint8Array): Readonly<Record<string, string>> {
  try {
    const tiff = openTiff(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
    const first = tiff.u32(4);
    const comment = findEntry(tiff, pointer(tiff, findEntry(tiff, first, EXIF)), USER_COMMENT);
    return {
      ...labelled(tiff, findEntry(tiff, first, MODEL)),
      ...labelled(tiff, findEntry(tiff, first, MAKE)),
      ...(comment !== undefined && { parameters: commentOf(tiff, textAt(tiff, comment)) }),
    };
  } catch (error) {
    if (error instanceof RangeError) return {};
    throw error;
  }
}

function openTiff(block: Buffer): Tiff {
  const bytes = block.toString('latin1', 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  const order = bytes.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM')
    throw new RangeError('exif: expected II or MM, got neither');
  const bigEndian = order === 'MM';
  return {
    bytes,
    bigEndian,
    u16: (at) => (bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at)),
    u32: (at) => (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)),
  };
}

/** Where the first entry of a tag begins, in the directory at `directory`. */
function findEntry(tiff: Tiff, directory: number | undefined, tag: number): number | undefined {
  if (directory === undefined) return undefined;
  const count = tiff.u16(directory);
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + i * ENTRY;
    if (tiff.u16(at) === tag) return at;
  }
  return undefined;
}

const pointer = (tiff: Tiff, entry: number | undefined): number | undefined =>
  entry !== undefined && tiff.u16(entry + 2) === LONG ? tiff.u32(entry + 8) : undefined;

function textAt({ bytes, u16, u32 }: Tiff, entry: number): Buffer {
  const [type, count] = [u16(entry + 2), u32(entry + 4)];
  if ((type !== ASCII && type !== BYTES) || count > MAX_TEXT_BYTES)
    throw new RangeError('exif: expected text');
  const at = count <= 4 ? entry + 8 : u32(entry + 8);
  return bytes.subarray(at, at + count);
}

/** `prompt:{...}` by its name. */
function labelled(tiff: Tiff, entry: number | undefined): Record<string, string> {
  const text = entry === undefined ? '' : withoutEnd(textAt(tiff, entry).toString('utf8'));
  const name = /^(prompt|workflow):/.exec(text)?.[1];
  return name === undefined ? {} : { [name]: text.slice(name.length + 1) };
}

/** Eight bytes name the encoding (Exif 2.32, table 9). */
function commentOf({ bigEndian }: Tiff, value: Buffer): string {
  const [code, text] = [value.toString('latin1', 0, 7), value.subarray(8)];
  if (code !== 'UNICODE') return withoutEnd(text.toString('utf8'));
  const even = text.subarray(0, text.length - (text.length % 2));
  const units = isBigEndian(even, bigEndian) ? Buffer.from(even).swap16() : even;
  return withoutEnd(units.toString('utf16le'));
}

/** The standard does not say the order, and programs differ: Latin letters have a zero before or after. */
function isBigEndian(text: Buffer, otherwise: boolean): boolean {
  const zeros = [0, 0];
  for (let i = 0; i < text.length; i++) if (text[i] === 0) zeros[i % 2]!++;
  return zeros[0] === zeros[1] ? otherwise : zeros[0]! > zeros[1]!;
}

function withoutEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\0') end--;
  return text.slice(0, end);
}
