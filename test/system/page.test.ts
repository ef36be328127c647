/** The page's ground and its daily views, by what a person does in a real browser. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredPicture } from '../../jobs/job.ts';
import { encodePng } from '../../png.ts';
import { createFakeServices } from '../web/fake-services.ts';
import {
  drop,
  firstLoadOf,
  type Harness,
  hasBrowser,
  openHarness,
  PAGES,
  violationsOn,
} from './page-harness.ts';

let harness: Harness;
beforeAll(async () => {
  if (hasBrowser) harness = await openHarness();
});
afterAll(async () => harness?.close());

/** Words into the prompt, without the list of completions in the way. */
async function ask(page: Page, prompt: string, { count = 2 } = {}): Promise<void> {
  await page.fill('#prompt', prompt);
  await page.keyboard.press('Escape');
  await page.fill('#count', String(count));
}
const rack = (page: Page) => page.locator('.rack .pic:not(.pending):not(.live) img');
const doneJobs = async () => (await harness.services.jobs.list({ limit: 50 })).items;

describe.runIf(hasBrowser)('generate', () => {
  it('completes words, sends what is shown, previews, and keeps the recipe', async () => {
    const page = await harness.visit('/');
    await page.keyboard.press('/');
    await page.keyboard.type('red');
    await page.locator('[role=option]').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await page.inputValue('#prompt')).toBe('red hair, ');
    await page.locator('.styles .chip', { hasText: 'pixel art' }).click();
    expect(await page.inputValue('#prompt')).toBe('pixel art, red hair');
    await page.fill('#count', '3');
    await page.keyboard.press('Control+Enter');
    await page.locator('.big > .pic > img[src^="data:image/png"]').waitFor();
    expect(await page.locator('.walk').innerText()).toMatch(/\d of 3 pictures/);
    await expect.poll(() => rack(page).count()).toBe(3);
    await expect.poll(() => page.locator('.walk').count()).toBe(0);
    const facts = await page.locator('.side.r .facts').innerText();
    expect(facts).toContain('pixel art, red hair');
    const [job] = await doneJobs();
    expect(job?.input).toMatchObject({
      request: { count: 3, condition: ['style=pixel art', 'hair color=red'] },
    });
    expect(await page.locator('p.sr[role=status]').innerText()).toMatch(/3 pictures done in/);
    await page.context().close();
  });

  it('says what it does not understand, and mends it at a press; faults keep it from sending', async () => {
    const page = await harness.visit('/');
    const before = (await doneJobs()).length;
    await ask(page, 'blu hair');
    await page.keyboard.press('Control+Enter');
    await page.locator('.unknown .chip', { hasText: 'blue hair' }).click();
    expect(await page.inputValue('#prompt')).toBe('blue hair');
    await page.fill('#width', '250');
    await page.keyboard.press('Control+Enter');
    await page.locator('.fault .btn', { hasText: 'Use 252' }).first().click();
    expect(await page.locator('.fault').count()).toBe(0);
    expect(await page.inputValue('#width')).toBe('252');
    expect(await doneJobs()).toHaveLength(before);
    await page.context().close();
  });

  it('cancels by Esc within a step, keeps what is finished, and makes the others on demand', async () => {
    const page = await harness.visit('/');
    await ask(page, 'red hair', { count: 4 });
    await page.keyboard.press('Control+Enter');
    await page.locator('.rackhead', { hasText: /[1-3] of 4/ }).waitFor();
    await page.keyboard.press('Escape');
    const note = page.locator('.note', { hasText: 'Cancelled after' });
    await note.waitFor();
    const kept = await rack(page).count();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(4);
    await note.locator('button', { hasText: `Make the other ${4 - kept}` }).click();
    await expect.poll(() => rack(page).count()).toBe(4);
    await page.context().close();
  });

  it('is all there after a reload, and the job goes on without the page', async () => {
    const page = await harness.visit('/');
    await ask(page, 'blue hair', { count: 4 });
    await page.keyboard.press('Control+Enter');
    await page.locator('.rackhead', { hasText: /[1-3] of 4/ }).waitFor();
    await page.reload();
    expect(await page.inputValue('#prompt')).toBe('blue hair');
    await page.locator('.walk').waitFor();
    await rack(page).first().waitFor();
    const context = page.context();
    await page.close();
    await expect.poll(async () => (await doneJobs())[0]?.state).toBe('done');
    const again = await context.newPage();
    await again.goto('/');
    await expect.poll(() => rack(again).count()).toBe(4);
    await context.close();
  });

  it('restores the recipe of a dropped PNG, which draws the same picture again', async () => {
    const page = await harness.visit('/');
    await page.locator('#extend').selectOption('yarn');
    await page.locator('summary', { hasText: 'Time shift' }).click();
    await page.fill('#shift', '3');
    await ask(page, 'pixel art, (red hair:1.3)', { count: 1 });
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => rack(page).count()).toBe(1);
    const [first] = (await harness.services.jobs.pictures.list({ limit: 1 })).items;
    const file = await harness.services.jobs.pictures.read(first!.id);
    await ask(page, 'glasses', { count: 4 });
    await page.locator('#extend').selectOption('');
    await page.fill('#shift', '1');
    await drop(page, file!, 'mine.png');
    await expect.poll(() => page.inputValue('#prompt')).toBe('pixel art, (red hair:1.3)');
    expect(await page.inputValue('#extend')).toBe('yarn');
    expect(await page.inputValue('#shift')).toBe('3');
    expect(await page.inputValue('#seed')).toBe(String(first!.seed));
    await page.keyboard.press('Control+Enter');
    await expect
      .poll(async () => (await harness.services.jobs.pictures.list({ limit: 1 })).items[0]?.id)
      .not.toBe(first!.id);
    const [again] = (await harness.services.jobs.pictures.list({ limit: 1 })).items;
    expect(await harness.services.jobs.pictures.read(again!.id)).toEqual(file);
    await page.context().close();
  });

  it('says so when a dropped file has no recipe, or is no picture', async () => {
    const page = await harness.visit('/');
    await drop(page, Buffer.from('not a picture'), 'words.png');
    await page.locator('.toasts .note').waitFor();
    expect(await page.locator('.toasts .note').innerText()).not.toContain('[object');
    await page.context().close();
    forget(/400|415/);
  });

  it('shows what was measured of the model at each size', async () => {
    const page = await harness.visit('/');
    await page.locator('.ruler .curve').waitFor();
    const said = () => page.getAttribute('#size', 'aria-valuetext');
    expect(await said()).toMatch(/^64 pixels, 1 times the trained side, KID 8$/);
    await page.fill('#width', '128');
    expect(await said()).toMatch(/^128 pixels, 2 times the trained side, KID 34.3$/);
    expect(await page.locator('.side.l').innerText()).toContain('Best measured at this size: dype');
    await page.locator('#extend').selectOption('yarn');
    expect(await said()).toContain('KID 18.4');
    await page.getByRole('button', { name: 'Keep the aspect ratio' }).click();
    await page.fill('#height', '64'); // was measured, but the curve is of squares
    expect(await said()).not.toContain('KID');
    await page.context().close();
  });

  it('chooses the model that a link names, on Generate and among the cards', async () => {
    const [, { id, title } = expect.fail()] = await harness.services.models.list();
    const page = await harness.visit(`/?model=${id}`);
    await expect.poll(() => page.inputValue('#model')).toBe(id);
    await page.goto(`/models?model=${id}`);
    const focused = () => page.evaluate(() => document.activeElement?.ariaLabel);
    await expect.poll(focused).toBe(title);
    await page.context().close();
  });

  it('has everything of a render in one view at 1280 x 800', async () => {
    const page = await harness.visit('/');
    await ask(page, 'pixel art, red hair', { count: 8 });
    await page.keyboard.press('Control+Enter');
    await page.locator('.film .on').waitFor();
    const [height, lowest] = await page.evaluate(() => [
      document.documentElement.scrollHeight,
      Math.max(
        ...[...document.querySelectorAll('.big, .film, .rack, .walk')].map(
          (part) => part.getBoundingClientRect().bottom,
        ),
      ),
    ]);
    expect(height).toBe(800);
    expect(lowest).toBeLessThanOrEqual(800);
    await page.keyboard.press('Escape');
    await page.context().close();
  });
});

