/** Imports point down only, and packages stay in their rooms (docs/architecture.md has the table). */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** What each folder, or file of the root, may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  tensor: [],
  version: [],
  schema: ['tensor'],
  png: ['tensor'],
  prompt: ['tensor'],
  request: ['prompt', 'schema'],
  doctor: ['tensor', 'png', 'version'],
  'method-text': [],
  'one-turn': [],
  'folder-lock': [],
  encoders: ['tensor', 'method-text'],
  generators: ['tensor', 'encoders', 'schema'],
  sampling: ['tensor'],
  training: [
    ...['tensor', 'encoders', 'generators', 'sampling', 'png', 'schema', 'version'],
    'folder-lock',
  ],
  pipelines: [
    'tensor',
    'encoders',
    'generators',
    'sampling',
    'request',
    'prompt',
    'png',
    'schema',
    'version',
    'one-turn',
  ],
  evaluation: [
    ...['tensor', 'encoders', 'generators', 'sampling', 'training', 'pipelines', 'request'],
    ...['prompt', 'png', 'schema', 'version'],
  ],
  interop: [
    'tensor',
    'encoders',
    'generators',
    'sampling',
    'training',
    'evaluation',
    'schema',
    'version',
  ],
  jobs: ['request', 'prompt', 'png', 'schema', 'one-turn', 'folder-lock'],
  workers: [
    ...['tensor', 'encoders', 'generators', 'sampling', 'training', 'pipelines', 'evaluation'],
    ...['jobs', 'request', 'prompt', 'png', 'schema', 'version'],
  ],
  web: ['request', 'prompt', 'method-text', 'jobs', 'png', 'schema', 'version'],
};
/** The two that join everything. */
const TOP = ['index', 'cli'];

/** Where a package may be imported; a package without an entry may be imported anywhere. */
const ROOMS: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@tensorflow\//, rooms: ['tensor/tf.ts'] },
  { name: /^onnxruntime-node$/, rooms: ['tensor/engines/', 'encoders/features/'] },
  { name: /^(@dicebear\/|@iconify-json\/|unicode-emoji-json)/, rooms: ['training/data/'] },
  { name: /^nsfwjs/, rooms: ['encoders/features/'] },
  { name: /^sharp$/, rooms: ['png.ts', 'training/data/'] },
  { name: /^(bullmq|ioredis|pg|@electric-sql\/.*|@aws-sdk\/.*)$/, rooms: ['jobs/'] },
  { name: /^(fastify|@fastify\/.*)$/, rooms: ['web/'] },
  { name: /^commander$/, rooms: ['cli.ts', 'cli/'] },
  { name: /^(preact|@preact|@tanstack|uplot)(\/|$)/, rooms: ['web/ui/'] },
];

type Import = { readonly file: string; readonly target: string };

const WITHOUT_COMMENTS = /\/\*[\s\S]*?\*\/|(^|\s)\/\/[^\n]*/g;
const STATEMENT =
  /(?:\bimport|\bexport)\s+(?:type\s+)?(?:[\w*$\s{},]*?\sfrom\s*)?(['"])([^'"\n]+)\1|\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\3/g;

/** Every import of a source text: static, type-only, re-exported and dynamic, in either quotes. */
function importsIn(source: string): string[] {
  const code = source.replace(WITHOUT_COMMENTS, '$1');
  return [...code.matchAll(STATEMENT)].map((found) => (found[2] ?? found[4])!);
}

/** The folder, or the file of the root with its parts: png-chunks.ts belongs to png.ts. */
function roomOf(path: string): string {
  const top = path.split('/')[0]!.replace(/\.ts$/, '');
  return top in MAY_IMPORT ? top : top.replace(/-\w+$/, '');
}

/** Why an import is not allowed, or undefined. */
function objection({ file, target }: Import): string | undefined {
  const from = roomOf(file);
  if (!target.startsWith('.')) {
    const pinned = ROOMS.find(({ name }) => name.test(target));
    const allowed = pinned?.rooms.some((room) =>
      room.endsWith('/') ? file.startsWith(room) : file === room,
    );
    return pinned && !allowed ? `${file} imports the package ${target}` : undefined;
  }
  const to = roomOf(normalize(join(dirname(file), target)));
  if (from === to || TOP.includes(from)) return undefined;
  const may = MAY_IMPORT[from];
  if (!may) return `${file}: the folder '${from}' is not in the table`;
  return may.includes(to) ? undefined : `${file} imports ${to}`;
}

const ELSEWHERE = ['node_modules', 'test', 'bench', 'examples', 'dist', 'models', 'docs', 'runs'];

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith('.') || (folder === ROOT && ELSEWHERE.includes(name))) return [];
    if (statSync(path).isDirectory()) return sourcesUnder(path);
    return /\.(ts|tsx|mts)$/.test(name) && name !== 'vitest.config.ts' ? [path] : [];
  });
}

