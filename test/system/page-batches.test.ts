/** The pages Batches, Train, Resolution and Decoding in a real browser, on the server with fake services. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, hasBrowser, openHarness, violationsOn } from './page-harness.ts';

/** Pictures are drawn by a fake; a machine with other work to do is slow in the browser all the same. */
const SLOW = { timeout: 60_000 };

const CSV = 'prompt,seed,steps\n"red hair, glasses",1,2\nblue eyes,2,2\nshort black hair,3,2\n';

describe.skipIf(!hasBrowser)('the page, batches and research', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ step: 15 });
  });
  afterAll(() => harness.close());

  const choose = (page: Page, name: string, content: string) =>
    page.locator('input[type=file]').setInputFiles({
      ...{ name, mimeType: 'text/plain', buffer: Buffer.from(content) },
    });
  const queueButton = (page: Page) => page.getByRole('button', { name: /^Queue \d/ });
  const add = async (page: Page, axis: string, text: string) => {
    await page.getByRole('button', { name: new RegExp(`^${axis}: `) }).click();
    await page.getByRole('textbox', { name: new RegExp(`^${axis}: `) }).fill(text);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
  };

  it('takes a batch from a CSV file, after saying what is wrong with it and where', async () => {
    const page = await harness.visit('/batches');
    await page.getByText('CSV', { exact: true }).click();
    await choose(page, 'broken.csv', CSV.replace('blue eyes,2', 'blue eyes,two'));
    await expectText(page, page.getByRole('alert').first(), /line 3.*column/);
    expect(await queueButton(page).count()).toBe(0);
    expect((await harness.services.jobs.list({ limit: 10 })).items).toEqual([]);

    await choose(page, 'three.csv', CSV);
    await queueButton(page).waitFor(SLOW);
    expect(await queueButton(page).textContent()).toBe('Queue 3 pictures');
    await queueButton(page).click();
    await page.getByRole('heading', { name: 'three.csv' }).waitFor(SLOW);
    await expectText(page, page.getByText(/3 of 3 pictures, 100 %/), /3 of 3/);
    await page.locator('.mini img').nth(2).waitFor(SLOW);
    const zip = await page.getByRole('link', { name: 'Zip' }).getAttribute('href');
    const answer = await page.request.get(zip!);
    expect([answer.status(), (await answer.body()).subarray(0, 2).toString()]).toEqual([200, 'PK']);
    expect(await page.getByRole('tab', { name: 'Sheet' }).count()).toBe(0);
  });

  it('makes a grid from the card, counts it as it grows, and shows its sheet as table and PNG', async () => {
    const page = await harness.visit('/batches');
    await add(page, 'Prompts', 'red hair\nblue eyes');
    await page.getByRole('button', { name: 'Remove 20' }).click();
    await add(page, 'Steps', '1, 2');
    await add(page, 'Guidance', '3');
    await queueButton(page).waitFor(SLOW);
    await expectText(page, queueButton(page), /Queue 8 pictures/);
    await add(page, 'Sizes', '66');
    await expectText(page, page.locator('.sum ol'), /−8/); // no multiple of the model's patch
    await page.getByText('66', { exact: true }).click(); // what was typed leaves when it is not wanted
    await expectText(page, queueButton(page), /Queue 8 pictures/);
    await queueButton(page).click();
    await page.getByRole('tab', { name: 'Sheet' }).click(SLOW);

    const cells = page.locator('table.sheet tbody img');
    await cells.nth(3).waitFor(SLOW);
    expect(await page.locator('table.sheet thead th[scope=col]').count()).toBe(3);
    const sticky = page.locator('table.sheet tbody th').first();
    expect(await sticky.evaluate((cell) => getComputedStyle(cell).position)).toBe('sticky');
    await page.locator('#cell-0-0').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('cell-1-1');
    await page.getByRole('complementary', { name: 'Chosen cell' }).getByRole('img').waitFor(SLOW);
    const sheet = await page.getByRole('link', { name: 'Sheet as PNG' }).getAttribute('href');
    const answer = await page.request.get(sheet!);
    expect([answer.status(), answer.headers()['content-type']]).toEqual([200, 'image/png']);
  });

  it('completes the prompts of a grid, each line by its own style', async () => {
    const page = await harness.visit('/batches');
    await page.getByRole('button', { name: /^Prompts: / }).click();
    const lines = page.getByRole('textbox', { name: /^Prompts: / });
    const words = page.locator('.adder').getByRole('option');
    await lines.pressSequentially('pixel art, gl');
    await page.waitForTimeout(200); // for a list that must not come: that style has no glasses
    expect(await words.count()).toBe(0);
    await page.keyboard.press('Control+Backspace');
    await lines.pressSequentially('hair');
    await words.nth(4).waitFor(SLOW);
    expect(await violationsOn(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    const second = (await words.nth(1).locator('span').first().textContent())!;
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await lines.pressSequentially('big smile, gl');
    await words.filter({ hasText: 'no glasses' }).click();
    expect(await lines.inputValue()).toBe(`pixel art, ${second}, \nbig smile, no glasses, `);
    await page.keyboard.press('Control+Enter');
    const chips = page.locator('.axis').first().locator('.chip');
    expect(await chips.allInnerTexts()).toEqual([`pixel art, ${second}`, 'big smile, no glasses']);
    await expectText(page, queueButton(page), /Queue 2 pictures/);
  });

  it('pauses, goes on, cancels a batch, and makes the others on demand', async () => {
    const page = await harness.visit('/batches');
    await page.getByText('JSON', { exact: true }).click();
    const drafts = Array.from({ length: 12 }, (_, seed) => ({ prompt: 'red hair', seed }));
    await choose(page, 'twelve.json', JSON.stringify(drafts));
    await queueButton(page).click(SLOW);
    await page.getByRole('button', { name: 'Pause' }).click(SLOW);
    await page.getByRole('button', { name: 'Go on' }).click(SLOW);
    await page.getByRole('button', { name: 'Cancel' }).click(SLOW);
    const others = page.locator('.card').getByRole('button', { name: /^Make the other \d+/ });
    await others.click(SLOW);
    await page.getByRole('button', { name: 'Cancel' }).click(SLOW);
    await others.waitFor(SLOW);
    await page.getByRole('tab', { name: /^All batches/ }).click();
    await page.getByRole('row', { name: /twelve.json Cancelled/ }).waitFor(SLOW);
  });

  it('trains a tiny run with a live curve and sheets, and compares two', async () => {
    const page = await harness.visit('/train');
    for (const [steps, run] of [['10', 1] as const, ['20', 2] as const]) {
      const text = page.getByRole('textbox', { name: 'The whole configuration' });
      await text.fill('{ "name": "a", ');
      await page.getByText(/^config: /).waitFor(SLOW);
      await text.fill('{ "name": "a", "data": { "set": "avatars", "size": 32 } }');
      await page.getByRole('textbox', { name: 'Steps', exact: true }).fill(steps);
      expect(JSON.parse(await text.inputValue())).toMatchObject({ steps: Number(steps) });
      await page.getByRole('button', { name: 'Start training' }).click();
      await page.getByRole('img', { name: /^Loss\. .*loss/ }).waitFor(SLOW);
      await page.getByRole('link', { name: 'pictures from it' }).waitFor(SLOW);
      expect(await page.getByRole('img', { name: /^Samples at step/ }).count()).toBe(2);
      await page.getByRole('tab', { name: `All runs ${run}` }).click();
      await page.getByRole('tab', { name: 'New run' }).click();
    }
    await page.getByRole('tab', { name: 'All runs' }).click();
    for (const box of await page.getByRole('checkbox', { name: /^Compare/ }).all())
      await box.check();
    const chart = page.getByRole('img', { name: /^Losses of runs/ });
    await chart.waitFor(SLOW);
    await page.getByText('Numbers as a table').click();
    expect(await page.locator('.numbers thead th').count()).toBe(5);
  });

  it('says which field the server refuses, and starts nothing', async () => {
    const page = await harness.visit('/train');
    const text = page.getByRole('textbox', { name: 'The whole configuration' });
    await text.fill('{ "name": "a", "brokn": 1 }');
    await page.getByRole('button', { name: 'Start training' }).click();
    await expectText(page, page.getByRole('alert'), /brokn/);
  });

  it('shows a study with its ties, and draws one seed with every method', async () => {
    const page = await harness.visit('/resolution');
    const best = page.getByRole('region', { name: 'Best method for each size', exact: true });
    await best.getByText('tie with yarn').first().waitFor(SLOW);
    await page
      .getByRole('img', { name: /KID × 1000 against size\. .* dype is lowest/ })
      .waitFor(SLOW);
    await page.getByText('Repeated objects', { exact: true }).first().click();
    await page
      .getByRole('img', { name: /^Repeated objects against size/ })
      .first()
      .waitFor(SLOW);
    await page.getByRole('textbox', { name: 'Prompt' }).fill('red hair');
    await page.getByRole('button', { name: /^Draw with \d+ methods/ }).click();
    await page.getByRole('img', { name: 'drawn with yarn' }).waitFor(SLOW);
    await page.getByRole('img', { name: 'drawn with no extension' }).waitFor(SLOW);
  });

  it('plays a trace by Space and steps it by comma and full stop', async () => {
    const page = await harness.visit('/decoding');
    await page.getByRole('textbox', { name: 'Prompt' }).fill('red hair');
    await page.getByRole('button', { name: 'Trace it' }).click();
    const at = page.getByRole('heading', { name: /^Pass \d+ of/ });
    await at.waitFor(SLOW);
    const passes = Number(/of (\d+)/.exec((await at.textContent())!)![1]);
    await page.getByRole('heading', { level: 1 }).click();
    await page.keyboard.press(',');
    await expectText(page, at, new RegExp(`Pass ${passes - 1} of`));
    await page
      .getByRole('img', { name: new RegExp(`pass ${passes - 1} of ${passes}: \\d+ of 256`) })
      .waitFor(SLOW);
    await page.keyboard.press('.');
    await expectText(page, at, new RegExp(`Pass ${passes} of`));
    await page.keyboard.press(' '); // from the beginning
    await page.getByRole('button', { name: 'Pause' }).waitFor(SLOW);
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Play' }).waitFor(SLOW);
    await page.getByRole('slider', { name: 'Pass', exact: true }).fill('1');
    await expectText(page, at, /Pass 1 of/);
    // sequential decoding is not further than its own pace allows at that moment
    await page.getByRole('img', { name: /^Sequential\..* 1 of 256 tokens accepted/ }).waitFor(SLOW);
    const animation = await download(page, page.getByRole('link', { name: 'GIF' }));
    expect(animation.subarray(0, 6).toString()).toBe('GIF89a');
  });

  const PLACES = [
    ...['/batches', '/batches?tab=batch', '/batches?tab=sheet', '/batches?tab=all', '/train'],
    ...['/train?tab=run', '/train?tab=all', '/resolution', '/decoding'],
  ];
  const settle = async (page: Page) => {
    await page.locator('#main h1').waitFor(SLOW);
    await page.waitForTimeout(500); // for what is loaded after the view
  };

  for (const theme of ['light', 'dark'] as const)
    it(`has no serious violation by axe-core, ${theme}`, async () => {
      const found: string[] = [];
      for (const place of PLACES) {
        const page = await harness.visit(place, { colorScheme: theme });
        await settle(page);
        found.push(...(await violationsOn(page)).map((one) => `${place} ${one}`));
        await page.context().close();
      }
      expect(found).toEqual([]);
    });

  it('fits a phone without scrolling sideways', async () => {
    const page = await harness.visit('/batches', { viewport: { width: 360, height: 740 } });
    for (const place of PLACES) {
      await page.goto(place);
      await settle(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect([place, width]).toEqual([place, 360]);
    }
  });

  it('gave the browser nothing to complain of', () => {
    // a broken CSV and a refused configuration are answers of 400, which the console lists; a missing sheet is a 404
    const own = harness.complaints.filter((text) => !/status of (400|404)/.test(text));
    expect(own).toEqual([]);
  });
});

/** The file that a press has the browser save. */
async function download(page: Page, button: ReturnType<Page['locator']>): Promise<Buffer> {
  const [saved] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return readFile(await saved.path());
}

/** Until the text of what is found matches. */
async function expectText(
  page: Page,
  found: ReturnType<Page['locator']>,
  wanted: RegExp,
): Promise<void> {
  let text = '';
  for (let tries = 0; tries < 300; tries++) {
    text = (await found.textContent(SLOW)) ?? '';
    if (wanted.test(text)) return;
    await page.waitForTimeout(100);
  }
  expect(text).toMatch(wanted);
}
