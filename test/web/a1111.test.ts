/** The API of AUTOMATIC1111's web UI. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { decodePicture, encodePng, readRecipe } from '../../png.ts';
import { addText } from '../../png-chunks.ts';
import type { Recipe } from '../../request.ts';
import { parseInfotext } from '../../web/infotext.ts';
import { createClient } from './client.ts';

const { app, services, ask } = createClient();
const { jobs } = await services;
afterAll(() => app.close());

const api = '/sdapi/v1';
const txt2img = (payload: object) => ask('POST', `${api}/txt2img`, { payload });

/** Keys of the web UI's `Processed.js`, in its order. */
const INFO_KEYS = [
  ...['prompt', 'all_prompts', 'negative_prompt', 'all_negative_prompts', 'seed', 'all_seeds'],
  ...['subseed', 'all_subseeds', 'subseed_strength', 'width', 'height', 'sampler_name'],
  ...['cfg_scale', 'steps', 'batch_size', 'restore_faces', 'face_restoration_model'],
  ...['sd_model_name', 'sd_model_hash', 'sd_vae_name', 'sd_vae_hash', 'seed_resize_from_w'],
  ...['seed_resize_from_h', 'denoising_strength', 'extra_generation_params'],
  ...['index_of_first_image', 'infotexts', 'styles', 'job_timestamp', 'clip_skip'],
  ...['is_using_inpainting_conditioning', 'version'],
];

describe('txt2img', () => {
  test('makes n_iter * batch_size pictures, and says all of them in info', async () => {
    const asked = {
      ...{ prompt: 'red hair', negative_prompt: 'glasses', seed: 7, steps: 2, cfg_scale: 3 },
      ...{ width: 48, height: 32, sampler_name: 'DPM++ 2M', n_iter: 2, batch_size: 2 },
      ...{ scheduler: 'Automatic', eta: 0.5, do_not_save_samples: true },
    };
    const { status, body } = await txt2img(asked);
    expect(status).toBe(200);
    expect(body.parameters).toMatchObject(asked);
    expect(body.images).toHaveLength(4);
    const files: Buffer[] = body.images.map((text: string) => Buffer.from(text, 'base64'));
    for (const [i, file] of files.entries()) {
      expect(await decodePicture(file)).toMatchObject({ width: 48, height: 32 });
      expect((readRecipe(file) as Recipe).request).toMatchObject({
        condition: ['hair color=red'],
        negative: ['glasses=yes'],
        seed: 7 + i,
        sampling: { solver: 'dpmpp-2m', steps: 2, guidance: { scale: 3 } },
      });
    }
    const info = JSON.parse(body.info);
    expect(Object.keys(info)).toEqual(INFO_KEYS);
    expect(info).toMatchObject({
      seed: 7,
      all_seeds: [7, 8, 9, 10],
      width: 48,
      steps: 2,
      batch_size: 2,
    });
    expect(info.infotexts.map((text: string) => parseInfotext(text).Seed)).toEqual([
      '7',
      '8',
      '9',
      '10',
    ]);
    expect(info.job_timestamp).toMatch(/^20\d{12}$/);
  });

  test('draws a seed for -1, takes the model from override_settings, and sends no pictures unasked', async () => {
    const ask2 = async (more: object) =>
      JSON.parse((await txt2img({ steps: 1, ...more })).body.info);
    const [one, two] = [await ask2({ seed: -1 }), await ask2({})];
    expect(one.seed).not.toBe(two.seed); // once in 2^32 runs
    const tokens = await txt2img({
      override_settings: { sd_model_checkpoint: 'avatars-tokens [0000000000]' },
      ...{ sampler_name: 'sjd', cfg_scale: 1.5, send_images: false },
    });
    expect(tokens.body.images).toEqual([]);
    expect(JSON.parse(tokens.body.info)).toMatchObject({
      ...{ sd_model_name: 'avatars-tokens', sampler_name: 'sjd', cfg_scale: 1.5 },
    });
  });

  test.each<[object, string, string]>([
    [{ steps: 0 }, 'steps', 'expected a whole number from 1 to 1000'],
    [{ seed: -2 }, 'seed', 'expected a whole number from -1'],
    [{ width: 6 }, 'width', 'expected a multiple of the patch (4)'],
    [{ prompt: 'horse' }, 'prompt', "expected words of 'avatars'"],
    [{ negative_prompt: 'horse' }, 'negative_prompt', "expected words of 'avatars'"],
    [{ enable_hr: true }, 'enable_hr', 'not known here'],
    [{ alwayson_scripts: { controlnet: {} } }, 'alwayson_scripts', 'not known here'],
    [{ override_settings: { sd_model_checkpoint: 'avatar' } }, 'override_settings', 'did you mean'],
    [{ prompt: 7 }, 'prompt', 'expected text'],
    [
      { n_iter: 2, batch_size: 51 },
      'n_iter',
      'expected at most 100 pictures at a time, got 2 * 51',
    ],
  ])('refuses %j with 422 as FastAPI does', async (payload, field, message) => {
    const { status, body } = await txt2img(payload);
    expect(status).toBe(422);
    expect(body.detail).toEqual([
      { loc: ['body', field], msg: expect.stringContaining(message), type: 'value_error' },
    ]);
  });

  test('does not know every sampler, nor every path', async () => {
    expect(await txt2img({ sampler_name: 'PLMS' })).toMatchObject({
      status: 404,
      body: { detail: 'Sampler not found' },
    });
    expect(await ask('GET', `${api}/loras`)).toMatchObject({
      status: 404,
      body: { detail: 'Not Found' },
    });
  });
});

