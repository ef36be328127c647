/** Bytes of a first visit to the page, as a browser is sent them: `npx tsx test/system/page-load.ts`. */
import { firstLoadOf, openHarness } from './page-harness.ts';

const harness = await openHarness();
const loaded = await firstLoadOf(harness);
await harness.close();

const CODE = ['document', 'stylesheet', 'script'];
const sum = (some: typeof loaded) => some.reduce((all, { bytes }) => all + bytes, 0);
for (const { path, type, bytes } of loaded) console.log(`${bytes} bytes, ${type}, ${path}`);
const code = loaded.filter(({ type }) => CODE.includes(type));
console.log(`${sum(code)} bytes of HTML, CSS and scripts; ${sum(loaded)} bytes in all`);
