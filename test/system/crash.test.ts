/** The short form of `npx tsx test/system/crash.ts`: one embedded process, killed in the middle. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../jobs/toys.ts';
import { crash } from './crash.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => place.remove());

it('loses and doubles nothing under kill -9 of the whole process', async () => {
  const options = { data: place.folder };
  const report = await crash({ options, processes: 1, kills: 4, requests: 100 });
  expect(report).toMatchObject({ kills: 4, pictures: 100, wrong: [] });
  expect(report.resumed).toBeGreaterThan(0);
});