/** What the browser says of answers that a test asked for. */
function forget(pattern: RegExp): void {
  const list = harness.complaints as string[];
  list.splice(0, list.length, ...list.filter((line) => !pattern.test(line)));
}

describe.runIf(hasBrowser)('gallery', () => {
  it('walks by keys, compares two under a slider, deletes and brings back', async () => {
    const page = await harness.visit('/gallery');
    const tiles = page.locator('.tile');
    await tiles.first().waitFor();
    // by id: a restored recipe has drawn one of the pictures twice, under the same name
    const ids = () =>
      tiles.locator('.open').evaluateAll((all) => all.map((one) => one.dataset.picture));
    const focused = () =>
      page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.picture);
    const before = await ids();
    const names = await tiles
      .locator('.open')
      .evaluateAll((all) => all.map((one) => one.ariaLabel));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toBe(before[1]);
    await page.keyboard.press('Delete');
    await expect.poll(ids).not.toContain(before[1]);
    await expect.poll(focused).toBe(before[2]);
    await page.keyboard.press('Control+z');
    await expect.poll(ids).toEqual(before);
    const other = names.findIndex((name) => name !== names[0]);
    for (const at of [0, other]) {
      await tiles.locator('.open').nth(at).focus();
      await expect.poll(focused).toBe(before[at]);
      await page.keyboard.press('c');
    }
    await page.waitForURL(/compare=/);
    const slider = page.locator('.slide input');
    await slider.focus();
    await slider.fill('25');
    const cut = page.locator('.slide');
    expect(await cut.evaluate((one) => getComputedStyle(one).getPropertyValue('--cut'))).toBe(
      '25%',
    );
    await page.locator('tr.diff').first().waitFor({ timeout: 10_000 });
    await page.context().close();
  });

  it('finds what is searched for, and says when there is nothing', async () => {
    const page = await harness.visit('/gallery');
    await page.locator('.tile').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('color=blue');
    await page.waitForURL(/search=/);
    await expect
      .poll(async () => new Set(await page.locator('.tile .cap b').allInnerTexts()))
      .toEqual(new Set(['blue hair']));
    await page.fill('#q', 'fxo');
    await page.getByText('Nothing matches “fxo”').waitFor();
    await page.getByText('Clear the filters').click();
    await page.locator('.tile').first().waitFor();
    await page.context().close();
  });

  it('saves what a search finds, and what is marked, as one archive each', async () => {
    const page = await harness.visit('/gallery?search=color%3Dblue');
    const tiles = page.locator('.tile .open');
    await tiles.nth(1).waitFor();
    const ids = await tiles.evaluateAll((all) => all.map((one) => one.dataset.picture));
    const found = ids.map((id) => `${id}.png`);
    expect(await archiveOf(page, 'Zip')).toEqual([...found, 'manifest.json']);
    for (const at of [0, 1]) {
      await tiles.nth(at).focus();
      await page.keyboard.press('c');
    }
    await page.waitForURL(/compare=/);
    await page.goto('/gallery');
    const marked = await archiveOf(page, 'Download the marked');
    expect(marked).toEqual([...found.slice(0, 2), 'manifest.json']);
    await page.context().close();
  });
});

