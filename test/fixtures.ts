/** Reads the reference fixtures (numbers computed by published code) and holds results to their tolerances. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { largestDifference } from './close.ts';

const ROOT = new URL('../../shared/fixtures/', import.meta.url);

export type FixtureArray = Float32Array | Float64Array | Int32Array | Uint8Array;
export type FixtureTensor = { readonly data: FixtureArray; readonly shape: readonly number[] };
export type Precision = {
  readonly integer?: boolean;
  readonly suggested_atol?: number;
};
export type Fixture = {
  readonly json: {
    readonly files: readonly string[];
    // Every system has a config of its own; tests know which fields theirs has.
    // biome-ignore lint/suspicious/noExplicitAny: untyped JSON
    readonly config: Record<string, any>;
    readonly precision: Readonly<Record<string, Precision>>;
  };
  readonly tensors: Readonly<Record<string, FixtureTensor>>;
};

const ARRAYS = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array } as const;
type Entry = { dtype: keyof typeof ARRAYS; shape: number[]; data_offsets: [number, number] };

function readTensors(url: URL): Record<string, FixtureTensor> {
  const bytes = readFileSync(url);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header: Record<string, Entry> = JSON.parse(bytes.toString('utf8', 8, start));
  const tensors: Record<string, FixtureTensor> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [from, to] = entry.data_offsets;
    const own = new Uint8Array(bytes.subarray(start + from, start + to)).buffer;
    tensors[name] = { data: new ARRAYS[entry.dtype](own), shape: entry.shape };
  }
  return tensors;
}

/** A fixture by system and name, all its files merged. */
export function loadFixture(system: string, name: string, set = 'a'): Fixture {
  const folder = new URL(`${set}/${system}/`, ROOT);
  const json = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  const files: string[] = json.files ?? [`${name}.safetensors`];
  const parts = files.map((file) => readTensors(new URL(file.split('/').at(-1)!, folder)));
  return { json, tensors: Object.assign({}, ...parts) };
}

/** The names of a fixture's outputs, as 'out/...'. */
export function outputsOf(fixture: Fixture): string[] {
  return Object.keys(fixture.tensors).filter((name) => name.startsWith('out/'));
}

/** A fixture's tensor as float32 (inputs and weights are stored so). */
export function tensorOf(fixture: Fixture, name: string): Float32Array {
  const tensor = fixture.tensors[name];
  if (!tensor) throw new Error(`tensorOf: the fixture has no ${name}`);
  return Float32Array.from(tensor.data);
}

/**
 * Passes within the fixture's own tolerance of the float32 output, or when the error against the float64 output is at
 * most 4 times the published code's own float32 error. Integers must be equal.
 */
export function expectFixture(actual: ArrayLike<number>, fixture: Fixture, name: string): void {
  const expected = fixture.tensors[name];
  if (!expected) throw new Error(`expectFixture: the fixture has no ${name}`);
  const precision = fixture.json.precision[name] ?? {};
  const off = largestDifference(actual, expected.data);
  const atol = precision.integer ? 0 : (precision.suggested_atol ?? 0);
  if (off <= atol) return;
  const exact = fixture.tensors[name.replace(/^out\//, 'out64/')];
  if (exact && !precision.integer) {
    const allowed = 4 * largestDifference(expected.data, exact.data);
    if (largestDifference(actual, exact.data) <= allowed) return;
  }
  expect.fail(`${name}: differs by ${off}, tolerance ${atol}`);
}
