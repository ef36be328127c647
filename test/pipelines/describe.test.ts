import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POSITION_METHODS } from '../../encoders/positions/registry.ts';
import type { TokenCard } from '../../generators/token-model.ts';
import { describeModel } from '../../pipelines/describe.ts';
import { resolveRequest } from '../../pipelines/render.ts';
import { DECODER_NAMES } from '../../pipelines/token-decoders.ts';
import { type ImageRequest, parseRequest } from '../../request.ts';
import { SOLVERS } from '../../sampling/diffusion/registry.ts';
import type { ModelView } from '../../web/services.ts';
import { tinyModel } from './tiny-model.ts';
import { writeTinyTokenModel } from './tiny-token-model.ts';

let parent: string;
let token: TokenCard;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ropewalk-describe-'));
  ({ card: token } = await writeTinyTokenModel(parent));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

const asked = {
  version: 1,
  condition: [],
  seed: 0,
  size: { width: 32, height: 32 },
  sampling: { kind: 'diffusion', solver: 'euler', steps: 1 },
} as const;

/** Methods with the first of every option's choices, as a form would send them. */
const filled = ({
  name,
  options,
}: {
  name: string;
  options: readonly { name: string; default?: unknown }[];
}) => ({
  method: name,
  ...Object.fromEntries(options.map((option) => [option.name, option.default])),
});

describe('a model as forms see it', () => {
  test('a diffusion model: every solver, and every extension that its positions allow', () => {
    const { card, weights } = tinyModel();
    const view: ModelView = describeModel(card);
    const numbers = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
    expect(view).toMatchObject({
      id: 'tiny',
      parameters: numbers,
      size: { multiple: 4, largestSide: 64, fixed: false, trained: { width: 16, height: 16 } },
    });
    const sizes: [number, number][] = [
      [16, 16],
      [24, 16],
      [16, 32],
    ];
    expect(describeModel({ ...card, sizes }).size.trained).toEqual({ width: 32, height: 24 });
    if (view.sampling.kind !== 'diffusion') expect.fail('expected diffusion');
    expect(view.sampling.solvers).toEqual(Object.keys(SOLVERS));
    const names = view.sampling.extensions.map(({ name }) => name);
    const without = POSITION_METHODS.extend.filter(({ name }) => !names.includes(name));
    expect(without.map(({ name }) => name)).toEqual(['longrope']); // its factors have no default
    for (const extension of view.sampling.extensions) {
      const request = { ...asked, model: 'tiny', position: { extend: filled(extension) } };
      expect(() => resolveRequest(parseRequest(request), card)).not.toThrow();
    }
  });

  test('a model whose positions cannot be extended offers what is left', () => {
    const { card } = tinyModel({ positions: { embed: 'sincos2d' } });
    const { sampling } = describeModel(card) as ModelView;
    if (sampling.kind !== 'diffusion') expect.fail('expected diffusion');
    expect(sampling.extensions.map(({ name }) => name)).toEqual(['attention-scale', 'time-shift']);
  });

  test('a token model: every decoder with its promise, and defaults that fit its grid', () => {
    const view: ModelView = describeModel(token);
    expect(view.size).toMatchObject({ multiple: 4, largestSide: 16, fixed: true });
    if (view.sampling.kind !== 'tokens') expect.fail('expected tokens');
    expect(view.sampling.decoders.map(({ name }) => name)).toEqual(DECODER_NAMES);
    const jacobi = view.sampling.decoders.find(({ name }) => name === 'fixed-noise')!;
    expect(jacobi.exactness).toBe('identical');
    for (const { name, options } of view.sampling.decoders) {
      const { method: _, ...decoderOptions } = filled({ name, options });
      const sampling = {
        kind: 'tokens',
        decoder: name,
        decoderOptions,
      } as ImageRequest['sampling'];
      const request = { ...asked, model: 'tiny-tokens', size: { width: 16, height: 16 }, sampling };
      expect(() => resolveRequest(parseRequest(request), token), name).not.toThrow();
    }
  });
});
