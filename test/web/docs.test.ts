/** docs/http.md and docs/security.md say what is so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createClient } from './client.ts';
import { ended } from './fake-services.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const client = createClient();
afterAll(async () => {
  await client.services.jobs.close();
  await client.app.close();
});

it('every curl command of docs/http.md succeeds, in its order', async () => {
  const blocks = [...read('docs/http.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(
    ([, text]) => text!,
  );
  const commands = blocks.flatMap((block) => block.trim().split('\n'));
  expect(commands.length).toBeGreaterThan(10);
  let job = '';
  for (const command of commands) {
    const url = /http:\/\/127\.0\.0\.1:4700([^\s"]+)/.exec(command)![1]!.replaceAll('$JOB', job);
    const payload = / -d '(.*)'$/.exec(command)?.[1];
    const method = command.includes('-X DELETE') ? 'DELETE' : payload ? 'POST' : 'GET';
    const headers = command.includes("-H 'content-type: application/json'")
      ? { 'content-type': 'application/json' }
      : {};
    const body = payload === undefined ? {} : { payload };
    const answer = await client.ask(method, url, { headers, ...body });
    expect(answer.status, `${command}: ${answer.text.slice(0, 300)}`).toBeLessThan(300);
    if (url === '/api/v1/images') {
      job = answer.body.job.id;
      await ended(client.services.jobs, job);
    }
  }
  expect(job).not.toBe('');
});

it('every test that docs/security.md names is there', () => {
  const rows = read('docs/security.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| attack'));
  expect(rows.length).toBeGreaterThan(25);
  let before = '';
  for (const row of rows) {
    const cell = row.split('|').at(-2)!.trim();
    if (cell === '') continue; // of packages: nothing runs
    const file = /`(test\/[^`]+)`/.exec(cell)?.[1] ?? 'test/web/security.test.ts';
    const source = read(file);
    const name = cell.replace(/,? ?\(?`test\/[^`]+`\)?/, '');
    const wanted = name === 'the same' ? before : name;
    if (wanted !== '' && file.startsWith('test/web/') && name !== 'the same')
      expect(source, row).toContain(`'${wanted}'`);
    before = wanted;
  }
});
