/** Every operation of the API, asked what its document allows and forbids (schemathesis.ts). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from 'vitest';
import { fuzz, fuzzServer, missingSchemathesis } from './schemathesis.ts';
import { itNeeds } from './servers.ts';

describe('schemathesis', () => {
  itNeeds(missingSchemathesis, 'finds no 5xx and no answer outside its schema', async () => {
    const asked = { phases: 'coverage', examples: 1, seed: 1 };
    for (const worker of [false, true]) {
      const { passed, said } = await fuzzServer(asked, { worker });
      expect(passed, said).toBe(true);
      expect(Number(/(\d+) generated/.exec(said)?.[1])).toBeGreaterThan(worker ? 50 : 1000);
    }
  });

  itNeeds(
    missingSchemathesis,
    'would find them: a server that answers what it did not say',
    async () => {
      const answer = { description: 'a number', content: { 'application/json': {} } };
      answer.content['application/json'] = { schema: { type: 'integer' } };
      const responses = { 200: answer };
      const document = {
        ...{ openapi: '3.1.0', info: { title: 'Liar', version: '1' } },
        paths: { '/number': { get: { responses } } },
      };
      const liar = createServer((request, reply) => {
        const body = request.url === '/openapi.json' ? document : 'three';
        reply.setHeader('content-type', 'application/json').end(JSON.stringify(body));
      }).listen(0, '127.0.0.1');
      await once(liar, 'listening');
      const { port } = liar.address() as AddressInfo;
      const asked = { phases: 'fuzzing', examples: 1, seed: 1 };
      const { passed, said } = await fuzz(`http://127.0.0.1:${port}`, asked);
      liar.close();
      expect({ passed, said }).toMatchObject({
        ...{ passed: false, said: expect.stringContaining('Response violates schema') },
      });
    },
  );
});
