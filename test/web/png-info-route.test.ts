import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { encodePng } from '../../png.ts';
import { addText } from '../../png-chunks.ts';
import { createClient } from './client.ts';

const { app, ask } = createClient();
afterAll(() => app.close());

const plain = await encodePng({ data: new Uint8Array(12), width: 2, height: 2 });
const send = (payload: Buffer, type = 'image/png') =>
  ask('POST', '/api/v1/png-info', { payload, headers: { 'content-type': type } });

describe('POST /api/v1/png-info', () => {
  test('reads the body, or the file of a form', async () => {
    const parameters = 'red hair\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64';
    const file = addText(plain, { parameters });
    const { status, body } = await send(file);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      source: 'a1111',
      parameters,
      draft: { prompt: 'red hair', seed: 5 },
    });

    const edge = 'x-edge';
    const head = `--${edge}\r\ncontent-disposition: form-data; name="file"; filename="../../a.png"\r\ncontent-type: image/png\r\n\r\n`;
    const form = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${edge}--\r\n`)]);
    expect((await send(form, `multipart/form-data; boundary=${edge}`)).body).toEqual(body);
  });

  test('says what is wrong with other files, and stays up', async () => {
    const jpeg = await send(Buffer.from('ffd8ffe0', 'hex'), 'image/jpeg');
    expect(jpeg.status).toBe(400);
    expect(jpeg.body.error.message).toBe(
      'picture: expected a JPEG or WebP file, got a damaged one',
    );
    const other = await send(Buffer.from('GIF89a'));
    expect(other.body.error.message).toBe(
      'picture: expected a PNG, JPEG or WebP file, got other bytes',
    );
    const avif = await sharp(plain).avif().toBuffer();
    expect((await send(avif)).body.error.message).toBe(
      'picture: expected a PNG, JPEG or WebP file, got an AVIF file; convert it first',
    );
    expect(await send(avif, 'image/avif')).toMatchObject({
      status: 415,
      body: {
        error: {
          message: expect.stringContaining("webp or multipart/form-data, got 'image/avif'"),
        },
      },
    });
    const cut = await send(plain.subarray(0, 60));
    expect(cut.body.error.message).toContain('picture: expected');
    expect((await send(plain, 'text/html')).status).toBe(415);
    expect((await send(plain)).body).toMatchObject({ source: 'none' });
  });
});
