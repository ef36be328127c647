/**
 * Chunks of PNG files (PNG specification, third edition, sections 5 and 11.3.3): the text in tEXt, zTXt and iTXt.
 * Files come from strangers: lengths are checked against the file, sums are compared, and what
 * unpacks is capped, since a kilobyte can hold a thousand.
 */
import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Of all text of one file together, unpacked. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

type Chunk = { readonly type: string; readonly data: Buffer };

export const isPng = (file: Uint8Array): boolean =>
  SIGNATURE.equals(file.subarray(0, SIGNATURE.length));

/** Chunks in file order up to IEND; what follows it is not looked at. */
function* chunksOf(file: Buffer): Generator<Chunk> {
  if (!isPng(file)) throw new TypeError('picture: expected a PNG file, got other bytes');
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > file.length)
      throw new RangeError(`picture: expected a PNG chunk at byte ${at}, got the end of the file`);
    const length = file.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > file.length)
      throw new RangeError(
        `picture: expected ${length} bytes of PNG chunk at byte ${at}, got ${file.length - at - 12}; it is truncated`,
      );
    const type = file.toString('latin1', at + 4, at + 8);
    const sum = crc32(file.subarray(at + 4, end - 4));
    if (sum !== file.readUInt32BE(end - 4))
      throw new RangeError(
        `picture: expected PNG chunk ${JSON.stringify(type)} at byte ${at} to match its CRC; it is damaged`,
      );
    yield { type, data: file.subarray(at + 8, end - 4) };
    if (type === 'IEND') return;
    at = end;
  }
}

/** Text by keyword; the first chunk of a keyword counts. */
export function readText(file: Uint8Array): Readonly<Record<string, string>> {
  const texts = new Map<string, string>();
  let left = MAX_TEXT_BYTES;
  for (const chunk of chunksOf(Buffer.from(file.buffer, file.byteOffset, file.byteLength))) {
    const entry = textOf(chunk, left);
    if (entry === undefined) continue;
    left -= entry.bytes.length;
    if (left < 0) throw tooMuch();
    if (!texts.has(entry.keyword)) texts.set(entry.keyword, entry.bytes.toString(entry.encoding));
  }
  return Object.fromEntries(texts);
}

function textOf({ type, data }: Chunk, limit: number) {
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return undefined;
  const [keyword, rest] = splitAtNul(data, type);
  const name = keyword.toString('latin1');
  if (type === 'tEXt') return { keyword: name, bytes: rest, encoding: 'latin1' as const };
  if (type === 'zTXt')
    return { keyword: name, bytes: inflate(rest.subarray(1), limit), encoding: 'latin1' as const };
  const [, afterLanguage] = splitAtNul(rest.subarray(2), type);
  const [, text] = splitAtNul(afterLanguage, type); // after the translated keyword
  const bytes = rest[0] === 1 ? inflate(text, limit) : text;
  return { keyword: name, bytes, encoding: 'utf8' as const };
}

function splitAtNul(data: Buffer, type: string): [Buffer, Buffer] {
  const at = data.indexOf(0);
  if (at < 0)
    throw new RangeError(
      `picture: expected a keyword, NUL and text in PNG chunk ${type}, got no NUL`,
    );
  return [data.subarray(0, at), data.subarray(at + 1)];
}

function inflate(data: Buffer, limit: number): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: Math.max(1, limit) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooMuch();
    throw new RangeError('picture: expected compressed text in the PNG file, got damaged data', {
      cause: error,
    });
  }
}

const tooMuch = () =>
  new RangeError(
    `picture: expected at most ${MAX_TEXT_BYTES} bytes of text in the PNG file, got more once unpacked`,
  );

/** The file with text chunks added after its header, in the order of `texts`. */
export function addText(file: Buffer, texts: Readonly<Record<string, string>>): Buffer {
  const header = SIGNATURE.length + 12 + 13; // IHDR always comes first and holds 13 bytes
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return Buffer.concat([file.subarray(0, header), ...chunks, file.subarray(header)]);
}

/** tEXt where Latin-1 and newlines are enough, which every reader knows, else iTXt. */
function textChunk(keyword: string, text: string): Buffer {
  if (!/^[!-~](?:[ -~]{0,77}[!-~])?$/.test(keyword))
    throw new RangeError(
      `picture: expected a PNG keyword of 1 to 79 printable characters, got ${JSON.stringify(keyword)}`,
    );
  if (text.includes('\0')) throw new RangeError('picture: expected text without NUL, got one');
  if (/^[\n\x20-\x7e\xa1-\xff]*$/.test(text))
    return makeChunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1'));
  return makeChunk('iTXt', Buffer.from(`${keyword}\0\0\0\0\0${text}`, 'utf8'));
}

function makeChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}
