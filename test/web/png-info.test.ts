import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodePng } from '../../png.ts';
import { addText } from '../../png-chunks.ts';
import { formatParameters, type Recipe } from '../../request.ts';
import { parseInfotext } from '../../web/infotext.ts';
import { readPngInfo } from '../../web/png-info.ts';

const plain = await encodePng({ data: new Uint8Array(12), width: 2, height: 2 });
const withText = (texts: Record<string, string>) => readPngInfo(addText(plain, texts));

/** A JPEG or WebP with EXIF as sharp writes it, which is what libexif does. */
const withExif = (format: 'jpeg' | 'webp', exif: object) =>
  sharp(plain).withExif(exif).toFormat(format).toBuffer();

const recipe: Recipe = {
  version: 1,
  software: 'ropewalk 0.1.0',
  engine: 'onnx',
  provider: 'cpu',
  request: {
    version: 1,
    model: 'avatars',
    condition: ['style=avataaars', { word: 'hair color=red', weight: 1.5 }],
    seed: 7,
    count: 1,
    size: { width: 64, height: 96 },
    sampling: { kind: 'diffusion', solver: 'dpmpp-2m', steps: 25, guidance: { scale: 2 } },
  },
};

describe('infotext', () => {
  // Written by AUTOMATIC1111's web UI 1.10, as people paste it.
  const text = [
    'masterpiece, (red hair:1.2),',
    'a castle: old',
    'Negative prompt: lowres, bad hands,',
    'worst quality',
    'Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 965400086, Size: 512x768, Model hash: 45dee52b, Model: "odd, name: 1", Lora hashes: "a: 1f, b: \\"2\\"", Version: v1.10.1',
  ].join('\n');

  test('is prompt, negative prompt and pairs, of which some are quoted', () => {
    expect(parseInfotext(text)).toEqual({
      Prompt: 'masterpiece, (red hair:1.2),\na castle: old',
      'Negative prompt': 'lowres, bad hands,\nworst quality',
      Steps: '20',
      Sampler: 'DPM++ 2M',
      'Schedule type': 'Karras',
      'CFG scale': '7.5',
      Seed: '965400086',
      Size: '512x768',
      'Model hash': '45dee52b',
      Model: 'odd, name: 1',
      'Lora hashes': 'a: 1f, b: "2"',
      Version: 'v1.10.1',
    });
  });

  test('takes a last line with fewer than three pairs for a part of the prompt', () => {
    expect(parseInfotext('a cat\nSteps: 20, Seed: 3')).toEqual({
      Prompt: 'a cat\nSteps: 20, Seed: 3',
    });
    expect(parseInfotext('Steps: 20, Seed: 3, Size: 8x8')).toEqual({
      Steps: '20',
      Seed: '3',
      Size: '8x8',
    });
    expect(parseInfotext('')).toEqual({});
  });

  test('takes no longer for lines that were made to be slow', () => {
    const start = performance.now();
    for (const part of ['a ', 'a:"', ',a:"\\', ' ', 'a'])
      parseInfotext(part.repeat(100_000 / part.length));
    expect(performance.now() - start).toBeLessThan(1000); // quadratic: minutes
  });

  test('reads back what we write ourselves', () => {
    expect(parseInfotext(formatParameters(recipe))).toMatchObject({
      Prompt: 'style=avataaars, (hair color=red:1.5)',
      Sampler: 'DPM++ 2M',
      Seed: '7',
      Size: '64x96',
    });
  });
});

