/** The command line's kernel distance of the token model that ships: small for what it draws, large for what a reckless decoder makes of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DecoderRow } from '../../evaluation/decoding.ts';
import { run } from '../cli/run.ts';

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'ropewalk-kid-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

const measure = (...options: string[]) =>
  run(['evaluate', 'decoding', '--model', 'avatars-ar', '--cache', cache, ...options]);

test('evaluate decoding --kid', async () => {
  const what = ['--kid', '--pictures', '20', '--batch', '10'];
  const { code, out, err } = await measure(
    ...what,
    '--json',
    '--decoders',
    'sequential,zipar:lead=1',
  );
  expect(err.includes('ropewalk:') ? err : code).toBe(0);
  const [drawn, reckless] = JSON.parse(out) as DecoderRow[];
  // Measured: -0.0002 and 0.0029; of 20 pictures the error is about 0.0004.
  expect(Math.abs(drawn!.kid!)).toBeLessThan(0.001);
  expect(reckless!.kid).toBeGreaterThan(0.0017);
});
