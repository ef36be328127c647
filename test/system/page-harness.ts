/** The page in a real browser, also on the server with fake services. Debian: apt-get install chromium. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { createServer } from '../../web/server.ts';
import type { Services } from '../../web/services.ts';
import { createFakeServices } from '../web/fake-services.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Outside CI a machine without a browser skips these tests and says so; under CI they fail there. */
export const hasBrowser = existsSync(CHROMIUM) || Boolean(process.env.CI);
if (!hasBrowser) console.warn(`page: skipped, no browser at ${CHROMIUM}; set CHROMIUM`);

const ROOT = join(import.meta.dirname, '../..');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const PAGES = [
  ...['/', '/gallery', '/batches', '/queue', '/train', '/resolution', '/decoding'],
  ...['/models', '/system', '/more', '/login'],
];

/** A real browser at an address. */
export type Browsing = {
  readonly address: string;
  /** A visitor of their own: no cookie, no memory. */
  visit(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** The same, before anything is loaded. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** What the browser complained of since the start: errors, and what the policy of content forbade. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
};
export type Harness = Browsing & { readonly services: Services };

export async function openBrowser(address: string): Promise<Browsing> {
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
  });
  const complaints: string[] = [];
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      baseURL: address,
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(60_000); // a machine with other work to do
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') {
        const { url } = message.location();
        complaints.push(`${message.text()} ${url && new URL(url).pathname}`);
      }
    });
    return page;
  };
  return {
    ...{ address, complaints, open },
    async visit(path, options = {}) {
      const page = await open(options);
      await page.goto(path);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      return page;
    },
    close: () => browser.close(),
  };
}

/** Builds the page as it is now, not as it was at the last build. `step` is the time of a fake step. */
export async function openHarness({
  step = 25,
  services = createFakeServices({ step }),
}: {
  step?: number;
  services?: Services;
} = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-page-'));
  await build({
    configFile: join(ROOT, 'web/ui/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: folder },
  });
  const app = createServer(services, { page: folder });
  const browser = await openBrowser(await app.listen({ port: 0, host: '127.0.0.1' }));
  return {
    ...browser,
    services,
    async close() {
      await browser.close();
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a first visitor is sent, in bytes of bodies as they are on the wire. */
export async function firstLoadOf({ open }: Pick<Browsing, 'open'>) {
  const page = await open();
  const loaded: Promise<{ path: string; type: string; bytes: number }>[] = [];
  page.on('requestfinished', (request) => {
    const about = { path: new URL(request.url()).pathname, type: request.resourceType() };
    loaded.push(request.sizes().then(({ responseBodySize: bytes }) => ({ ...about, bytes })));
  });
  await page.goto('/');
  await page.locator('#prompt').waitFor();
  await page.waitForTimeout(1000);
  const all = await Promise.all(loaded);
  await page.context().close();
  return all;
}

/** A file let go over the page, as from the desktop. */
export async function drop(page: Page, file: Buffer, name: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([bytes, called]) => {
      const data = new DataTransfer();
      const body = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      data.items.add(new File([body], called, { type: 'image/png' }));
      return data;
    },
    [file.toString('base64'), name] as const,
  );
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
}

/** What axe-core finds that is serious or worse, a line each. */
export async function violationsOn(page: Page): Promise<string[]> {
  // Evaluated by the debugger: the page's policy would not let a script of ours in.
  await page.evaluate(await readFile(AXE, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}
type AxeResults = {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
};
