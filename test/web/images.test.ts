/** Asking for pictures and getting them. */
import { afterAll, describe, expect, it } from 'vitest';
import { createClient } from './client.ts';

const client = createClient();
const { ask } = client;
afterAll(() => client.app.close());

const post = (payload: object, url = '/api/v1/images') => ask('POST', url, { payload });

describe('POST /api/v1/images', () => {
  it('completes a draft from the card of its model', async () => {
    const { status, body } = await post({ model: 'avatars', prompt: 'short red hair', seed: 7 });
    expect(status).toBe(202);
    expect(body.job).toMatchObject({ kind: 'render', state: 'waiting', total: 1, priority: 100 });
    expect(body.job.input.request).toEqual({
      version: 1,
      model: 'avatars',
      condition: ['hair length=short', 'hair color=red'],
      seed: 7,
      count: 1,
      size: { width: 64, height: 64 },
      sampling: { kind: 'diffusion', solver: 'dpmpp-2m', steps: 20, guidance: { scale: 2 } },
    });
  });
});
