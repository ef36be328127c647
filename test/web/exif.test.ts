/** EXIF blocks byte by byte, as programs of others write them, and as nobody should. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readExifText } from '../../web/exif.ts';

/** A block whose Exif directory has this UserComment; offsets count from the TIFF header. */
function block(comment: Buffer, { bigEndian = true, count = comment.length } = {}): Buffer {
  const words: [bytes: 2 | 4, value: number][] = [
    ...([
      [2, 42],
      [4, 8],
      [2, 1],
    ] as const), // header; one entry in the first directory:
    ...([
      [2, 0x8769],
      [2, 4],
      [4, 1],
      [4, 26],
      [4, 0],
    ] as const), // where the Exif directory is
    ...([
      [2, 1],
      [2, 0x9286],
      [2, 7],
      [4, count],
      [4, 44],
      [4, 0],
    ] as const),
  ].map(([bytes, value]) => [bytes, value]);
  const numbers = words.map(([bytes, value]) => {
    const word = Buffer.alloc(bytes);
    if (bigEndian) word.writeUIntBE(value, 0, bytes);
    else word.writeUIntLE(value, 0, bytes);
    return word;
  });
  return Buffer.concat([Buffer.from(bigEndian ? 'MM' : 'II'), ...numbers, comment]);
}
const coded = (code: string, text: Buffer) =>
  Buffer.concat([Buffer.from(code.padEnd(8, '\0')), text]);
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

const TEXT = 'röter Fuchs, 狐\nSteps: 20';
describe('readExifText', () => {
  test.each<[string, Buffer, boolean]>([
    // piexif, of AUTOMATIC1111's web UI: UTF-16 in big-endian order in a block of the same.
    ['UTF-16 as AUTOMATIC1111 writes it', coded('UNICODE', utf16(TEXT).swap16()), true],
    ['UTF-16 of the other order than the block', coded('UNICODE', utf16(TEXT)), true],
    ['UTF-16 of a little-endian block', coded('UNICODE', utf16(TEXT)), false],
    ['UTF-8 of no named encoding', coded('', Buffer.from(TEXT)), false],
    ['what is called ASCII and is not', coded('ASCII', Buffer.from(`${TEXT}\0\0`)), true],
  ])('reads %s', (_, comment, bigEndian) => {
    expect(readExifText(block(comment, { bigEndian }))).toEqual({ parameters: TEXT });
    const named = Buffer.concat([Buffer.from('Exif\0\0'), block(comment, { bigEndian })]);
    expect(readExifText(named)).toEqual({ parameters: TEXT });
  });

  test('takes the order of the block where letters do not tell', () => {
    const comment = coded('UNICODE', utf16('狐狸').swap16());
    expect(readExifText(block(comment))).toEqual({ parameters: '狐狸' });
  });

  test('reads no further than the block, whatever it declares', () => {
    const comment = coded('ASCII', Buffer.from('short'));
    expect(readExifText(block(comment, { count: 5000 }))).toEqual({ parameters: 'short' });
    expect(readExifText(block(comment, { count: 2 ** 32 - 1 }))).toEqual({});
    for (const bytes of ['', 'II', 'MM\0*', 'PNG', 'Exif\0\0'])
      expect(readExifText(Buffer.from(bytes, 'latin1'))).toEqual({});
  });

  test('says nothing of damaged blocks', () => {
    const whole = block(coded('ASCII', Buffer.from('text')));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, end) => {
        const damaged = Buffer.from(whole.subarray(0, end));
        if (at < end) damaged[at] = byte;
        for (const text of Object.values(readExifText(damaged))) expect(typeof text).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test('takes no longer for directories of thousands of entries that hold everything', () => {
    const entry = block(Buffer.alloc(0)).subarray(28, 40);
    const many = Buffer.concat([block(Buffer.alloc(8)), ...Array(60_000).fill(entry)]);
    many.writeUInt16BE(60_000, 8);
    const zeros = Buffer.concat([Buffer.alloc(4_000_000), Buffer.from('x')]);
    const start = performance.now();
    readExifText(many);
    readExifText(block(coded('ASCII', zeros)));
    expect(performance.now() - start).toBeLessThan(1000); // every entry read, or quadratic: minutes
  });
});
