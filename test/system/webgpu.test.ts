/**
 * The GPU path of the onnx engine on a software GPU, so that it is tested on machines without one. On Debian:
 * apt-get install libvulkan1 chromium-common. A machine with a Vulkan driver of its own needs neither.
 */
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { tryProvider } from '../../tensor/engines/describe.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { expectClose } from '../close.ts';
import type { Drawn } from '../tensor/kernels/case.ts';
import { spread } from '../tensor/kernels/case.ts';
import { check } from '../tensor/kernels/check.ts';
import { convolutions } from '../tensor/kernels/convolutions.ts';
import { elementwise } from '../tensor/kernels/elementwise.ts';
import { movement } from '../tensor/kernels/movement.ts';
import { reductions } from '../tensor/kernels/reductions.ts';
import { primitives } from '../tensor/ops/primitives.ts';
import { evaluate } from './small-transformer.ts';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
// Read when the first session looks for a device, so it may be set here.
if (existsSync(SWIFTSHADER)) process.env.VK_ICD_FILENAMES ??= SWIFTSHADER;

const engine = createEngine({ name: 'onnx', provider: 'webgpu' });
const CASES = [...elementwise, ...movement, ...reductions, ...convolutions, ...primitives];
/** WGSL lets sin and cos err by 2^-11, and tan, tanh and exp follow. */
const tolerance = { rtol: 1e-3, atol: 1e-3 };

it('finds a device and multiplies on it', async () => {
  expect(await tryProvider('webgpu')).toBeUndefined();
});

describe('kernels and gradients agree with the reference', () => {
  for (const { name, draw } of CASES) {
    it(name, async () => {
      const property = fc.asyncProperty(draw, (drawn) => check(drawn, { engine, tolerance }));
      await fc.assert(property, { seed: 20, numRuns: 1 });
    });
  }
});

/** Steps below zero, groups of two channels and places of maxima: what tensor/engines/webgpu.ts keeps on the CPU. */
it('agrees where the provider alone would not', async () => {
  const x = spread([1, 5, 5, 4], 1);
  const picture = (t: Tensor | undefined) => t as tf.Tensor4D;
  const cases: Drawn[] = [
    {
      inputs: { x },
      op: ({ x }) => tf.stridedSlice(x!, [0, 3, 4, 2], [1, 0, 1, 4], [1, -1, -2, 1]),
    },
    {
      inputs: { x, w: spread([3, 3, 4, 2], 2) },
      op: ({ x, w }) => tf.depthwiseConv2d(picture(x), picture(w), 1, 'same'),
    },
    { inputs: { x }, op: ({ x }) => tf.maxPool(picture(x), 2, 2, 'valid') },
  ];
  for (const drawn of cases) await check(drawn, { engine, tolerance });
});

it('computes a diffusion transformer and its gradients like the reference', async () => {
  const [found, expected] = [
    await evaluate(engine),
    await evaluate(createEngine({ name: 'reference' })),
  ];
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, { data }] of Object.entries(expected)) {
    expect(
      data.some((value) => value !== 0),
      name,
    ).toBe(true);
    const largest = Math.max(...Array.from(data, Math.abs));
    expect(largest, name).toBeGreaterThan(0); // or it would agree whatever the engine does
    expectClose(found[name]!.data, data, { rtol: 1e-3, atol: 1e-3 * largest });
  }
});