/** The files of the archive that a press has the browser save. */
async function archiveOf(page: Page, button: string): Promise<string[]> {
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return Object.keys(unzipSync(await readFile(await saved.path())));
}

describe.runIf(hasBrowser)('queue', () => {
  it('moves waiting jobs by keys, holds, resumes, cancels and retries', async () => {
    const { jobs } = harness.services;
    const page = await harness.visit('/');
    for (const seed of ['1', '2', '3', '4']) {
      await ask(page, 'red hair', { count: 40 }); // more than are drawn before they are cancelled
      await page.fill('#seed', seed);
      await page.keyboard.press('Control+Enter');
      await expect.poll(() => page.locator('.btn.main[aria-disabled]').count()).toBe(0);
    }
    await page.locator('.nav a', { hasText: 'Queue' }).click();
    const grips = page.locator('[data-grip]');
    await expect.poll(() => grips.count()).toBeGreaterThanOrEqual(2);
    const waiting = async () =>
      (await jobs.list({ state: ['waiting'], order: 'queue', limit: 9 })).items.map(({ id }) => id);
    const before = await waiting();
    await grips.last().focus();
    await page.keyboard.press('ArrowUp');
    await expect.poll(waiting).toEqual([...before.slice(0, -2), before.at(-1), before.at(-2)]);
    await page.keyboard.press('Escape');
    await expect.poll(waiting).toEqual(before);
    await page.locator('[aria-label^="Hold"]').last().click();
    await page.locator('[aria-label^="Resume"]').click();
    await expect.poll(async () => (await waiting()).length).toBeGreaterThanOrEqual(1);
    await page.locator('.title .btn', { hasText: 'Pause all' }).click();
    await page.locator('.note', { hasText: 'The queue is paused' }).waitFor();
    expect(await jobs.isPaused()).toBe(true);
    for (const { id } of (await jobs.list({ state: ['waiting', 'running'], limit: 9 })).items)
      await jobs.cancel(id);
    await page.locator('.title .btn', { hasText: 'Resume all' }).click();
    await page.locator('.job .acts .btn', { hasText: 'Make the other' }).first().click();
    await page.locator('.state.run').first().waitFor();
    for (const { id } of (await jobs.list({ state: ['waiting', 'running'], limit: 9 })).items)
      await jobs.cancel(id);
    await page.context().close();
  });
});

