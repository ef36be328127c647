/**
 * Holds our networks, schedules, solvers, losses and gradients to reference outputs of the published
 * code. Nothing is passed over: a fixture without an adapter, an output that its adapter does not
 * compute, and a file that is no fixture are all failures.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../tensor/program.ts';
import { ADAPTERS, type Adapters } from './adapter.ts';
import { compare } from './compare.ts';
import { type Fixture, outputsOf, readFixture } from './fixture.ts';

export type VerifyOptions = {
  readonly engine: Engine;
  /** Receives one line an output. */
  readonly say?: (line: string) => void;
  readonly adapters?: Adapters;
};
export type VerifyResult = { readonly passed: number; readonly failed: number };

/** A folder of systems, of one system's fixtures, or one fixture's JSON file. */
export async function verifyPath(path: string, options: VerifyOptions): Promise<VerifyResult> {
  const files = await fixtureFiles(path);
  if (files.length === 0)
    throw new Error(`verify: expected fixtures (JSON files) in '${path}', got none`);
  const total = { passed: 0, failed: 0 };
  for (const file of files) {
    const { passed, failed } = await verifyFile(file, options);
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

async function fixtureFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => {
    throw new Error(`verify: expected a folder or a fixture's JSON file, got '${path}'`);
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const lists = entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(async (entry) => {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) return fixtureFiles(inside);
      return entry.name.endsWith('.json') ? [inside] : [];
    });
  return (await Promise.all(lists)).flat();
}

async function verifyFile(file: string, options: VerifyOptions): Promise<VerifyResult> {
  let fixture: Fixture;
  try {
    fixture = await readFixture(file);
  } catch (error) {
    options.say?.(`FAIL  ${(error as Error).message}`);
    return { passed: 0, failed: 1 };
  }
  return verifyFixture(fixture, options);
}

export async function verifyFixture(
  fixture: Fixture,
  { engine, say = () => {}, adapters = ADAPTERS }: VerifyOptions,
): Promise<VerifyResult> {
  const title = `${fixture.system}/${fixture.name}`;
  const fail = (reason: string): VerifyResult => {
    say(`FAIL  ${title}: ${reason}`);
    return { passed: 0, failed: 1 };
  };
  const compute = Object.hasOwn(adapters, fixture.system)
    ? adapters[fixture.system]![fixture.name]
    : undefined;
  if (!compute) return fail('there is no adapter for it');
  const names = outputsOf(fixture);
  if (names.length === 0) return fail('it has no outputs');
  let computed: Awaited<ReturnType<typeof compute>>;
  try {
    computed = await compute(fixture, engine);
  } catch (error) {
    return fail((error as Error).message);
  }
  const passes = names.map((name) => {
    const { pass, words } = judge(fixture, name, computed[name]);
    say(`${pass ? 'pass' : 'FAIL'}  ${title}: ${name}  ${words}`);
    return pass;
  });
  const passed = passes.filter((pass) => pass).length;
  return { passed, failed: passes.length - passed };
}

function judge(
  fixture: Fixture,
  name: string,
  computed: ArrayLike<number> | undefined,
): { pass: boolean; words: string } {
  if (!computed) return { pass: false, words: 'the adapter does not compute it' };
  const expected = fixture.tensors[`out/${name}`];
  if (!expected) return { pass: false, words: 'the files do not hold it' };
  if (computed.length !== expected.data.length) {
    const words = `expected ${expected.data.length} values, got ${computed.length}`;
    return { pass: false, words };
  }
  const { pass, difference, tolerance, against } = compare(computed, fixture, name);
  const from = against === 'float64' ? ' from float64' : '';
  const words = `difference ${difference.toExponential(2)}${from}, tolerance ${tolerance.toExponential(2)}`;
  return { pass, words };
}
