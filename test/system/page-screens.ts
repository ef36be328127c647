/**
 * Pictures of every page for docs/images/page, of `ropewalk serve` with what it has drawn and trained itself:
 * `npm run build && npx tsx test/system/page-screens.ts`. Takes about ten minutes on two cores. A folder of data as
 * argument is kept, and what is in it is not made again.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { Job } from '../../jobs/job.ts';
import { openBrowser } from './page-harness.ts';
import { startServer } from './ropewalk-server.ts';

const OUT = join(import.meta.dirname, '../../docs/images/page');
const SIZES = [64, 96, 128].map((side) => ({ width: side, height: side }));
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };

const [given] = process.argv.slice(2);
const data = given ?? (await mkdtemp(join(tmpdir(), 'ropewalk-screens-')));
const server = await startServer(data);
const browser = await openBrowser(server.address);
try {
  await makeData();
  await mkdir(OUT, { recursive: true });
  for (const shot of SHOTS()) await take(shot);
} finally {
  await browser.close();
  await server.stop();
  if (!given) await rm(data, { recursive: true, force: true });
}

type Shot = {
  readonly name: string;
  readonly path: string;
  readonly options?: Parameters<typeof browser.visit>[1];
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<unknown>;
};

function SHOTS(): readonly Shot[] {
  const dark = { colorScheme: 'dark' } as const;
  const ask = async (page: Page) => {
    await page.fill('#prompt', 'avataaars, pink hair, sunglasses');
    await page.keyboard.press('Escape');
    const fold = page.locator('.side.l summary.phone-only');
    const isFolded = await fold.isVisible();
    if (isFolded) await fold.click();
    await page.fill('#count', '8');
    await page.fill('#seed', '21');
    if (isFolded) await fold.click();
    await page.keyboard.press('Control+Enter');
  };
  const draw = async (page: Page) => {
    await ask(page);
    await page.locator('.film li').nth(3).waitFor();
  };
  const finish = async (page: Page) => {
    await ask(page);
    await page.locator('.rack .pic:not(.pending):not(.live) img').nth(7).waitFor();
    await page.locator('.rack .open').nth(1).click();
  };
  const sheet = (page: Page) => page.locator('table.sheet tbody img').first().waitFor();
  return [
    { name: 'generate', path: '/', act: draw },
    { name: 'generate-dark', path: '/', act: finish, options: dark },
    { name: 'generate-phone', path: '/', act: finish, options: PHONE },
    { name: 'gallery', path: '/gallery' },
    { name: 'gallery-phone', path: '/gallery', options: PHONE },
    { name: 'batches', path: '/batches?tab=sheet', act: sheet },
    { name: 'train', path: '/train?tab=run' },
    { name: 'resolution', path: '/resolution' },
    { name: 'decoding', path: '/decoding' },
    { name: 'models', path: '/models' },
    { name: 'system', path: '/system' },
    { name: 'queue', path: '/queue', act: fillQueue, options: dark },
  ];
}

/** As a palette of colours: a third of the bytes. */
async function take({ name, path, act, options }: Shot): Promise<void> {
  const page = await browser.visit(path, options);
  await act?.(page);
  await page.waitForFunction(picturesAreIn);
  await page.waitForTimeout(800); // what fades in
  await page.evaluate(hide, { [data]: '~/.local/share/ropewalk', [hostname()]: 'studio' });
  const png = await sharp(await page.screenshot())
    .png({ palette: true, quality: 80, dither: 0.5, effort: 10 })
    .toBuffer();
  await writeFile(join(OUT, `${name}.png`), png);
  console.log(`${name}.png, ${Math.round(png.length / 1000)} kB`);
  await page.context().close();
}

/** In the page: whether those in view are loaded. */
function picturesAreIn(): boolean {
  return [...document.images]
    .filter((image) => image.getBoundingClientRect().top < innerHeight)
    .every((image) => image.complete);
}

/** In the page: other words for what is of this machine alone. */
function hide(words: Readonly<Record<string, string>>): void {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    for (const [own, other] of Object.entries(words))
      text.nodeValue = text.nodeValue!.replaceAll(own, other);
}

async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${server.address}/api/v1${path}`, {
    method,
    ...(body && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

async function ended({ id }: Pick<Job, 'id'>): Promise<void> {
  for (;;) {
    const { job } = await call<{ job: Job }>('GET', `/jobs/${id}`);
    if (job.state === 'done') return;
    if (job.state === 'failed') throw new Error(`${job.title}: ${job.reason}`);
    await delay(500);
  }
}

async function makeData(): Promise<void> {
  const { jobs } = await call<{ jobs: Job[] }>('GET', '/jobs?limit=200');
  if (jobs.length > 0) {
    const long = jobs.filter(({ kind }) => kind === 'train' || kind === 'evaluate');
    for (const job of long) await ended(job);
    return;
  }
  const { configs } = await call<{ configs: { name: string; config: object }[] }>(
    'GET',
    '/train/configs',
  );
  const first = configs.find(({ name }) => name === 'first-run')!;
  const started = [
    await call<{ job: Job }>('POST', '/train', { config: first.config }),
    await call<{ job: Job }>('POST', '/evaluate', {
      what: 'resolution',
      config: {
        ...{ models: ['avatars-64'], sizes: SIZES, extend: ['none', 'yarn'] },
        ...{ samples: 16, seeds: 2 },
      },
    }),
  ];
  const prompts = [
    ...['avataaars, red hair, glasses', 'lorelei, glasses', 'pixel art, hat', 'bottts'],
    ...['adventurer, pink hair', 'micah, blue hair', 'big smile, blonde hair', 'toon head'],
  ];
  for (const [at, prompt] of prompts.entries())
    started.push(
      await call('POST', '/images', { model: 'avatars', prompt, count: 5, seed: 100 * at }),
    );
  started.push(
    await call('POST', '/batches', {
      title: 'steps, guidance and size',
      grid: {
        base: { model: 'avatars', prompt: 'avataaars, red hair, glasses', seed: 7, count: 1 },
        axes: [
          { name: 'steps', values: [4, 10, 25] },
          { name: 'guidance', values: [1, 2, 4, 6] },
          { name: 'size', values: [64, 96] },
        ],
      },
    }),
  );
  for (const { job } of started) await ended(job);
}

/** A queue with something in each state, which ends with the server. */
async function fillQueue(page: Page): Promise<void> {
  const add = (prompt: string, more = {}) =>
    call<{ job: Job }>('POST', '/images', { model: 'avatars', prompt, count: 16, ...more });
  await add('avataaars, red hair', { sampling: { steps: 250 } });
  await add('pixel art, glasses', { priority: 50 });
  await add('notionists', { count: 100 });
  const { job } = await add('pixel art, hat', { count: 40 });
  await call('POST', `/jobs/${job.id}/pause`, {});
  await page.locator('.job').nth(3).waitFor();
}