describe('readPngInfo', () => {
  test('knows our recipe, and takes one that does not fit for text', async () => {
    const ours = await withText({
      parameters: formatParameters(recipe),
      ropewalk: JSON.stringify(recipe),
    });
    expect(ours).toMatchObject({ source: 'ropewalk', recipe, facts: { Seed: '7' } });
    expect(ours.draft).toBeUndefined();
    for (const damaged of ['{', '{}', JSON.stringify({ ...recipe, request: { model: '../x' } })])
      expect(await withText({ ropewalk: damaged })).toEqual({
        source: 'none',
        facts: {},
        items: { ropewalk: damaged },
      });
  });

  test('makes a draft of what AUTOMATIC1111 wrote, of what a request can say', async () => {
    const parameters =
      'red hair\nNegative prompt: glasses\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 5, Size: 512x768';
    expect(await withText({ parameters })).toEqual({
      source: 'a1111',
      parameters,
      facts: {
        Prompt: 'red hair',
        'Negative prompt': 'glasses',
        Steps: '20',
        Sampler: 'DPM++ 2M',
        'CFG scale': '7',
        Seed: '5',
        Size: '512x768',
      },
      draft: {
        prompt: 'red hair',
        negativePrompt: 'glasses',
        seed: 5,
        size: { width: 512, height: 768 },
        sampling: { solver: 'dpmpp-2m', steps: 20, guidance: { scale: 7 } },
      },
      items: { parameters },
    });
    const odd =
      'x\nSteps: 20000, Sampler: Euler a, CFG scale: -7, Seed: -1, Size: 99999x1, Model: m';
    expect((await withText({ parameters: odd })).draft).toEqual({ prompt: 'x' });
  });

  // The example graph of ComfyUI's own documentation of its API.
  const graph = {
    '3': {
      class_type: 'KSampler',
      inputs: {
        cfg: 8,
        denoise: 1,
        latent_image: ['5', 0],
        model: ['4', 0],
        negative: ['7', 0],
        positive: ['6', 0],
        sampler_name: 'euler',
        scheduler: 'normal',
        seed: 8566257,
        steps: 20,
      },
    },
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'v1-5.safetensors' } },
    '5': { class_type: 'EmptyLatentImage', inputs: { batch_size: 1, height: 512, width: 640 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { clip: ['4', 1], text: 'a bottle' } },
    '7': { class_type: 'CLIPTextEncode', inputs: { clip: ['4', 1], text: 'bad hands' } },
  };

  test('reads a graph of ComfyUI back from its sampler', async () => {
    expect(
      await withText({ prompt: JSON.stringify(graph), workflow: '{"nodes":[]}' }),
    ).toMatchObject({
      source: 'comfyui',
      facts: {
        Prompt: 'a bottle',
        'Negative prompt': 'bad hands',
        Seed: '8566257',
        Steps: '20',
        Sampler: 'euler',
        'CFG scale': '8',
        Size: '640x512',
        Model: 'v1-5.safetensors',
      },
      draft: { prompt: 'a bottle', seed: 8566257, sampling: { solver: 'euler', steps: 20 } },
    });
    expect(await withText({ workflow: '{"nodes":[]}' })).toMatchObject({
      source: 'comfyui',
      facts: {},
    });
  });

  test('survives graphs that go in circles or nowhere', async () => {
    const circle = {
      ...graph,
      '6': {
        class_type: 'Concat',
        inputs: { a: ['6', 0], b: ['7', 0], c: ['3', 0], d: ['99', 0] },
      },
      '7': { class_type: 'Concat', inputs: { a: ['6', 0] } },
      x: null,
      y: 7,
    };
    const { facts } = await withText({ prompt: JSON.stringify(circle) });
    expect(facts).toMatchObject({ Seed: '8566257' });
    expect(facts.Prompt).toBeUndefined();
  });

  test('reads InvokeAI and SwarmUI', async () => {
    const invokeai = {
      generation_mode: 'txt2img',
      positive_prompt: 'a fox',
      negative_prompt: '',
      width: 512,
      height: 512,
      seed: 3,
      cfg_scale: 7.5,
      steps: 30,
      scheduler: 'dpmpp_2m',
      model: { key: 'k', name: 'juggernaut' },
    };
    expect(await withText({ invokeai_metadata: JSON.stringify(invokeai) })).toMatchObject({
      source: 'invokeai',
      facts: { Prompt: 'a fox', Size: '512x512', Model: 'juggernaut', 'CFG scale': '7.5' },
      draft: { prompt: 'a fox', sampling: { solver: 'dpmpp-2m', steps: 30 } },
    });
    const swarm = {
      sui_image_params: { prompt: 'a cat', seed: 9, steps: 8, cfgscale: 1, width: 64, height: 32 },
      sui_extra_data: { date: '2026-01-01' },
    };
    expect(await withText({ parameters: JSON.stringify(swarm) })).toMatchObject({
      source: 'swarmui',
      facts: { Prompt: 'a cat', Size: '64x32', Seed: '9' },
    });
  });

  test('leaves mark-up and the names of objects alone: all is text', async () => {
    const nasty = '<img src=x onerror=alert(1)>{{7*7}}';
    const found = await withText({ parameters: nasty, __proto__x: 'a', Comment: nasty });
    expect(found).toMatchObject({ source: 'a1111', facts: { Prompt: nasty } });
    expect(found.items.Comment).toBe(nasty);
    const info = parseInfotext('x\n__proto__: 1, constructor: 2, toString: 3');
    expect(Object.getPrototypeOf(info)).toBe(Object.prototype);
    expect(Object.hasOwn(info, '__proto__')).toBe(true);
  });

  test('finds nothing in a picture without text, and refuses what is no PNG', async () => {
    expect(await readPngInfo(plain)).toEqual({ source: 'none', facts: {}, items: {} });
    await expect(readPngInfo(Buffer.from('GIF89a'))).rejects.toThrow('a PNG, JPEG or WebP file');
  });

  const parameters =
    'red hair\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x768, Version: v1.10.1';

  test.each(['jpeg', 'webp'] as const)(
    'reads %s files that AUTOMATIC1111 wrote',
    async (format) => {
      const file = await withExif(format, { IFD2: { UserComment: parameters } });
      expect(await readPngInfo(file)).toMatchObject({
        source: 'a1111',
        facts: { Prompt: 'red hair', Seed: '5' },
        draft: { prompt: 'red hair', seed: 5, size: { width: 512, height: 768 } },
        items: { parameters },
      });
    },
  );

  test('reads WebP files that ComfyUI wrote', async () => {
    const exif = {
      IFD0: { Model: `prompt:${JSON.stringify(graph)}`, Make: 'workflow:{"nodes":[]}' },
    };
    expect(await readPngInfo(await withExif('webp', exif))).toMatchObject({
      source: 'comfyui',
      facts: { Prompt: 'a bottle', Seed: '8566257' },
      items: { prompt: JSON.stringify(graph), workflow: '{"nodes":[]}' },
    });
    const camera = { IFD0: { Model: 'X100', Make: 'Fujifilm' } };
    const photo = { source: 'none', facts: {}, items: {} };
    expect(await readPngInfo(await withExif('jpeg', camera))).toEqual(photo);
    expect(await readPngInfo(await sharp(plain).webp().toBuffer())).toEqual(photo);
  });
});
