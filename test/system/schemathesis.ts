/**
 * Schemathesis against a real server: what its OpenAPI document lets through, and what it does not, is asked of
 * every operation but the stream of events; no answer may be a 5xx or outside its schema.
 *
 *     npx tsx test/system/schemathesis.ts [examples an operation] [seed]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startServer } from './ropewalk-server.ts';
import { find, PYTHON } from './servers.ts';

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

export const missingSchemathesis =
  find('schemathesis') || existsSync(join(PYTHON, 'schemathesis'))
    ? undefined
    : "schemathesis is missing: pip install 'schemathesis==4.32.5'";

/** Answer with the picture, when it is there. */
const DRAWING = ['/v1/images/generations', '/sdapi/v1/txt2img'];
/** A stream that does not end. */
const EVENTS = '/api/v1/events';

export type Asked = {
  /** `coverage` goes through the bounds of every field, `fuzzing` draws `examples` an operation. */
  readonly phases: string;
  readonly examples: number;
  readonly seed: number;
  /** Arguments that choose operations. */
  readonly paths?: readonly string[];
};
export type Fuzzed = { readonly passed: boolean; readonly said: string };

export async function fuzz(
  address: string,
  { phases, examples, seed, paths = [] }: Asked,
): Promise<Fuzzed> {
  const child = spawn(
    'python3',
    [
      ...['-m', 'schemathesis.cli', 'run', `${address}/openapi.json`],
      ...['--checks', CHECKS.join(','), ...paths],
      ...['--phases', phases, '-n', `${examples}`, '--seed', `${seed}`],
      ...['--request-timeout', '300'], // a picture of 1000 steps may be asked for
      ...['--warnings', 'off', '--no-color', '--no-shrink'],
    ],
    {
      cwd: tmpdir(),
      env: {
        ...process.env,
        PYTHONPATH: [PYTHON, process.env.PYTHONPATH ?? ''].join(delimiter),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const [code] = await once(child, 'close');
  return { passed: code === 0, said };
}

/**
 * Fuzzes a new server: without a worker what is asked at random waits, so that it costs nothing; the operations
 * whose answer is the picture are asked of one with a worker.
 */
export async function fuzzServer(asked: Omit<Asked, 'paths'>, { worker }: { worker: boolean }) {
  const data = await mkdtemp(join(tmpdir(), 'ropewalk-schemathesis-'));
  const server = await startServer(data, worker ? [] : ['--no-worker']);
  const paths = worker
    ? DRAWING.flatMap((path) => ['--include-path', path])
    : [...DRAWING, EVENTS].flatMap((path) => ['--exclude-path', path]);
  try {
    return await fuzz(server.address, { ...asked, paths });
  } finally {
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function main([examples = '100', seed = '1']: string[]): Promise<void> {
  const asked = { phases: 'coverage,fuzzing', examples: Number(examples), seed: Number(seed) };
  for (const worker of [false, true]) {
    const { passed, said } = await fuzzServer(asked, { worker });
    process.stdout.write(said);
    if (!passed) process.exitCode = 1;
  }
}
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main(process.argv.slice(2));