const files = sourcesUnder(ROOT).map((path) => relative(ROOT, path));
const imports: Import[] = files.flatMap((file) =>
  importsIn(readFileSync(join(ROOT, file), 'utf8')).map((target) => ({ file, target })),
);

describe('layers', () => {
  it('saw the sources and their imports', () => {
    expect(files).toContain('tensor/tf.ts');
    expect(imports.length).toBeGreaterThan(files.length);
    for (const folder of ['tensor', 'encoders', 'generators', 'sampling', 'training']) {
      expect(
        imports.some(({ file }) => file.startsWith(`${folder}/`)),
        folder,
      ).toBe(true);
    }
    const downward = imports.filter(({ file, target }) => {
      return file.startsWith('generators/') && target.includes('tensor/');
    });
    expect(downward.length).toBeGreaterThan(0);
  });

  it('point down only, and packages stay in their rooms', () => {
    expect(imports.map(objection).filter((found) => found !== undefined)).toEqual([]);
  });

  it('is a table without circles', () => {
    const below = (room: string, path: string[] = []): void => {
      expect(path, `${[...path, room].join(' -> ')}`).not.toContain(room);
      for (const next of MAY_IMPORT[room] ?? []) below(next, [...path, room]);
    };
    for (const room of Object.keys(MAY_IMPORT)) below(room);
  });
});

describe('the rule itself', () => {
  it('reads every form of import', () => {
    const source = `
      import a from './a.ts'; import { b } from "./b.ts";
      import type { C } from './c.ts';
      import './d.ts'; import "./e.ts";
      export { f } from './f.ts'; export * from "./g.ts"; export type { H } from './h.ts';
      import {
        i,
        type J,
      } from './i.ts';
      import * as k from 'k-package';
      const l = await import('./l.ts'); const m = import("./m.ts");
      const n = require('n-package');
      // import o from './o.ts';
      /* import p from './p.ts'; */
      const url = 'https://example.com'; const text = "import";
    `;
    expect(importsIn(source)).toEqual(
      [...'abcdefghi']
        .map((name) => `./${name}.ts`)
        .concat('k-package', './l.ts', './m.ts', 'n-package'),
    );
  });

  it('reports planted imports that point up or leave their room', () => {
    const planted: [string, string, string | undefined][] = [
      ['tensor/ops/norm.ts', '../../generators/dit.ts', 'tensor/ops/norm.ts imports generators'],
      [
        'sampling/diffusion/ddim.ts',
        '../../encoders/a.ts',
        'sampling/diffusion/ddim.ts imports encoders',
      ],
      ['web/server.ts', '../pipelines/render.ts', 'web/server.ts imports pipelines'],
      ['png.ts', './generators/dit.ts', 'png.ts imports generators'],
      ['tensor/rng.ts', '@tensorflow/tfjs', 'tensor/rng.ts imports the package @tensorflow/tfjs'],
      [
        'generators/dit.ts',
        'onnxruntime-node',
        'generators/dit.ts imports the package onnxruntime-node',
      ],
      ['attic/old.ts', '../tensor/tf.ts', "attic/old.ts: the folder 'attic' is not in the table"],
      ['generators/dit.ts', '../tensor/tf.ts', undefined],
      ['cli.ts', './web/server.ts', undefined],
      ['tensor/tf.ts', '@tensorflow/tfjs', undefined],
      ['training/data/avatars.ts', 'sharp', undefined],
    ];
    for (const [file, target, expected] of planted) {
      expect(objection({ file, target }), `${file} ${target}`).toBe(expected);
    }
  });

  it('knows packages by their names, not the built-in modules', () => {
    const packages = new Set(
      imports
        .map(({ target }) => target)
        .filter((target) => !target.startsWith('.') && !target.startsWith('node:')),
    );
    expect([...packages].filter((name) => builtinModules.includes(name))).toEqual([]);
  });
});
