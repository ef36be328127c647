/**
 * Reading and writing safetensors files (format: safetensors-header.ts). Read tensor by tensor, each
 * once; written to a temporary file that replaces the old one only when it is whole and on the disk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { replaceFile, writeFully } from './atomic-file.ts';
import { decodeBfloat16, decodeHalf, encodeHalf } from './half.ts';
import type { HostTensor, HostTensors } from './program.ts';
import {
  ELEMENT_BYTES,
  type Entry,
  type Header,
  headerLength,
  MAX_HEADER_BYTES,
  METADATA,
  parseHeader,
  quote,
  type StoredType,
} from './safetensors-header.ts';
import { sizeOf } from './shape.ts';

export type { StoredType } from './safetensors-header.ts';

export type SafetensorsFile = Header & {
  /** F64, F32, F16, BF16 as Float32Array; I64, I32 as Int32Array; U8, BOOL as Uint8Array. */
  read(name: string): Promise<HostTensor>;
  /** A tensor of any type without loss (I64 beyond 2^53 excepted). */
  readFloat64(name: string): Promise<Float64Array>;
  close(): Promise<void>;
};

/** Checks the whole header; reads no tensor yet. The caller closes it. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openForReading(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      throw new RangeError(`${path}: expected a safetensors file, got a folder or device`);
    const { size } = stat;
    const length = headerLength(path, await readRange(path, file, 0, Math.min(8, size)), size);
    const header = parseHeader(path, await readRange(path, file, 8, 8 + length), size);
    const load = async (name: string) => {
      const entry = header.entries.get(name);
      if (entry === undefined)
        throw new RangeError(`${path}: expected a tensor ${quote(name)}, got none of that name`);
      return { entry, bytes: await readRange(path, file, entry.start, entry.end) };
    };
    return {
      ...header,
      read: async (name) => {
        const { entry, bytes } = await load(name);
        return { data: decode(`${path}: tensor ${quote(name)}`, entry, bytes), shape: entry.shape };
      },
      readFloat64: async (name) => {
        const { entry, bytes } = await load(name);
        return Float64Array.from(elements(entry.dtype, bytes), Number);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** All tensors of a file; each goes from the disk to its array, never the file as a whole. */
export async function readSafetensors(path: string): Promise<{
  tensors: HostTensors;
  metadata: Readonly<Record<string, string>>;
  dtypes: Readonly<Record<string, StoredType>>;
}> {
  const file = await openSafetensors(path);
  try {
    const tensors: [string, HostTensor][] = [];
    for (const name of file.entries.keys()) tensors.push([name, await file.read(name)]);
    const dtypes = [...file.entries].map(([name, { dtype }]) => [name, dtype] as const);
    return {
      tensors: Object.fromEntries(tensors),
      metadata: file.metadata,
      dtypes: Object.fromEntries(dtypes),
    };
  } finally {
    await file.close();
  }
}

/**
 * Float32Array as `dtype`, Int32Array as I32, Uint8Array as U8. The same tensors make the same bytes:
 * wide types first, so that all stay aligned, then by name.
 */
export async function writeSafetensors(
  path: string,
  tensors: HostTensors,
  {
    dtype = 'F32',
    metadata = {},
  }: { dtype?: 'F32' | 'F16'; metadata?: Record<string, string> } = {},
): Promise<void> {
  const stored = Object.entries(tensors)
    .map(([name, tensor]) => ({ name, tensor, dtype: storedType(path, name, tensor, dtype) }))
    .sort((a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype] || (a.name < b.name ? -1 : 1));
  let end = 0;
  const fields = stored.map(({ name, tensor, dtype }) => {
    const start = end;
    end += tensor.data.length * ELEMENT_BYTES[dtype];
    return [name, { dtype, shape: tensor.shape, data_offsets: [start, end] }] as const;
  });
  const notes = Object.keys(metadata).length > 0 ? [[METADATA, metadata] as const] : [];
  const header = encodeHeader(path, Object.fromEntries([...notes, ...fields]));
  await replaceFile(path, async (file) => {
    await writeFully(file, header);
    for (const { name, tensor, dtype } of stored)
      await writeFully(file, encode(`${path}: tensor ${quote(name)}`, tensor.data, dtype));
  });
}

