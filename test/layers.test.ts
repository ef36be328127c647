/** Imports point down only, and some packages have a room of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the files of a folder, or a file beside package.json, may import. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  version: [],
  'png-chunks': [],
  png: ['png-chunks'],
  tensor: [],
  schema: ['tensor'],
  'prompt-words': [],
  prompt: ['tensor', 'prompt-words'],
  request: ['schema'],
  encoders: ['tensor'],
  generators: ['tensor', 'encoders', 'schema'],
  sampling: ['tensor'],
  training: ['tensor', 'encoders', 'generators', 'sampling', 'png', 'schema'],
  pipelines: [
    ...['tensor', 'encoders', 'generators', 'sampling'],
    ...['request', 'png', 'prompt', 'schema', 'version'],
  ],
  evaluation: [
    ...['tensor', 'encoders', 'generators', 'sampling', 'training', 'pipelines'],
    ...['request', 'png', 'schema', 'version'],
  ],
  interop: [
    ...['tensor', 'encoders', 'generators', 'sampling', 'training', 'evaluation'],
    ...['png', 'schema'],
  ],
  doctor: ['tensor', 'png'],
};
/** These may import everything. */
const tops = new Set(['cli', 'index', 'test', 'bench', 'examples', 'vitest.config']);

/** Packages, and the only places that may import them. */
const rooms: readonly [RegExp, RegExp][] = [
  [/^@tensorflow\//, /^tensor\/tf\.ts$/],
  [/^onnxruntime/, /^(tensor\/engines|encoders\/features)\//],
  [/^@dicebear\//, /^training\/data\//],
  [/^(@iconify-json\/|unicode-emoji-json)/, /^training\/data\//],
  [/^sharp$/, /^(png\.ts|training\/data\/.*)$/],
  [/^commander$/, /^cli\//],
  [/^(bullmq|ioredis|pg|@electric-sql\/)/, /^jobs\//],
  [/^fastify/, /^web\//],
];

/** Targets of imports, exports from elsewhere and dynamic imports, in both quote styles. */
function importsOf(source: string): string[] {
  const statement =
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"]+)\1|^\s*import\s*(['"])([^'"]+)\3|\bimport\s*\(\s*(['"])([^'"]+)\5/gm;
  return [...source.matchAll(statement)].map((match) => match[2] ?? match[4] ?? match[6]!);
}

const roomOf = (path: string): string => path.split('/')[0]!.replace(/\.ts$/, '');

/** What is wrong with a file's imports. */
function problemsOf(file: string, source: string): string[] {
  const room = roomOf(file);
  return importsOf(source).flatMap((target) => {
    if (!target.startsWith('.')) {
      const rule = rooms.find(([name]) => name.test(target));
      const misplaced = rule && !tops.has(room) && !rule[1].test(file);
      return misplaced ? [`${file} imports ${target}`] : [];
    }
    const path = normalize(join(dirname(file), target));
    const other = roomOf(path);
    if (other === room || tops.has(room)) return [];
    if (allowed[room]?.includes(other)) return [];
    return [`${file} imports ${path}`];
  });
}

const ignored = new Set(['node_modules', 'dist', 'runs', 'cache', 'out', 'data', 'models']);
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) => !ignored.has(path.split('/')[0]!) && !path.startsWith('.'));

test('imports point down only', () => {
  const sources = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);
  expect(sources.flatMap(([file, source]) => problemsOf(file, source))).toEqual([]);
  expect(sources.flatMap(([, source]) => importsOf(source)).length).toBeGreaterThan(300);
  for (const file of files)
    expect(tops.has(roomOf(file)) || roomOf(file) in allowed, file).toBe(true);
});

test.each([
  ['tensor/rng.ts', "import { noise } from '../sampling/noise.ts';"],
  ['tensor/rng.ts', 'import {\n  type Size,\n  noise,\n} from "../sampling/noise.ts";'],
  ['sampling/noise.ts', "import type { DiTConfig } from '../generators/dit-config.ts';"],
  ['encoders/positions/grid.ts', "export { sample } from '../../sampling/diffusion/driver.ts';"],
  ['generators/dit.ts', "const { train } = await import('../training/run.ts');"],
  ['training/run.ts', "import '../cli/program.ts';"],
  ['generators/dit.ts', "import * as tf from '@tensorflow/tfjs';"],
  ['pipelines/diffusion.ts', 'import sharp from "sharp";'],
])('%s: a planted import is reported: %s', (file, source) => {
  expect(problemsOf(file, source)).toHaveLength(1);
});
