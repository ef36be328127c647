import { describe, expect, it } from 'vitest';
import type { ModelView } from '../../../web/services.ts';
import {
  axesOf,
  chipsOf,
  gridOf,
  productOf,
  readNumbers,
  readPhrases,
  readSize,
  sizeHint,
  sizesOf,
  titleOf,
} from '../../../web/ui/batches/axes.ts';
import { diffusionView, tokenView } from './model-views.ts';

const numbers = { title: 'Seeds', least: 0, whole: true };

describe('axes of a model', () => {
  it('come from its card: extensions and solvers of a diffusion model, decoders of a token model', () => {
    const names = (model: ModelView) => axesOf(model).map(({ name }) => name);
    expect(names(diffusionView)).toEqual([
      ...['prompt', 'style', 'size', 'extension', 'seed', 'guidance', 'solver', 'steps', 'shift'],
    ]);
    expect(names(tokenView)).toEqual(['prompt', 'seed', 'guidance', 'decoder', 'temperature']);
  });

  it('offer a method that the page never heard of', () => {
    const { sampling } = diffusionView;
    if (sampling.kind !== 'diffusion') throw new Error('expected a diffusion model');
    const extensions = [...sampling.extensions, { name: 'new', title: 'New one', options: [] }];
    const model = { ...diffusionView, sampling: { ...sampling, extensions } };
    const axis = axesOf(model).find(({ name }) => name === 'extension')!;
    expect(axis.choices.map(({ title }) => title)).toEqual(['none', 'YaRN', 'NTK', 'New one']);
  });

  it('offer sizes that the model can draw: multiples up to its largest side', () => {
    expect(sizesOf(diffusionView).map(({ value }) => value)).toEqual([
      ...['48x48', '64x64', '96x96', '128x128', '192x192', '256x256', '128x64'],
    ]);
    const coarse = {
      ...diffusionView,
      size: { ...diffusionView.size, multiple: 64, largestSide: 128 },
    };
    expect(sizesOf(coarse).map(({ title }) => title)).toEqual(['64', '128', '128 × 64']);
  });
});

describe('readNumbers', () => {
  it('takes lists and ranges, each value once', () => {
    expect(readNumbers('1 to 4, 7 9-10; 3', numbers)).toEqual([...'123479', '10']);
    expect(readNumbers('1, 2.5 4', { title: 'Guidance', least: 0, most: 100 })).toEqual([
      ...['1', '2.5', '4'],
    ]);
  });

  it('names what is wrong', () => {
    const read = (text: string) => () => readNumbers(text, numbers);
    expect(read('1, fox')).toThrow("Seeds: expected numbers or ranges like 1 to 8, got 'fox'");
    expect(read('8 to 1')).toThrow('the lower first, got 8 to 1');
    expect(read('1 to 5000')).toThrow('up to 1000 whole numbers');
    expect(read('1.5')).toThrow('Seeds: expected whole numbers of 0 or more, got 1.5');
    expect(() =>
      readNumbers('1001', { title: 'Steps', least: 1, most: 1000, whole: true }),
    ).toThrow('of 1 to 1000, got 1001');
  });
});

describe('chips', () => {
  it('show a run of whole numbers as one', () => {
    expect(chipsOf(['1', '2', '3', '4', '9', '10', 'red']).map(({ title }) => title)).toEqual([
      ...['1 to 4', '9', '10', 'red'],
    ]);
    expect(chipsOf(['1', '2', '3'])[0]!.values).toEqual(['1', '2', '3']);
  });
});

describe('a grid', () => {
  const values = {
    prompt: ['red hair', 'glasses'],
    size: ['64x64', '128x128'],
    seed: ['1', '2', '3'],
    guidance: ['2'],
  };

  it('has the axes with values, the seeds last so that they turn fastest', () => {
    const body = gridOf(diffusionView, values, { title: '', negative: 'hat' });
    expect(body.grid.axes.map(({ name }) => name)).toEqual(['prompt', 'size', 'guidance', 'seed']);
    expect(body.grid.base).toEqual({ model: 'avatars', negativePrompt: 'hat' });
    expect(productOf(body)).toBe(12);
  });

  it('is named by what changes in it, unless it has a name', () => {
    expect(gridOf(diffusionView, values, { title: '' }).title).toBe(
      '2 prompts × 2 sizes × 3 seeds, 12 pictures',
    );
    expect(gridOf(diffusionView, values, { title: ' mine ' }).title).toBe('mine');
    expect(titleOf([{ name: 'prompt', values: ['fox'] }])).toBe('one picture');
  });

  it('leaves out axes that the model does not have', () => {
    const body = gridOf(tokenView, { ...values, decoder: ['sjd'] }, { title: '' });
    expect(body.grid.axes.map(({ name }) => name)).toEqual([
      ...['prompt', 'guidance', 'decoder', 'seed'],
    ]);
  });

  it('says which sizes were never trained', () => {
    expect(sizeHint(diffusionView, ['64x64'])).toBeUndefined();
    expect(sizeHint(diffusionView, ['64x64', '96x96', '128x64'])).toBe(
      '96 and 128 × 64 were never trained: 1.5× and 2×.',
    );
  });
});

it('prompts are lines, sizes are sides', () => {
  expect(readPhrases(' red hair, glasses \n\nblue eyes\nblue eyes')).toEqual([
    ...['red hair, glasses', 'blue eyes'],
  ]);
  expect(readPhrases('red hair, \nblue eyes;,\n, \n')).toEqual(['red hair', 'blue eyes']);
  expect(readSize('96')).toEqual({ width: 96, height: 96 });
  expect(readSize('128 × 64')).toEqual({ width: 128, height: 64 });
  expect(readSize('big')).toBeUndefined();
});