/** Throws one sentence unless `found` has exactly the expected names and shapes. */
export function checkTensors(
  found: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  expected: Readonly<Record<string, readonly number[]>>,
  where = 'checkpoint',
): void {
  const missing = Object.keys(expected).filter((name) => !Object.hasOwn(found, name));
  const unexpected = Object.keys(found).filter((name) => !Object.hasOwn(expected, name));
  if (missing.length > 0 || unexpected.length > 0) {
    const parts = [
      ...(missing.length > 0 ? [`is missing ${list(missing)}`] : []),
      ...(unexpected.length > 0 ? [`has unexpected ${list(unexpected)}`] : []),
    ];
    throw new RangeError(
      `${where}: expected the model's ${Object.keys(expected).length} tensors, got one that ${parts.join(' and ')}`,
    );
  }
  for (const [name, shape] of Object.entries(expected)) {
    const got = found[name]!.shape;
    if (got.length !== shape.length || got.some((side, axis) => side !== shape[axis]))
      throw new RangeError(
        `${where}: tensor ${quote(name)}: expected shape [${shape.join(', ')}], got [${got.join(', ')}]`,
      );
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quote).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: expected a safetensors file to read, got ${code}`, { cause: error });
  }
}

async function readRange(
  path: string,
  file: FileHandle,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, 2 ** 26); // one call takes less than 2 GB
    const { bytesRead } = await file.read(bytes, at, length, start + at);
    if (bytesRead === 0)
      throw new RangeError(
        `${path}: expected data up to byte ${end}, got its end at ${start + at}; it is truncated`,
      );
    at += bytesRead;
  }
  return bytes;
}

/** The stored numbers, as a view of `bytes` where the type has an array, else decoded. */
function elements(dtype: StoredType, { buffer, length }: Uint8Array) {
  const count = length / ELEMENT_BYTES[dtype];
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer, 0, count);
    case 'F32':
      return new Float32Array(buffer, 0, count);
    case 'F16':
      return decodeHalf(new Uint16Array(buffer, 0, count));
    case 'BF16':
      return decodeBfloat16(new Uint16Array(buffer, 0, count));
    case 'I64':
      return new BigInt64Array(buffer, 0, count);
    case 'I32':
      return new Int32Array(buffer, 0, count);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer, 0, count);
  }
}

function decode(where: string, { dtype }: Entry, bytes: Uint8Array): HostTensor['data'] {
  const values = elements(dtype, bytes);
  if (values instanceof Float64Array) return Float32Array.from(values);
  if (!(values instanceof BigInt64Array)) return values;
  const out = new Int32Array(values.length);
  values.forEach((value, i) => {
    if (value !== BigInt.asIntN(32, value))
      throw new RangeError(`${where}: expected I64 values of 32 bits, got ${value}`);
    out[i] = Number(value);
  });
  return out;
}

function storedType(
  path: string,
  name: string,
  { data, shape }: HostTensor,
  dtype: 'F32' | 'F16',
): StoredType {
  if (name === METADATA)
    throw new RangeError(`${path}: expected names of tensors, got the reserved ${METADATA}`);
  if (sizeOf(shape) !== data.length)
    throw new RangeError(
      `${path}: tensor ${quote(name)}: expected ${sizeOf(shape)} values for shape [${shape.join(', ')}], got ${data.length}`,
    );
  if (data instanceof Float32Array) return dtype;
  return data instanceof Int32Array ? 'I32' : 'U8';
}

/** Padded with spaces, so that the data starts at a multiple of 8 bytes. */
function encodeHeader(path: string, fields: Record<string, unknown>): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(fields));
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES)
    throw new RangeError(
      `${path}: expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`,
    );
  const out = new Uint8Array(8 + length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  return out;
}

function encode(where: string, data: HostTensor['data'], dtype: StoredType): Uint8Array {
  if (!(data instanceof Float32Array) || dtype !== 'F16')
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const halves = encodeHalf(data);
  for (let i = 0; i < halves.length; i++)
    if ((halves[i]! & 0x7fff) === 0x7c00 && Number.isFinite(data[i]))
      throw new RangeError(
        `${where}: expected values that F16 can hold (up to 65504), got ${data[i]}; write it as F32`,
      );
  return new Uint8Array(halves.buffer);
}
