/** The form's defaults, faults, repairs and requests, by what request.ts takes. */

import { describe, expect, it } from 'vitest';
import { type DiffusionOptions, type ImageRequest, parseRequest } from '../../../request.ts';
import { sayBeyond } from '../../../web/ui/state/beyond.ts';
import { draftOf } from '../../../web/ui/state/draft.ts';
import {
  afterRender,
  type Form,
  formFor,
  LARGEST_SEED,
  reachOf,
  readForm,
  sizeFor,
  stopsOf,
} from '../../../web/ui/state/form.ts';
import { problemsOf } from '../../../web/ui/state/problems.ts';
import { formOfRecipe, recipeOf } from '../../../web/ui/state/recipe.ts';
import { MODELS } from '../fake-services.ts';

const [diffusion, tokens] = [
  MODELS.find(({ sampling }) => sampling.kind === 'diffusion')!,
  MODELS.find(({ sampling }) => sampling.kind === 'tokens')!,
];
const form = (more: Partial<Form> = {}): Form => ({ ...formFor(diffusion), ...more });

/** What the server makes of a draft: words of the prompt aside. */
const requestOf = (now: Form, model = diffusion) => {
  const { prompt: _, negativePrompt: __, ...draft } = draftOf(now, model);
  return parseRequest({ version: 1, condition: [], ...draft });
};

describe('formFor and draftOf', () => {
  it('make a valid request of every model with its defaults', () => {
    for (const model of MODELS) {
      const request = requestOf(formFor(model), model);
      expect(request.size).toEqual(model.trained);
      expect(request.sampling.kind).toBe(model.sampling.kind);
    }
  });

  it('send an extension only where one was chosen: none is an empty list', () => {
    expect(requestOf(form()).position).toBeUndefined();
    expect(requestOf(form({ extend: 'none' })).position).toEqual({ extend: [] });
    expect(requestOf(form({ extend: 'yarn' })).position).toEqual({ extend: 'yarn' });
    const extendOptions = { beta: 16 };
    expect(requestOf(form({ extend: 'yarn', extendOptions })).position).toEqual({
      extend: { method: 'yarn', beta: 16 },
    });
    expect(draftOf({ ...formFor(tokens), extend: 'yarn' }, tokens).position).toBeUndefined();
  });

  it('keep prompt, seed and count when the model changes', () => {
    const now = formFor(tokens, form({ prompt: 'red hair', seed: 7, count: 16, steps: 99 }));
    expect(now).toMatchObject({ model: tokens.id, prompt: 'red hair', seed: 7, count: 16 });
  });
});

describe('problemsOf', () => {
  it('is content with what a card says', () => {
    for (const model of MODELS) expect(problemsOf(formFor(model), model)).toEqual([]);
  });

  it('names value and limit, and every repair mends it', () => {
    const faulty: Partial<Form>[] = [
      { width: 250 },
      { height: 3 },
      { width: 10_000 },
      { width: Number.NaN },
      { steps: 0 },
      { steps: 2.5 },
      { shift: 0 },
      { guidance: 101 },
      { seed: -1 },
      { seed: LARGEST_SEED + 5 },
      { count: 10_001 },
    ];
    for (const part of faulty) {
      const now = form(part);
      const found = problemsOf(now, diffusion);
      expect(found, JSON.stringify(part)).toHaveLength(1);
      expect(found[0]!.message).toContain(String(Object.values(part)[0]));
      expect(found[0]!.repairs.length).toBeGreaterThan(0);
      for (const { change } of found[0]!.repairs)
        expect(problemsOf({ ...now, ...change }, diffusion), JSON.stringify(change)).toEqual([]);
    }
  });

  it('offers both neighbours of a side that is no whole number of patches', () => {
    const [found] = problemsOf(form({ width: 250 }), diffusion);
    expect(found!.repairs.map(({ label }) => label)).toEqual(['Use 248', 'Use 252']);
  });

  it('finds fault with a square once, and mends both sides of it', () => {
    const now = form({ width: 250, height: 250 });
    const found = problemsOf(now, diffusion);
    expect(found).toHaveLength(1);
    expect(found[0]!.repairs[0]!.change).toEqual({ width: 248, height: 248 });
  });

  it('knows that a model of tokens draws one size', () => {
    const now = { ...formFor(tokens), width: 128 };
    const [found] = problemsOf(now, tokens);
    expect(found!.repairs.map(({ label }) => label)).toEqual(['Use 64']);
    expect(problemsOf({ ...now, ...found!.repairs[0]!.change }, tokens)).toEqual([]);
  });
});

describe('sizes', () => {
  it('stop at parts and multiples of the trained side, up to the largest', () => {
    const size = { ...diffusion.size, trained: { width: 128, height: 96 } };
    const ofSizes = { ...diffusion, size };
    const picture = { width: 128, height: 128 };
    expect([reachOf(picture, diffusion), reachOf(picture, ofSizes)]).toEqual([2, 128 / 96]);
    expect(stopsOf(ofSizes)).toEqual(stopsOf(diffusion));
    expect(stopsOf(diffusion)).toEqual([32, 48, 64, 96, 128, 192, 256, 512]);
    expect(stopsOf(tokens)).toEqual([64]);
  });

  it('have whole patches at every ratio, and the longer side as asked', () => {
    expect(sizeFor(64, '16:9', diffusion.size)).toEqual({ width: 64, height: 36 });
    expect(sizeFor(64, '9:16', diffusion.size)).toEqual({ width: 36, height: 64 });
    expect(sizeFor(9999, '1:1', diffusion.size)).toEqual({ width: 512, height: 512 });
    expect(sizeFor(100, '4:3', { ...diffusion.size, multiple: 8 })).toEqual({
      ...{ width: 104, height: 80 },
    });
  });
});

