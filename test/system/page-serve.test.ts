/** The page in a real browser on `ropewalk serve`: the model that ships, its worker, the embedded database. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, StoredPicture } from '../../jobs/job.ts';
import { decodePicture } from '../../png.ts';
import {
  type Browsing,
  drop,
  hasBrowser,
  openBrowser,
  PAGES,
  violationsOn,
} from './page-harness.ts';
import { type RopewalkServer, startServer } from './ropewalk-server.ts';

/** What a slow machine may take. */
const SOON = { timeout: 30_000 };

let folder: string;
let server: RopewalkServer;
let browser: Browsing;
beforeAll(async () => {
  if (!hasBrowser) return;
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-page-serve-'));
  server = await startServer(folder);
  browser = await openBrowser(server.address);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function get<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(`${server.address}/api/v1${path}`);
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as Answer;
}
const newestJob = async () => (await get<{ jobs: Job[] }>('/jobs?limit=1')).jobs[0]!;
const newestPicture = async () =>
  (await get<{ images: StoredPicture[] }>('/images?limit=1')).images[0]!;
const pixelsOf = async (file: Buffer) => Buffer.from((await decodePicture(file)).data);
const rack = (page: Page) => page.locator('.rack .pic:not(.pending):not(.live) img');
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };

describe.runIf(hasBrowser)('the page on the real server', () => {
  it('generates from completed words, and shows the picture before it is finished', async () => {
    const page = await browser.visit('/');
    await page.keyboard.press('/');
    await page.keyboard.type('red hai');
    await page.locator('[role=option]').first().waitFor();
    await page.keyboard.press('Tab');
    await page.locator('.styles .chip', { hasText: 'avataaars' }).first().click();
    expect(await page.inputValue('#prompt')).toBe('avataaars, red hair');
    await page.fill('#count', '2');
    await page.keyboard.press('Control+Enter');
    await page.locator('.big > .pic > img[src^="data:image/png"]').waitFor(); // before its end
    await expect.poll(() => rack(page).count(), SOON).toBe(2);
    const facts = await page.locator('.side.r .facts').innerText();
    expect(facts).toContain('avataaars, red hair');
    await page.context().close();
  });

  it('asks before many are cancelled, cancels within a step, and keeps what is finished', async () => {
    const page = await browser.visit('/');
    await page.fill('#prompt', 'pixel art, glasses');
    await page.keyboard.press('Escape');
    await page.fill('#steps', '20');
    await page.fill('#count', '200'); // what is left after the first batch takes seconds, also on a quick machine
    await page.keyboard.press('Control+Enter');
    await page.locator('.rackhead', { hasText: /[1-9]\d* of 200/ }).waitFor();
    await page.keyboard.press('Escape');
    const asked = Date.now();
    await page.getByRole('button', { name: 'Cancel the render' }).click();
    const note = page.locator('.note', { hasText: 'Cancelled after' });
    await note.waitFor();
    expect(Date.now() - asked).toBeLessThan(5000);
    const kept = await rack(page).count();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(200);
    expect((await newestJob()).state).toBe('cancelled');
    await page.context().close();
  });

  it('goes on after a reload in the middle', async () => {
    const page = await browser.visit('/');
    await page.fill('#prompt', 'blue hair');
    await page.keyboard.press('Escape');
    await page.fill('#count', '2');
    await page.fill('#steps', '60');
    await page.keyboard.press('Control+Enter');
    await page.locator('.walk', { hasText: /[1-9]\d* of \d+ steps/ }).waitFor();
    await page.reload();
    await expect.poll(() => page.inputValue('#prompt'), SOON).toBe('blue hair');
    await expect.poll(() => rack(page).count(), SOON).toBe(2);
    // The last picture shows a moment before its job ends.
    const job = async () => {
      const { state, done, attempts } = await newestJob();
      return [state, done, attempts];
    };
    await expect.poll(job, SOON).toEqual(['done', 2, 1]);
    await page.context().close();
  });

  it('takes a downloaded PNG back as its recipe, which draws the same pixels', async () => {
    const page = await browser.visit('/');
    await page.fill('#prompt', 'pixel art, (red hair:1.3)');
    await page.keyboard.press('Escape');
    await page.fill('#count', '1');
    await page.getByRole('button', { name: 'Keep the aspect ratio' }).click();
    await page.fill('#width', '96');
    await page.fill('#height', '64');
    await page.locator('#extend').selectOption('attention-scale');
    await page.locator('#solver').selectOption('dpmpp-2m');
    await page.fill('#steps', '6');
    await page.keyboard.press('Control+Enter');
    await rack(page).first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'PNG', exact: true }).click(),
    ]);
    const file = await readFile(await download.path());
    const first = await newestPicture();
    await page.context().close();

    const other = await browser.visit('/'); // somebody who has never drawn it
    await drop(other, file, download.suggestedFilename());
    await expect.poll(() => other.inputValue('#prompt'), SOON).toBe('pixel art, (red hair:1.3)');
    for (const [field, value] of [
      ...[['width', '96'] as const, ['height', '64'] as const, ['steps', '6'] as const],
      ...[['extend', 'attention-scale'] as const, ['solver', 'dpmpp-2m'] as const],
      ['seed', String(first.seed)] as const,
    ])
      expect(await other.inputValue(`#${field}`), field).toBe(value);
    await other.keyboard.press('Control+Enter');
    await expect.poll(async () => (await newestPicture()).id, SOON).not.toBe(first.id);
    const again = await newestPicture();
    const drawn = await fetch(`${server.address}/api/v1/images/${again.id}/file`);
    expect(await pixelsOf(Buffer.from(await drawn.arrayBuffer()))).toEqual(await pixelsOf(file));
    expect(again.recipe).toEqual(first.recipe);
    await other.context().close();
  });

  it('draws a batch of a CSV file, and the sheet of a grid as PNG', async () => {
    const page = await browser.visit('/batches');
    await page.getByText('CSV', { exact: true }).click();
    await page.locator('input[type=file]').setInputFiles({
      ...{ name: 'three.csv', mimeType: 'text/csv' },
      buffer: Buffer.from('prompt,seed,steps\n"red hair, glasses",1,3\nblue hair,2,3\nhat,3,3\n'),
    });
    await page.getByRole('button', { name: 'Queue 3 pictures' }).click();
    await page.getByText(/3 of 3 pictures, 100 %/).waitFor();
    const zip = await page.getByRole('link', { name: 'Zip' }).getAttribute('href');
    const packed = await (await page.request.get(zip!)).body();
    expect(packed.toString('latin1').split('PK\x01\x02')).toHaveLength(1 + 4); // and the manifest

    await page.getByRole('tab', { name: 'New batch' }).click();
    await page.getByText('Grid', { exact: true }).click();
    const add = async (axis: string, text: string) => {
      await page.getByRole('button', { name: new RegExp(`^${axis}: `) }).click();
      await page.getByRole('textbox', { name: new RegExp(`^${axis}: `) }).fill(text);
      await page.getByRole('button', { name: 'Add', exact: true }).click();
    };
    await add('Prompts', 'red hair\nblue hair');
    await page.getByRole('button', { name: 'Remove 25' }).click();
    await add('Steps', '2, 4');
    await page.getByRole('button', { name: /^Queue 4 pictures/ }).click();
    await page.getByText(/4 of 4 pictures, 100 %/).waitFor();
    await page.getByRole('tab', { name: 'Sheet' }).click();
    await page.locator('table.sheet tbody img').nth(3).waitFor();
    const href = await page.getByRole('link', { name: 'Sheet as PNG' }).getAttribute('href');
    const sheet = await decodePicture(await (await page.request.get(href!)).body());
    expect(sheet.width).toBeGreaterThan(2 * 64);
    expect(new Set(sheet.data).size).toBeGreaterThan(50); // no empty sheet
    await page.context().close();
  });

  it('trains a run, stops it, goes on, and draws with its model', async () => {
    const page = await browser.visit('/train');
    const config = page.getByRole('textbox', { name: 'The whole configuration' });
    await expect.poll(() => config.inputValue(), SOON).toContain('"first-run"'); // what a visitor begins with
    for (const [name, value] of [
      ...[['Steps', '400'] as const, ['Pictures to draw', '100'] as const],
      ...[['Held-out loss every', '50'] as const, ['Checkpoint every', '50'] as const],
      ['Sheet every', '200'] as const,
    ])
      await page.getByRole('textbox', { name: new RegExp(`^${name}`) }).fill(value);
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByRole('img', { name: /^Loss\. .*loss \d/ }).waitFor();
    const stepNow = async () =>
      Number(/Step (\d+)/.exec((await page.locator('.walk [role=status]').textContent())!)![1]);
    await expect.poll(stepNow, SOON).toBeGreaterThan(60);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('The latest checkpoint is kept').waitFor();
    const stoppedAt = await stepNow();
    expect(stoppedAt).toBeLessThan(400);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('link', { name: 'pictures from it' }).waitFor();
    expect(await page.getByRole('img', { name: /^Samples at step/ }).count()).toBe(2);
    const { points } = await get<{ points: { step: number }[] }>(
      `/jobs/${(await newestJob()).id}/points`,
    );
    const steps = points.map(({ step }) => step);
    expect(steps).toEqual([...new Set(steps)]); // nothing is told twice
    expect(steps.at(-1)).toBe(400);

    await page.getByRole('link', { name: 'pictures from it' }).click();
    await page.waitForURL((url) => url.pathname === '/');
    await page.fill('#prompt', 'avataaars');
    await page.keyboard.press('Escape');
    await page.fill('#count', '1');
    await page.keyboard.press('Control+Enter');
    await rack(page).first().waitFor();
    expect((await newestPicture()).model).toBe('first-run');
    await page.goto('/models');
    await page.getByRole('heading', { name: 'A first run, 32 px' }).waitFor();
    await page.context().close();
  });

  it('is used by keys alone', async () => {
    const page = await browser.visit('/');
    const tabTo = async (wanted: string) => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((css) => document.activeElement?.matches(css), wanted)) return;
      }
      throw new Error(`expected ${wanted} within 60 presses of Tab, got none`);
    };
    await tabTo('#prompt');
    await page.keyboard.type('hat');
    await page.keyboard.press('Escape');
    await tabTo('.go .btn');
    await page.keyboard.press('Enter');
    await rack(page).first().waitFor();
    await page.goto('/gallery');
    await page.locator('.tile').first().waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator('.tile .open:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'PNG', exact: true }).waitFor();
    await page.context().close();
  });

  const PLACES = [
    ...PAGES,
    ...['/batches?tab=batch', '/batches?tab=sheet', '/batches?tab=all', '/train?tab=run'],
    '/train?tab=all',
  ];
  it('has no serious violation by axe-core with real pictures, light and dark', async () => {
    const found: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.visit('/', { colorScheme });
      for (const place of PLACES) {
        await page.goto(place);
        await page.locator('h1').first().waitFor({ state: 'attached' });
        await page.waitForTimeout(300); // for what is loaded after the view
        found.push(...(await violationsOn(page)).map((one) => `${colorScheme} ${place} ${one}`));
      }
      await page.context().close();
    }
    expect(found).toEqual([]);
  });

  it('fits a phone, and draws on one', async () => {
    const page = await browser.visit('/', PHONE);
    for (const place of PLACES) {
      await page.goto(place);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await page.waitForTimeout(200);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect([place, width]).toEqual([place, 360]);
    }
    await page.goto('/');
    await page.fill('#prompt', 'smile');
    await page.keyboard.press('Escape');
    await page.locator('.go .btn').tap();
    await rack(page).first().waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.context().close();
  });

  it('gave the browser nothing to complain of', () => {
    expect(browser.complaints).toEqual([]);
  });
});
