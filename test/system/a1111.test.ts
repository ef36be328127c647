/** The imitated API on `ropewalk serve` and the model that ships: how far it is, of several pictures drawn together. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RopewalkServer, startServer } from './ropewalk-server.ts';

let data: string;
let server: RopewalkServer;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-a1111-'));
  server = await startServer(data);
});
afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true });
});

type Shown = {
  readonly progress: number;
  readonly state: {
    readonly job_count: number;
    readonly job_no: number;
    readonly sampling_step: number;
    readonly sampling_steps: number;
  };
};

test('progress goes from nothing to all pictures, step by step, as their clients count it', async () => {
  const [count, steps] = [24, 10];
  const ask = { prompt: 'avataaars, red hair', seed: 7, steps, n_iter: 2, batch_size: count / 2 };
  let images: unknown[] | undefined;
  const asking = fetch(`${server.address}/sdapi/v1/txt2img`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ask),
  }).then(async (answer) => {
    ({ images } = (await answer.json()) as { images: unknown[] });
  });
  const shown: Shown[] = [];
  while (images === undefined) {
    const answer = await fetch(`${server.address}/sdapi/v1/progress?skip_current_image=true`);
    shown.push((await answer.json()) as Shown);
    await wait(20);
  }
  await asking;
  expect(images).toHaveLength(count);
  const working = shown.filter(({ progress }) => progress > 0);
  expect(new Set(working.map(({ progress }) => progress)).size).toBeGreaterThan(5);
  for (const [i, { progress, state }] of working.entries()) {
    expect(progress).toBeGreaterThanOrEqual(working[i - 1]?.progress ?? 0);
    expect(progress).toBeLessThanOrEqual(1);
    expect(state).toMatchObject({ job_count: count, sampling_steps: steps });
    expect((state.job_no + state.sampling_step / steps) / count).toBeCloseTo(progress, 10);
  }
});
