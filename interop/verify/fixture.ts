/**
 * Reference fixtures: numbers that published code computed, as a JSON file (what was run, with which
 * configuration, how exact its numbers are) and the safetensors files that it names.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { checkSchema } from '../../schema.ts';
import type { HostTensor } from '../../tensor/program.ts';
import { openSafetensors } from '../../tensor/safetensors.ts';

const Description = Type.Object({
  system: Type.String(),
  name: Type.String(),
  files: Type.Array(Type.String(), { minItems: 1 }),
  config: Type.Record(Type.String(), Type.Unknown()),
  /** The calls in the published code, in its own words. */
  call: Type.String({ default: '' }),
  precision: Type.Record(
    Type.String(),
    Type.Object({
      integer: Type.Optional(Type.Boolean()),
      suggested_atol: Type.Optional(Type.Number()),
      max_abs_diff_f32_f64: Type.Optional(Type.Number()),
    }),
  ),
});

/** Values of any stored type without loss. */
export type FixtureTensor = { readonly data: Float64Array; readonly shape: readonly number[] };
export type Fixture = Readonly<Static<typeof Description>> & {
  readonly tensors: Readonly<Record<string, FixtureTensor>>;
};

export async function readFixture(path: string): Promise<Fixture> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`${path}: expected a fixture's JSON file, got one that cannot be read`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${path}: expected JSON, got ${(error as Error).message}`);
  }
  const description = checkSchema(Description, value, path);
  const tensors: Record<string, FixtureTensor> = {};
  for (const name of description.files) {
    const file = await openSafetensors(join(dirname(path), basename(name)));
    try {
      for (const [tensor, { shape }] of file.entries)
        tensors[tensor] = { data: await file.readFloat64(tensor), shape };
    } finally {
      await file.close();
    }
  }
  return { ...description, tensors };
}

/** The names of the outputs, without 'out/': those described and those stored. */
export function outputsOf({ precision, tensors }: Fixture): string[] {
  const names = [...Object.keys(tensors), ...Object.keys(precision)]
    .filter((name) => name.startsWith('out/'))
    .map((name) => name.slice(4));
  return [...new Set(names)];
}

export function tensorOf(fixture: Fixture, name: string): FixtureTensor {
  const tensor = fixture.tensors[name];
  if (!tensor)
    throw new RangeError(
      `${fixture.system}/${fixture.name}: expected a tensor '${name}' in its files, got none`,
    );
  return tensor;
}

export const shapeOf = (fixture: Fixture, name: string): readonly number[] =>
  tensorOf(fixture, name).shape;

/** An input or weight, which are float32 in the published code. */
export const floatsOf = (fixture: Fixture, name: string): Float32Array =>
  Float32Array.from(tensorOf(fixture, name).data);

export function hostOf(fixture: Fixture, name: string): HostTensor {
  return { data: floatsOf(fixture, name), shape: shapeOf(fixture, name) };
}

export const numbersOf = (fixture: Fixture, name: string): number[] =>
  Array.from(tensorOf(fixture, name).data);

/** A number that only the call states, such as `cfg_scale=4.0`. */
export function saidIn({ call }: Fixture, pattern: RegExp, otherwise: number): number {
  const found = pattern.exec(call)?.[1];
  return found === undefined ? otherwise : Number(found);
}