describe.runIf(hasBrowser)('every page', () => {
  it('tells who works, with what in hand and in memory', async () => {
    const page = await harness.visit('/system');
    const [worker] = await harness.services.jobs.workers();
    const row = page.locator('table tbody tr');
    await row.waitFor();
    expect(await row.locator('th').innerText()).toBe(`${worker!.host}, ${worker!.pid}`);
    expect(await row.innerText()).toContain(worker!.device);
    expect(await row.innerText()).toContain(worker!.models.map(({ id }) => id).join(', '));
    await page.context().close();
  });

  it('lists keys at ?, which Esc closes and nothing else', async () => {
    const page = await harness.visit('/queue');
    await page.keyboard.press('?');
    await page.locator('dialog#keys[open]').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog#keys[open]').count()).toBe(0);
    await page.context().close();
  });

  it('is reached by keys alone, from the link that skips the header on', async () => {
    const page = await harness.visit('/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('skip');
    const seen = new Set<string>();
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press('Tab');
      seen.add(
        await page.evaluate(() => {
          const { id, ariaLabel, textContent } = document.activeElement as HTMLElement;
          return id || ariaLabel || (textContent ?? '').trim().slice(0, 20);
        }),
      );
    }
    for (const wanted of ['Gallery', 'System', 'size', 'extend', 'solver', 'steps', 'cfg', 'seed'])
      expect([...seen], wanted).toContain(wanted);
    expect([...seen]).toContain('prompt');
    await page.context().close();
  });

  for (const theme of ['light', 'dark'] as const)
    it(`has no serious violation by axe-core, ${theme}`, async () => {
      for (const path of PAGES) {
        const page = await harness.visit(path, { colorScheme: theme });
        await page.waitForTimeout(300);
        expect(await violationsOn(page), `${path}, ${theme}`).toEqual([]);
        await page.context().close();
      }
    });

  it('fits a phone: no scrolling sideways, the tab bar, Generate within reach', async () => {
    for (const path of PAGES) {
      const page = await harness.visit(path, {
        viewport: { width: 360, height: 740 },
        hasTouch: true,
      });
      await page.waitForTimeout(200);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, path).toBeLessThanOrEqual(360);
      if (path === '/') {
        expect(await violationsOn(page)).toEqual([]);
        const { y } = (await page.locator('.go .btn').boundingBox())!;
        expect(y).toBeGreaterThan(600);
        await page.locator('.nav .more').click();
        await page.waitForURL('**/more');
        await page.locator('main a', { hasText: 'Models' }).click();
        await page.waitForURL('**/models');
      }
      await page.context().close();
    }
  });

  it('loads less than 200 kB compressed at first', async () => {
    const loaded = await firstLoadOf(harness);
    const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(loaded.map(({ path }) => path)).toContain('/');
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(200_000);
  });

  it('keeps the chosen theme, and single letters switched off', async () => {
    const page = await harness.visit('/queue', { colorScheme: 'light' });
    await page.getByLabel('Light or dark').click();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.keyboard.press('?');
    await page.getByLabel('Single letters act as keys').uncheck();
    await page.keyboard.press('Escape');
    await page.reload();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.goto('/');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).not.toBe('prompt');
    await page.context().close();
  });

  it('says when the server is gone, counts down, and goes on when it is back', async () => {
    const page = await harness.open();
    let isFirst = true;
    await page.route('**/api/v1/events', async (route) => {
      if (isFirst) await route.fulfill({ contentType: 'text/event-stream', body: ': hello\n\n' });
      else await route.abort();
      isFirst = false;
    });
    await page.goto('/queue');
    const note = page.locator('.note', { hasText: 'No word from the server' });
    await note.waitFor();
    expect(await note.innerText()).toMatch(/Trying again in \d+ s/);
    await page.unroute('**/api/v1/events');
    await note.locator('button', { hasText: 'Try now' }).click();
    await note.waitFor({ state: 'detached' });
    await page.context().close();
    forget(/ERR_FAILED/);
  });

  it('gave the browser nothing to complain of, least of all against its policy', () => {
    expect(harness.complaints).toEqual([]);
  });
});

