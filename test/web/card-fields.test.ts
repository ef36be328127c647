/** What the cards of real models refuse names the field, in each API's own words. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyCard } from '../../generators/token-model.ts';
import { describeModel } from '../../pipelines/describe.ts';
import { resolveRequest } from '../../pipelines/render.ts';
import { tinyModel } from '../pipelines/tiny-model.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';
import { createClient } from './client.ts';
import { createFakeServices } from './fake-services.ts';

let parent: string;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ropewalk-fields-'));
  const { card: token } = await writeTinyTokenModel(parent);
  const cards: readonly AnyCard[] = [tinyModel().card, token];
  const models = {
    list: async () => cards.map((card) => describeModel(card)),
    broken: async () => [],
    check: async (request: Parameters<typeof resolveRequest>[0]) => {
      resolveRequest(request, cards.find(({ id }) => id === request.model)!);
    },
  };
  client = createClient({}, { ...createFakeServices(), models });
});
afterAll(async () => {
  await client.services.jobs.close();
  await client.app.close();
  await rm(parent, { recursive: true, force: true });
});

const wrong: readonly (readonly [string, object, string])[] = [
  ['size.width', { size: { width: 18 } }, 'expected a multiple of the patch (4) from 4 to 64'],
  ['size.height', { size: { height: 68 } }, 'expected a multiple of the patch (4) from 4 to 64'],
  ['condition', { condition: ['hair color=rad'] }, "got 'hair color=rad'; nearest: hair color=red"],
  ['negative', { negative: ['glases=yes'] }, "got 'glases=yes'; nearest: glasses=yes"],
  ['input', { input: { image: 'upload-1', strength: 1 } }, 'expected none, got an image'],
  ['sampling.solver', { sampling: { solver: 'eulr' } }, "got 'eulr'; nearest: euler"],
  ['sampling.schedule', { sampling: { schedule: 'cosine' } }, "got 'cosine'"],
  ['sampling.solverOptions', { sampling: { solverOptions: { eta: 1 } } }, "got 'eta'"],
  [
    'sampling.scheduleOptions.shift',
    { sampling: { scheduleOptions: { shift: -1 } } },
    'expected a number above 0, got -1',
  ],
  ['position.micro', { position: { micro: {} } }, 'is not told of original sizes'],
  ['position.extend', { position: { extend: 'yarm' } }, "got 'yarm'"],
  ['position.extend', { position: { extend: { beta: 2 } } }, 'expected the name of a method'],
  [
    'position.extend',
    { position: { extend: { method: 'yarn', beta: 'x' } } },
    "'yarn'.beta: expected a number",
  ],
  [
    'position.extend',
    { position: { extend: ['yarn', 'ntk'] } },
    'expected extensions that change different things',
  ],
  ['size', { model: 'tiny-tokens', size: { width: 32 } }, "expected 16x16, which 'tiny-tokens'"],
  ['sampling.decoder', { model: 'tiny-tokens', sampling: { decoder: 'sdj' } }, "got 'sdj'"],
  ['sampling.topK', { model: 'tiny-tokens', sampling: { topK: 17 } }, 'expected at most 16'],
  ['position.extend', { model: 'tiny-tokens', position: { extend: 'yarn' } }, 'expected none'],
  ...(
    [
      ['decoderOptions.window', 'sjd', { window: 17 }, 'from 1 to 16, got 17'],
      ['decoderOptions.drafter', 'sjd', { drafter: 'lft' }, "got 'lft'; nearest: left"],
      ['decoderOptions', 'zipar', { lead: 0 }, "'lead': expected an integer from 1"],
      ['decoderOptions', 'zipar', { leed: 1 }, "got 'leed'; leave it out"],
    ] as const
  ).map(
    ([field, decoder, decoderOptions, sentence]) =>
      [
        `sampling.${field}`,
        { model: 'tiny-tokens', sampling: { decoder, decoderOptions } },
        sentence,
      ] as const,
  ),
];

describe('what a card refuses', () => {
  test.each(wrong)('names %s for %j', async (field, asked, sentence) => {
    const payload = { model: 'tiny', ...asked };
    const { status, body } = await client.ask('POST', '/api/v1/images', { payload });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'invalid', field });
    expect(body.error.message).toContain(`request: '${field}': `);
    expect(body.error.message).toContain(sentence);
  });

  test('counts drafts of a batch', async () => {
    const requests = [{ model: 'tiny' }, { model: 'tiny', size: { width: 18 } }];
    const { body } = await client.ask('POST', '/api/v1/batches', { payload: { requests } });
    expect(body.error.message).toBe(
      "request 2: 'size.width': expected a multiple of the patch (4) from 4 to 64, got 18",
    );
  });

  test("is the parameter in OpenAI's words", async () => {
    const payload = { model: 'tiny', prompt: '', size: '18x16' };
    const { status, body } = await client.ask('POST', '/v1/images/generations', { payload });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ param: 'size', code: 'invalid_value' });
  });

  test("is the place in AUTOMATIC1111's words", async () => {
    const payload = { width: 16, height: 18 };
    const { status, body } = await client.ask('POST', '/sdapi/v1/txt2img', { payload });
    expect(status).toBe(422);
    expect(body.detail[0].loc).toEqual(['body', 'height']);
  });
});