describe('readForm', () => {
  it('keeps what is sound and takes the card for the rest', () => {
    const kept = { ...form({ prompt: 'glasses', steps: 7 }), width: 'wide', unknown: 1 };
    const now = readForm(kept, diffusion);
    expect(now).toMatchObject({ prompt: 'glasses', steps: 7, width: 64 });
  });
  it('begins anew where the model or its solver is gone', () => {
    expect(readForm(form({ solver: 'lost', prompt: 'a' }), diffusion).solver).toBe('dpmpp-2m');
    expect(readForm(form({ model: 'lost', prompt: 'a' }), diffusion)).toMatchObject({
      ...{ model: diffusion.id, prompt: 'a' },
    });
    for (const junk of [null, 3, 'x', []])
      expect(readForm(junk, diffusion)).toEqual(formFor(diffusion));
  });
});

describe('afterRender', () => {
  it('goes on with the seeds that follow under vary, and stays under lock', () => {
    expect(afterRender(form({ next: 'vary', seed: 10, count: 8 })).seed).toBe(18);
    expect(afterRender(form({ next: 'lock', seed: 10, count: 8 })).seed).toBe(10);
  });
});

describe('formOfRecipe', () => {
  const request: ImageRequest = {
    version: 1,
    model: diffusion.id,
    condition: ['style=pixel art', { word: 'hair color=red', weight: 1.5 }],
    negative: ['hair color=blue'],
    seed: 99,
    count: 1,
    size: { width: 128, height: 72 },
    position: { extend: { method: 'yarn', beta: 16 } },
    sampling: {
      ...{ kind: 'diffusion', solver: 'heun', steps: 12, guidance: { scale: 3 } },
      scheduleOptions: { shift: 3 },
    },
  };

  it('asks for the same again, word for word', () => {
    const now = formOfRecipe({ request }, diffusion);
    expect(requestOf(now)).toEqual(request);
    expect(now).toMatchObject({ ratio: '16:9', next: 'lock' });
    expect(now.prompt).toBe('pixel art, (red hair:1.5)');
  });

  it('keeps what it has no field for', () => {
    const rich: ImageRequest = {
      ...request,
      position: {
        extend: ['yarn', { method: 'sdpe', kappa: 2 }],
        micro: { crop: { top: 8, left: 0 } },
        coordinates: { inference: 'contiguous' },
      },
      sampling: {
        ...{ kind: 'diffusion', solver: 'heun', steps: 12 },
        solverOptions: { eta: 0.5 },
        scheduleOptions: { shift: 3 },
        guidance: { scale: 3, from: 0.2, to: 0.8 },
      },
    };
    const now = formOfRecipe({ request: rich }, diffusion);
    expect(requestOf(now)).toEqual(rich);
    expect(sayBeyond(now.beyond!)).toEqual([
      ...['eta 0.5', 'guidance from 0.2', 'guidance to 0.8'],
      ...['several extensions', 'coordinates inference contiguous', 'cut of a larger picture'],
    ]);
    expect(sayBeyond({ micro: 'trained' })).toEqual(['told the trained size']);
    expect(draftOf({ ...now, beyond: undefined }, diffusion).sampling).not.toHaveProperty(
      'solverOptions',
    );
    expect(formOfRecipe({ request }, diffusion, now).beyond).toBeUndefined();
  });

  it('keeps how guidance of tokens changes, and says it', () => {
    const sampling = {
      ...{ kind: 'tokens' as const, decoder: 'sequential', temperature: 1, guidance: 3 },
      guidanceOptions: { schedule: 'cosine', from: 0.25 },
    };
    const said = { request: { ...request, model: tokens.id, sampling } };
    const { beyond, ...now } = formOfRecipe(said, tokens);
    expect(sayBeyond(beyond!)).toEqual(['guidance schedule cosine', 'guidance from 0.25']);
    expect(draftOf({ ...now, beyond: beyond! }, tokens).sampling).toEqual(sampling);
  });

  it("has a time shift of its own, the model's where the recipe names none", () => {
    expect(formOfRecipe({ request }, diffusion)).toMatchObject({ shift: 3, beyond: undefined });
    const { scheduleOptions: _, ...plain } = request.sampling as DiffusionOptions;
    expect(formOfRecipe({ request: { ...request, sampling: plain } }, diffusion).shift).toBe(1);
    const shifted = draftOf(form({ shift: 2.5 }), diffusion);
    expect(shifted.sampling).toMatchObject({ scheduleOptions: { shift: 2.5 } });
  });

  it('sends the prompt instead once it was changed', () => {
    const now = { ...formOfRecipe({ request }, diffusion), prompt: 'blue hair' };
    expect(draftOf(now, diffusion)).toMatchObject({
      prompt: 'blue hair',
      negativePrompt: 'blue hair',
    });
    expect(draftOf(now, diffusion).condition).toBeUndefined();
  });

  it('is not fooled by what is no recipe', () => {
    for (const junk of [undefined, null, 3, {}, { request: {} }, { request: { model: 'a' } }])
      expect(recipeOf(junk)).toBeUndefined();
    expect(recipeOf({ request })).toBeDefined();
  });
});
