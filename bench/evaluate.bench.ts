/** `evaluate resolution` as users run it: 256 pictures of the model that ships, drawn and measured at 64 px. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SAMPLES = 256;
const REFERENCE = 512;

/** Needs `npm run build` before it. */
export async function benchEvaluate(say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-bench-'));
  const seconds = (samples: number, out: string) => {
    const start = performance.now();
    execFileSync('node', commandFor({ folder, samples, out }), {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return (performance.now() - start) / 1000;
  };
  // As many drawings in all, so that the second finds them in the cache.
  const first = seconds(8, 'few');
  say(`8 pictures, with ${SAMPLES + REFERENCE} drawings made and read: ${first.toFixed(0)} s`);
  const all = seconds(SAMPLES, 'all');
  say(
    `${SAMPLES} pictures at 64 px drawn and measured to ${REFERENCE} drawings: ${all.toFixed(0)} s (wanted: under 240 s on two cores)`,
  );
  say(`the same again, all of it kept: ${seconds(SAMPLES, 'all').toFixed(0)} s`);
  await rm(folder, { recursive: true });
}

type Run = { readonly folder: string; readonly samples: number; readonly out: string };

const commandFor = ({ folder, samples, out }: Run): string[] => [
  ...[join(ROOT, 'dist', 'cli.js'), 'evaluate', 'resolution'],
  ...['--models', join(ROOT, 'models', 'avatars-64'), '--sizes', '64'],
  ...['--samples', `${samples}`, '--reference', `${SAMPLES + REFERENCE - samples}`],
  ...['--out', join(folder, out), '--cache', join(folder, 'cache')],
];
