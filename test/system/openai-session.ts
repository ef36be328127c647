/**
 * A session of the official `openai` client with `ropewalk serve`, printed as it happens:
 * `npx tsx test/system/openai-session.ts`, after `npm run build`. docs/operations.md has what it printed.
 */
import { createHash } from 'node:crypto';
import OpenAI from 'openai';
import { VERSION } from 'openai/version';
import { decodePicture } from '../../png.ts';
import { temporaryFolder } from '../jobs/toys.ts';
import { startServer } from './ropewalk-server.ts';

const { folder, remove } = await temporaryFolder();
const server = await startServer(folder);
const client = new OpenAI({ baseURL: `${server.address}/v1`, apiKey: 'none', maxRetries: 0 });
const bytes = (b64: string | undefined) => Buffer.from(b64 ?? '', 'base64');
const brief = async (file: Buffer) => {
  const { width, height, data } = await decodePicture(file);
  const pixels = createHash('sha256').update(data).digest('hex').slice(0, 16);
  return `${file.length} bytes, ${width} x ${height}, SHA-256 of its pixels ${pixels}...`;
};
/** What the types of the client do not know: fields of ours. */
const extra = (more: object) => more as Record<string, never>;
const asked = { model: 'avatars', prompt: 'avataaars, red hair, glasses' } as const;

console.log(`openai ${VERSION}`);
console.log('> client.models.list()');
for (const { id } of (await client.models.list()).data) console.log(id);

console.log("> client.images.generate({ model: 'avatars', prompt, n: 2, seed: 7 })");
const two = await client.images.generate({ ...asked, n: 2, ...extra({ seed: 7 }) });
for (const { b64_json } of two.data ?? []) console.log(await brief(bytes(b64_json)));

console.log("> client.images.generate({ model: 'avatars', prompt, seed: 8 })");
const one = await client.images.generate({ ...asked, ...extra({ seed: 8 }) });
for (const { b64_json } of one.data ?? []) console.log(await brief(bytes(b64_json)));

console.log('> client.images.generate({ ..., stream: true, partial_images: 2, seed: 7 })');
const events = await client.images.generate({
  ...{ ...asked, size: '96x96', stream: true, partial_images: 2 },
  ...extra({ seed: 7 }),
});
for await (const event of events)
  console.log(
    event.type,
    event.type === 'image_generation.partial_image' ? event.partial_image_index : '',
    await brief(bytes(event.b64_json)),
  );

console.log("> client.images.generate({ model: 'avatars', prompt: 'a horse' })");
try {
  await client.images.generate({ ...asked, prompt: 'a horse' });
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { status, code, param, message } = error;
  console.log(error.constructor.name, { status, code, param }, message);
}
await server.stop();
await remove();