describe('progress and interrupt', () => {
  test('show how far the oldest is, and end it with what is finished', async () => {
    const idle = await ask('GET', `${api}/progress`);
    expect(idle.body).toMatchObject({
      progress: 0,
      eta_relative: 0,
      current_image: null,
      state: { job_count: 0 },
    });

    const pictures = txt2img({ steps: 30, n_iter: 50, seed: 1 });
    let shown = idle;
    while (shown.body.state.job_no < 1) {
      await wait(20);
      shown = await ask('GET', `${api}/progress?skip_current_image=false`);
    }
    expect(shown.body.progress).toBeGreaterThanOrEqual(1 / 50);
    expect(shown.body.progress).toBeLessThan(1);
    const { state } = shown.body;
    expect(state).toMatchObject({ job_count: 50, sampling_steps: 30 });
    expect(state.job_no + state.sampling_step / 30).toBeCloseTo(50 * shown.body.progress, 10);
    expect(await decodePicture(Buffer.from(shown.body.current_image, 'base64'))).toMatchObject({
      width: 16,
    });
    const bare = await ask('GET', `${api}/progress?skip_current_image=true`);
    expect(bare.body.current_image).toBeNull();

    // As their clients do: no body, no content type.
    expect(await ask('POST', `${api}/interrupt`)).toMatchObject({ status: 200, body: {} });
    const { status, body } = await pictures;
    expect(status).toBe(200);
    expect(body.images.length).toBeGreaterThan(0);
    expect(body.images.length).toBeLessThan(50);
    const { items } = await jobs.list({ limit: 1 });
    expect(items[0]!.state).toBe('cancelled');
    expect((await ask('POST', `${api}/interrupt`)).status).toBe(200);
  });

  test('a form of another site cannot interrupt', async () => {
    const headers = { origin: 'http://evil.example' };
    expect((await ask('POST', `${api}/interrupt`, { headers })).status).toBe(403);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask('POST', `${api}/interrupt`, { headers: form, payload: 'a=1' })).status).toBe(
      415,
    );
  });
});

describe('samplers, sd-models and png-info', () => {
  test('list solvers and decoders by our names, with theirs', async () => {
    const { body } = await ask('GET', `${api}/samplers`);
    expect(body).toContainEqual({ name: 'dpmpp-2m', aliases: ['DPM++ 2M'], options: {} });
    expect(body).toContainEqual({ name: 'sjd', aliases: [], options: {} });
  });

  test('list models by titles that override_settings takes', async () => {
    const { body } = await ask('GET', `${api}/sd-models`);
    expect(body.map(({ model_name }: { model_name: string }) => model_name)).toEqual([
      'avatars',
      'avatars-tokens',
    ]);
    expect(body[0]).toMatchObject({
      title: 'avatars [0000000000]',
      filename: 'avatars.safetensors',
    });
  });

  test('read the text of a PNG, also from a data URL', async () => {
    const plain = await encodePng({ data: new Uint8Array(12), width: 2, height: 2 });
    const text = 'a cat\nSteps: 20, Sampler: Euler a, Seed: 3, Size: 8x8';
    const image = addText(plain, { parameters: text }).toString('base64');
    for (const payload of [{ image }, { image: `data:image/png;base64,${image}` }])
      expect((await ask('POST', `${api}/png-info`, { payload })).body).toEqual({
        info: text,
        items: { parameters: text },
        parameters: { Prompt: 'a cat', Steps: '20', Sampler: 'Euler a', Seed: '3', Size: '8x8' },
      });
    const other = await ask('POST', `${api}/png-info`, { payload: { image: 'AAAA' } });
    expect([other.status, other.body.detail[0].msg]).toEqual([
      422,
      'picture: expected a PNG, JPEG or WebP file, got other bytes',
    ]);
  });
});
