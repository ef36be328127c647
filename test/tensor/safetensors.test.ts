import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { HostTensors } from '../../tensor/program.ts';
import {
  checkTensors,
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../tensor/safetensors.ts';
import { findDuplicateKey } from '../../tensor/safetensors-header.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const path = (name = 'a.safetensors') => join(folder, name);

/** A file of a header (object or raw text) and data bytes; `length` lies about the header if given. */
async function makeFile(header: unknown, data: Uint8Array | number = 0, length?: bigint) {
  const json = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = Buffer.from(json, 'utf8');
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(length ?? BigInt(bytes.length));
  const body = typeof data === 'number' ? Buffer.alloc(data) : data;
  await writeFile(path('made.safetensors'), Buffer.concat([first, bytes, body]));
  return path('made.safetensors');
}

const f32 = (shape: number[], start: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

describe('writing and reading', () => {
  const name = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('__proto__', '7', 'constructor', '"\\', 'größe.weight'),
  );
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
  const tensor = fc.tuple(shape, fc.constantFrom('f', 'i', 'u')).chain(([sides, kind]) => {
    const length = sides.reduce((product, side) => product * side, 1);
    const values = { minLength: length, maxLength: length };
    const data =
      kind === 'f'
        ? fc.float32Array(values)
        : kind === 'i'
          ? fc.int32Array(values)
          : fc.uint8Array(values);
    return data.map((array) => ({ data: array, shape: sides }));
  });

  test('gives back any tensors and metadata', async () => {
    const tensors = fc.uniqueArray(fc.tuple(name, tensor), {
      selector: ([key]) => key,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        tensors,
        fc.dictionary(fc.string(), fc.string()),
        async (pairs, metadata) => {
          const written: HostTensors = Object.fromEntries(pairs);
          await writeSafetensors(path(), written, { metadata });
          const read = await readSafetensors(path());
          expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
          expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(written).sort());
          for (const [key, { data, shape }] of pairs) {
            const got = Object.entries(read.tensors).find(([other]) => other === key)![1];
            expect(got.shape).toEqual(shape);
            expect(got.data.constructor).toBe(data.constructor);
            expect(Buffer.from(got.data.buffer)).toEqual(
              Buffer.from(data.buffer, data.byteOffset, data.byteLength),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the same tensors make the same bytes, in whatever order they are given', async () => {
    const a = { data: Float32Array.of(1), shape: [1] };
    const b = { data: Uint8Array.of(1, 2, 3), shape: [3] };
    await writeSafetensors(path('1'), { a, b, c: a });
    await writeSafetensors(path('2'), { c: a, b, a });
    expect(readFileSync(path('1'))).toEqual(readFileSync(path('2')));
    await writeSafetensors(path('2'), { c: a, b, a: { ...a, shape: [1, 1] } });
    expect(readFileSync(path('1'))).not.toEqual(readFileSync(path('2')));
  });

  test('starts data at a multiple of 8 bytes and wide types first', async () => {
    const b = { data: Uint8Array.of(1), shape: [] };
    await writeSafetensors(path(), { b, a: { data: Float32Array.of(1, 2), shape: [2] } });
    const file = await openSafetensors(path());
    await file.close();
    expect([...file.entries.keys()]).toEqual(['a', 'b']);
    expect(file.entries.get('a')!.start % 8).toBe(0);
  });

  test('F16 halves the data, rounds, and refuses what does not fit', async () => {
    const data = Float32Array.of(1, -2.5, 1.0009765625, Number.POSITIVE_INFINITY, 1e-8);
    await writeSafetensors(path(), { a: { data, shape: [5] } }, { dtype: 'F16' });
    const { tensors, dtypes } = await readSafetensors(path());
    expect(dtypes).toEqual({ a: 'F16' });
    expect([...tensors.a!.data]).toEqual([1, -2.5, 1.0009765625, Number.POSITIVE_INFINITY, 0]);
    const large = { a: { data: Float32Array.of(1, 70000), shape: [2] } };
    await expect(writeSafetensors(path(), large, { dtype: 'F16' })).rejects.toThrow(
      /tensor "a": expected values that F16 can hold \(up to 65504\), got 70000; write it as F32$/,
    );
    expect((await readSafetensors(path())).tensors.a!.data).toHaveLength(5);
  });

  test('writes only the part of a buffer that a view shows', async () => {
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(path(), { view: { data: view, shape: [2] } });
    expect([...(await readSafetensors(path())).tensors.view!.data]).toEqual([2, 3]);
  });

  test('refuses a tensor whose shape and length disagree', async () => {
    const wrong = { a: { data: new Float32Array(3), shape: [2, 2] } };
    await expect(writeSafetensors(path(), wrong)).rejects.toThrow(
      /tensor "a": expected 4 values for shape \[2, 2\], got 3$/,
    );
  });
});

describe('types of the format', () => {
  const read = async (dtype: string, bytes: ArrayBufferView, shape: number[]) => {
    const data = new Uint8Array(bytes.buffer);
    const file = await makeFile({ x: { dtype, shape, data_offsets: [0, data.length] } }, data);
    return (await readSafetensors(file)).tensors.x!.data;
  };

  test.each([
    ['F64', Float64Array.of(0.1, -3), Float32Array.of(0.1, -3)],
    ['F32', Float32Array.of(0.1, -3), Float32Array.of(0.1, -3)],
    ['F16', Uint16Array.of(0x3c00, 0xc000), Float32Array.of(1, -2)],
    ['BF16', Uint16Array.of(0x3f80, 0xc000), Float32Array.of(1, -2)],
    ['I64', BigInt64Array.of(5n, -(2n ** 31n)), Int32Array.of(5, -(2 ** 31))],
    ['I32', Int32Array.of(5, -6), Int32Array.of(5, -6)],
    ['U8', Uint8Array.of(5, 255), Uint8Array.of(5, 255)],
    ['BOOL', Uint8Array.of(1, 0), Uint8Array.of(1, 0)],
  ])('%s', async (dtype, stored, expected) => {
    expect(await read(dtype, stored, [2])).toEqual(expected);
  });

  test('an I64 beyond 32 bits is an error, not another number', async () => {
    await expect(read('I64', BigInt64Array.of(2n ** 31n), [1])).rejects.toThrow(
      /tensor "x": expected I64 values of 32 bits, got 2147483648$/,
    );
  });

  test('F64 can be had without loss', async () => {
    const data = new Uint8Array(Float64Array.of(0.1).buffer);
    const made = await makeFile({ x: { dtype: 'F64', shape: [], data_offsets: [0, 8] } }, data);
    const file = await openSafetensors(made);
    expect([...(await file.readFloat64('x'))]).toEqual([0.1]);
    await expect(file.read('y')).rejects.toThrow(/expected a tensor "y", got none of that name/);
    await file.close();
  });
});

describe('files that must be refused', () => {
  const entry = f32([2], 0, 8);
  const cases: [string, unknown, number, RegExp, bigint?][] = [
    [
      'a header longer than 100 MB',
      {},
      0,
      /at most 100000000 bytes, got one that says 100000001/,
      100_000_001n,
    ],
    ['a header of 2^64 - 1 bytes', {}, 0, /at most 100000000 bytes/, 2n ** 64n - 1n],
    [
      'a header longer than the file',
      { x: entry },
      8,
      /expected a header of 1000 bytes, got a file of/,
      1000n,
    ],
    ['a header cut short', { x: entry }, 8, /expected a header of JSON in UTF-8/, 20n],
    ['an empty header', '', 0, /starts with \{, got ""/],
    ['a header that starts with a space', ' {}', 0, /starts with \{, got " \{\}"/],
    ['a header that is an array', '[]', 0, /starts with \{/],
    ['junk after the JSON', '{}x', 0, /JSON in UTF-8/],
    [
      'truncated data',
      { x: entry },
      7,
      /expected a file of \d+ bytes by its header, got \d+; it is truncated$/,
    ],
    ['bytes after the data', { x: entry }, 9, /bytes that no tensor owns follow$/],
    ['data but no tensors', {}, 4, /bytes that no tensor owns follow$/],
    [
      'the same range twice',
      { x: entry, y: entry },
      8,
      /tensor "y": expected its data at byte 8, got 0: it overlaps/,
    ],
    ['ranges that overlap', { x: entry, y: f32([2], 4, 12) }, 12, /it overlaps the one before$/],
    ['a hole between tensors', { x: entry, y: f32([2], 9, 17) }, 17, /it leaves a hole before it$/],
    ['a hole before the first', { x: f32([2], 4, 12) }, 12, /at byte 0, got 4: it leaves a hole/],
    [
      'a range that ends before it starts',
      { x: f32([2], 8, 0) },
      8,
      /data_offsets \[start, end\], got \[8,0\]$/,
    ],
    ['a range out of the file', { x: f32([2 ** 40], 0, 2 ** 42) }, 8, /it is truncated$/],
    ['negative offsets', { x: f32([2], -8, 0) }, 8, /data_offsets/],
    ['offsets that are not whole', { x: f32([2], 0.5, 8.5) }, 8, /data_offsets/],
    ['three offsets', { x: { ...entry, data_offsets: [0, 4, 8] } }, 8, /data_offsets/],
    [
      'a range of another size than the shape',
      { x: f32([3], 0, 8) },
      8,
      /expected 12 bytes for F32 \[3\], got 8$/,
    ],
    [
      'a shape whose product overflows',
      { x: f32([2 ** 40, 2 ** 40], 0, 8) },
      8,
      /expected fewer than 2\^53 bytes/,
    ],
    [
      'an overflow hidden by a zero',
      { x: f32([2 ** 52, 2 ** 52, 0], 0, 0) },
      0,
      /expected fewer than 2\^53 bytes/,
    ],
    ['a negative side', { x: f32([-2, -1], 0, 8) }, 8, /shape as whole numbers, got \[-2,-1\]$/],
    [
      'a side that is no number',
      { x: { ...entry, shape: ['2'] } },
      8,
      /shape as whole numbers, got \["2"\]$/,
    ],
    [
      'no shape',
      { x: { dtype: 'F32', data_offsets: [0, 8] } },
      8,
      /shape as whole numbers, got nothing$/,
    ],
    [
      'an unknown type',
      { x: { ...entry, dtype: 'F8_E4M3' } },
      8,
      /dtype one of F64, .*, got "F8_E4M3"$/,
    ],
    ['a type from the prototype', { x: { ...entry, dtype: 'toString' } }, 8, /got "toString"$/],
    [
      'a tensor that is null',
      { x: null },
      0,
      /tensor "x": expected dtype, shape and data_offsets, got null$/,
    ],
    [
      'metadata that is not text',
      { __metadata__: { a: 1 } },
      0,
      /__metadata__ to map names to strings, got \{"a":1\}$/,
    ],
    [
      'a name twice',
      `{"x":${JSON.stringify(entry)},"x":${JSON.stringify(entry)}}`,
      8,
      /each name once .* got "x" twice$/,
    ],
    [
      'a name twice, once escaped',
      `{"x":${JSON.stringify(entry)},"\\u0078" :${JSON.stringify(entry)}}`,
      8,
      /got "x" twice$/,
    ],
    [
      'a shape twice',
      '{"x":{"dtype":"U8","shape":[9],"shape":[1],"data_offsets":[0,1]}}',
      1,
      /got "shape" twice$/,
    ],
    ['metadata with a key twice', '{"__metadata__":{"a":"1","a":"2"}}', 0, /got "a" twice$/],
  ];

  test.each(cases)('%s', async (_, header, data, message, length) => {
    const file = await makeFile(header, data, length);
    const error = await readSafetensors(file).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).message.startsWith(file)).toBe(true);
  });

  test('names cannot write to a terminal', async () => {
    const file = await makeFile({ '\u001b[2J\nx': { dtype: 'F99' } });
    await expect(readSafetensors(file)).rejects.toThrow(/tensor "\\u001b\[2J\\nx"/);
  });

  test('bytes that are not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from('{\xff}', 'latin1'),
    ]);
    await writeFile(path('latin'), bytes);
    await expect(readSafetensors(path('latin'))).rejects.toThrow(/JSON in UTF-8/);
  });

  test.each([0, 1, 7])('a file of %d bytes', async (size) => {
    await writeFile(path('short'), Buffer.alloc(size));
    await expect(readSafetensors(path('short'))).rejects.toThrow(
      `expected a safetensors file of at least 8 bytes, got ${size}`,
    );
  });

  test('a file that is not there, and a folder', async () => {
    await expect(readSafetensors(path('nowhere'))).rejects.toThrow(
      /nowhere: expected .* got ENOENT$/,
    );
    await expect(readSafetensors(folder)).rejects.toThrow(/got a folder or device$/);
  });

  test('a hundred thousand tensors that share one range, quickly', async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => [
      `weight_${i}`,
      f32([200, 200], 0, 160_000),
    ]);
    const file = await makeFile(Object.fromEntries(names), 160_000);
    await expect(readSafetensors(file)).rejects.toThrow(/overlaps/);
  });

  test('any damaged byte or cut gives a sentence or other numbers, never a crash', async () => {
    const tensors = {
      a: { data: Float32Array.of(1, 2), shape: [2] },
      b: { data: Uint8Array.of(3), shape: [1] },
    };
    await writeSafetensors(path(), tensors, { metadata: { k: 'v' } });
    const whole = await readFile(path());
    const at = fc.integer({ min: 0, max: whole.length - 1 });
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 0, max: 255 }), fc.boolean(), async (i, byte, cut) => {
        const bytes = Buffer.from(cut ? whole.subarray(0, i) : whole);
        if (!cut) bytes[i] = byte;
        await writeFile(path('damaged'), bytes);
        const result = await readSafetensors(path('damaged')).catch((e: Error) => e);
        if (cut) expect(result).toBeInstanceOf(Error);
        if (result instanceof Error) expect(result.message.startsWith(path('damaged'))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('findDuplicateKey', () => {
  test('looks at keys only, object by object', () => {
    expect(findDuplicateKey('{"a":"a","b":["b","b",{"a":1}],"c":{"a":"a:"}}')).toBeUndefined();
    expect(findDuplicateKey('{"a":1,"b":{"c":1,"c":2}}')).toBe('c');
    expect(findDuplicateKey('{"\\\\":1,"\\\\" : 2}')).toBe('\\');
    expect(findDuplicateKey('{"a\\"b":1,"a":2}')).toBeUndefined();
  });

  test('agrees with JSON.stringify, which never repeats one', () => {
    fc.assert(fc.property(fc.json(), (json) => findDuplicateKey(json) === undefined));
  });

  test('takes a string of 20 MB', () => {
    expect(findDuplicateKey(`{"a":"${'\\"'.repeat(10_000_000)}"}`)).toBeUndefined();
  });
});

describe('a write that fails', () => {
  const before = { a: { data: Float32Array.of(1, 2, 3), shape: [3] } };
  const after = { a: { data: new Float32Array(1000).fill(7), shape: [1000] } };

  /** Every file handle fails from its `calls`-th call of `method` on. */
  async function failing(method: 'write' | 'sync', code: string, calls = 0) {
    const handle = await open(path('probe'), 'w');
    const shared = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    await rm(path('probe'));
    const real = shared[method] as (...args: unknown[]) => Promise<unknown>;
    let count = 0;
    vi.spyOn(shared, method).mockImplementation(function (this: unknown, ...args: unknown[]) {
      if (count++ < calls) return real.apply(this, args) as never;
      return Promise.reject(Object.assign(new Error(code), { code })) as never;
    });
  }

  test.each([
    ['write', 0],
    ['write', 1],
    ['sync', 0],
  ] as const)(
    'full disk at %s number %d: the earlier file stays, nothing else does',
    async (method, calls) => {
      const home = path(`full-${method}-${calls}`);
      await mkdir(home);
      const target = join(home, 'model.safetensors');
      await writeSafetensors(target, before);
      await failing(method, 'ENOSPC', calls);
      await expect(writeSafetensors(target, after)).rejects.toThrow(
        `${target}: expected to write it, got ENOSPC (the disk is full); what was there is unchanged`,
      );
      vi.restoreAllMocks();
      expect(await readdir(home)).toEqual(['model.safetensors']);
      expect((await readSafetensors(target)).tensors).toEqual(before);
      await writeSafetensors(target, after); // and it works again
      expect((await readSafetensors(target)).tensors.a!.data).toHaveLength(1000);
    },
  );

  test('the device that is always full', async () => {
    if (!existsSync('/dev/full')) return;
    const full = await open('/dev/full', 'w');
    const { writeFully } = await import('../../tensor/atomic-file.ts');
    await expect(writeFully(full, new Uint8Array(10))).rejects.toThrow(/ENOSPC/);
    await full.close();
  });

  test('no such folder', async () => {
    const target = path('no/such/model.safetensors');
    await expect(writeSafetensors(target, before)).rejects.toThrow(
      `${target}: expected to write it, got ENOENT (the folder does not exist)`,
    );
  });

  test('short writes are completed', async () => {
    const handle = await open(path('probe'), 'w');
    const shared = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const real = shared.write as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(shared, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [bytes, at, length] = args as [Uint8Array, number, number];
      return real.call(this, bytes, at, Math.min(length, 100)) as never;
    });
    await writeSafetensors(path(), after);
    vi.restoreAllMocks();
    expect((await readSafetensors(path())).tensors).toEqual(after);
  });
});

describe('checkTensors', () => {
  const found = { a: { shape: [2, 3] }, b: { shape: [] } };

  test('accepts the same names and shapes', () => {
    expect(() => checkTensors(found, { b: [], a: [2, 3] })).not.toThrow();
  });

  test('names tensor and both shapes', () => {
    expect(() => checkTensors(found, { a: [3, 2], b: [] }, 'model.safetensors')).toThrow(
      /^model\.safetensors: tensor "a": expected shape \[3, 2\], got \[2, 3\]$/,
    );
    expect(() => checkTensors(found, { a: [2, 3], b: [1] })).toThrow(/shape \[1\], got \[\]/);
  });

  test('names what is missing and what is too much, in one sentence', () => {
    expect(() => checkTensors(found, { a: [2, 3], c: [], d: [], e: [], f: [] })).toThrow(
      'checkpoint: expected the model\'s 5 tensors, got one that is missing "c", "d", "e" and 1 more and has unexpected "b"',
    );
    expect(() => checkTensors({}, { toString: [] })).toThrow(/missing "toString"/);
  });
});

const fixtures = new URL('../../../shared/fixtures/a/', import.meta.url);

describe.runIf(existsSync(fixtures))('reference fixtures', () => {
  const files = existsSync(fixtures)
    ? readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
    : [];
  const tensorFiles = files.filter((file) => file.endsWith('.safetensors'));

  test('there are some', () => expect(tensorFiles.length).toBeGreaterThan(30));

  test.each(tensorFiles)('%s', async (file) => {
    const { tensors, dtypes } = await readSafetensors(new URL(file, fixtures).pathname);
    expect(Object.keys(tensors).length).toBeGreaterThan(0);
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      expect(data.length).toBe(shape.reduce((product, side) => product * side, 1));
      if (dtypes[name]!.startsWith('F')) expect(data).toBeInstanceOf(Float32Array);
    }
  });
});