const DAY = 86_400_000;

/** Fifty thousand rows without files of their own. */
function manyPictures(total: number, file: Buffer) {
  const services = createFakeServices({ step: 5 });
  const row = (at: number): StoredPicture => ({
    ...{ id: `many-${at}`, job: 'many', index: at, model: 'avatars', prompt: 'hair color=red' },
    ...{ seed: at, width: 64, height: 64, bytes: 1000, recipe: {} },
    createdAt: Date.now() - (at * 30 * DAY) / total,
  });
  const pictures = {
    ...services.jobs.pictures,
    get: async (id: string) => row(Number(id.split('-')[1])),
    count: async () => total,
    read: async () => file,
    stream: async () => Readable.from([file]),
    async list({ limit, after }: { limit: number; after?: string }) {
      const from = after === undefined ? 0 : Number(after);
      const items = Array.from({ length: Math.min(limit, total - from) }, (_, at) =>
        row(from + at),
      );
      return { items, ...(from + limit < total && { next: String(from + limit) }) };
    },
  };
  return { ...services, jobs: { ...services.jobs, pictures } };
}

describe.runIf(hasBrowser)('a gallery of 50,000', () => {
  it('scrolls to its end with a few rows of elements', async () => {
    const total = 50_000;
    const grey = { data: new Uint8Array(64 * 64 * 3).fill(120), width: 64, height: 64 };
    const file = await encodePng(grey);
    const large = await openHarness({ services: manyPictures(total, file) });
    const page = await large.visit('/gallery');
    await page.locator('.tile').first().waitFor();
    for (let at = 0; at < 20; at++) {
      await page.mouse.wheel(0, 2500);
      await page.waitForTimeout(20);
    }
    // Headings of days come in as pictures do, so the end moves until all are there.
    await expect
      .poll(
        async () => {
          await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
          return page.locator('.tile .open[aria-label*="seed 49999"]').count();
        },
        { timeout: 180_000, interval: 500 },
      )
      .toBe(1);
    expect(await page.locator('.tile').count()).toBeLessThan(200);
    await page.keyboard.press('Home');
    await page.locator('.tile .open[aria-label*="seed 0,"]').waitFor();
    await large.close();
  });
});
