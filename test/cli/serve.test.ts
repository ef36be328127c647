/** What the process of `ropewalk serve` has in memory: nothing that computes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../cli/program.ts';
import { tf } from '../../tensor/tf.ts';

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-serve-'));
});
afterAll(() => rm(data, { recursive: true, force: true }));

/** Packages that compute, of those that this process has loaded. */
const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache)
    .map((file) => /node_modules\/((?:@tensorflow\/)?[^/]+)\/[^/]/.exec(file)?.[1] ?? '')
    .filter((name) => /^(@tensorflow\/.*|onnxruntime-.*|nsfwjs)$/.test(name));

test('the server lists models and checks requests of every kind without what computes', async () => {
  const stop = new AbortController();
  let said = (_: string) => {};
  const address = new Promise<string>((resolve) => {
    said = (text) => {
      const found = /at (http:\S+)/.exec(text)?.[1];
      if (found) resolve(found);
    };
  });
  const code = runCli(['serve', '--port', '0', '--data', data, '--no-worker'], {
    env: {},
    stdout: { write: said },
    stderr: { write: said },
    signal: stop.signal,
  });
  const api = `${await address}/api/v1`;
  const ask = async (path: string, body?: object) => {
    const answer = await fetch(`${api}${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  await expect.poll(() => ask('/ready'), { timeout: 60_000 }).toBe(200);
  expect(await ask('/models')).toBe(200);
  const image = { model: 'avatars-64', prompt: 'avataaars', seed: 7 };
  const size = { width: 96, height: 96 };
  const extended = (extend: string) => ({ ...image, size, position: { extend } });
  expect(await ask('/images', extended('yarn'))).toBe(202);
  expect(await ask('/images', extended('yarns'))).toBe(400);
  const config = { models: ['avatars-64'], sizes: [size], extend: ['yarn'], samples: 8 };
  expect(await ask('/evaluate', { what: 'resolution', config })).toBe(202);
  const listed = await fetch(`${api}/train/configs`);
  const { configs } = (await listed.json()) as { configs: { config: object }[] };
  const answers = [];
  for (const { config } of configs) answers.push(await ask('/train', { config }));
  expect(answers).toContain(202); // those whose tokenizer is not here are refused
  expect(loaded()).toEqual([]);
  stop.abort();
  expect(await code).toBe(0);

  expect(tf.scalar(1).shape).toEqual([]);
  expect(loaded()).toContain('@tensorflow/tfjs'); // what the check above would have seen
});
