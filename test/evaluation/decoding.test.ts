import { expect, test } from 'vitest';
import { evaluateDecoding, formatDecoding, isForeground } from '../../evaluation/decoding.ts';
import { traceFrames } from '../../pipelines/trace.ts';
import { encodeGif, type Picture } from '../../png.ts';
import type { Property } from '../../sampling/tokens/decoder.ts';
import { createDecoder } from '../../sampling/tokens/registry.ts';
import { createRng } from '../../tensor/rng.ts';
import { lattice, oracle } from '../sampling/tokens/oracle.ts';

const TOY = lattice(6, { height: 4, width: 4 }, 41);
const decode = (name: string) =>
  createDecoder(name, name === 'zipar' ? { lead: 2 } : {}, { width: 4 }).decode(oracle(TOY, 3), {
    rngs: [1, 2, 3].map((seed) => createRng(seed)),
  });

test('decoders side by side', async () => {
  let clock = 0;
  const decoders = ['sequential', 'fixed-noise', 'sjd', 'zipar'].map((name) => ({
    ...{ name, property: (name === 'sjd' ? 'lossless' : 'identical') as Property },
  }));
  const kid = async (tokens: readonly Int32Array[]) => tokens.length;
  const now = () => (clock += 500);
  const rows = await evaluateDecoding({ decoders, decode, kid, now });
  const [sequential, fixed, sjd, zipar] = rows as [
    (typeof rows)[0],
    (typeof rows)[0],
    (typeof rows)[0],
    (typeof rows)[0],
  ];
  expect(sequential).toMatchObject({
    passes: 16,
    equal: 1,
    tokensPerPass: 1,
    acceptedPerPass: 0,
    kid: 3,
  });
  expect(sequential!.seconds).toBe(0.5);
  expect(fixed!.equal).toBe(1);
  expect(fixed!.passes).toBeLessThan(16);
  expect(fixed!.tokensPerPass).toBeGreaterThan(1);
  expect(sjd!.equal).toBeLessThan(1);
  expect(zipar!.passes).toBe(10);
  expect(formatDecoding(rows).split('\n')).toHaveLength(6);
});

test('the commonest token is the background', () => {
  const isInside = isForeground(Int32Array.of(4, 4, 1, 4));
  expect([0, 1, 2, 3].map(isInside)).toEqual([false, false, true, false]);
});

test('a trace has a frame a pass, ends with the picture, and becomes a GIF', async () => {
  const { trace } = await decode('fixed-noise');
  const picture = { data: new Uint8Array(16 * 16 * 3).fill(10), width: 16, height: 16 };
  const passes = trace.map((pass) => pass[0]!);
  const frames = traceFrames({ picture, passes, width: 4, length: 16 });
  expect(frames.length).toBe(passes.filter(({ decided }) => decided.length > 0).length + 1);
  expect(frames.at(-1)).toEqual(picture);
  // The first frame knows the first cell alone, whose border is coloured: its middle is the picture's.
  const at = (frame: Picture, x: number, y: number) => frame.data[(y * 16 + x) * 3];
  expect([at(frames[0]!, 1, 1), at(frames[0]!, 0, 0), at(frames[0]!, 5, 5)]).toEqual([
    10, 208, 216,
  ]);
  const gif = await encodeGif(frames, { scale: 2 });
  expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a');
  expect([gif.readUInt16LE(6), gif.readUInt16LE(8)]).toEqual([32, 32]);
  expect(() => traceFrames({ picture, passes, width: 5, length: 16 })).toThrow('trace: expected');
});
