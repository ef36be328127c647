import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pixels } from '../../../encoders/features/contract.ts';
import { openOnnxFeatures } from '../../../encoders/features/onnx-file.ts';
import { Graph, type ValueInfo } from '../../../tensor/trace/graph.ts';
import { encodeModel } from '../../../tensor/trace/onnx.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'features-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with one node over its inputs. */
async function onnx(
  name: string,
  inputs: readonly ValueInfo[],
  { op, out }: { op: string; out: readonly number[] },
): Promise<string> {
  const graph = new Graph();
  graph.inputs.push(...inputs);
  const given = inputs.map((input) => input.name);
  graph.outputs.push({ name: graph.node(op, given), type: inputs[0]!.type, shape: out });
  const path = join(folder, name);
  await writeFile(path, encodeModel(graph).model);
  return path;
}
const input = (shape: number[], type: ValueInfo['type'] = 'float32', name = 'x'): ValueInfo => ({
  name,
  type,
  shape,
});

/** Of one colour each, so that every size shows it. */
const flat = (r: number, g: number, b: number, width = 5, height = 3): Pixels => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3]!),
  width,
  height,
});
const pictures = [flat(255, 0, 51), flat(0, 102, 204, 4, 4), flat(51, 51, 51)];
const COLOURS = [1, 0, 0.2, 0, 0.4, 0.8, 0.2, 0.2, 0.2];

describe('openOnnxFeatures', () => {
  it('averages maps over their places, and keeps the first channels in theirs', async () => {
    const path = await onnx('maps.onnx', [input([2, 3, 4, 4])], { op: 'Relu', out: [2, 3, 4, 4] });
    const network = await openOnnxFeatures(path, { name: 'colours' });
    const { pooled, maps } = await network.read(pictures); // a whole batch of 2 and a part of one
    await network.dispose();
    expect(network).toMatchObject({ name: 'colours', width: 3, sees: { height: 4, width: 4 } });
    expect([...pooled].map((value) => Number(value.toFixed(5)))).toEqual(COLOURS);
    expect(maps).toMatchObject({ height: 4, width: 4, channels: 3 });
    expect(maps!.data.length).toBe(3 * 16 * 3);
    expect(maps!.data[2 * 48]).toBeCloseTo(0.2, 5);
    expect(maps!.data[48 + 1]).toBeCloseTo(0.4, 5);
  });

  it('reads channels last, and rows of features', async () => {
    const path = await onnx('rows.onnx', [input([3, 1, 1, 3])], { op: 'Flatten', out: [3, 3] });
    const network = await openOnnxFeatures(path, { name: 'colours' });
    const { pooled, maps } = await network.read(pictures);
    await network.dispose();
    expect([...pooled].map((value) => Number(value.toFixed(5)))).toEqual(COLOURS);
    expect(maps).toBeUndefined();
  });

  it.each([
    ['a token model', [input([1, 77], 'int32')], 'x: int32 [1, 77]'],
    ['four channels', [input([1, 4, 8, 8])], 'x: float32 [1, 4, 8, 8]'],
    [
      'two inputs',
      [input([1, 3, 8, 8]), input([1, 3, 8, 8], 'float32', 'y')],
      'x: float32 [1, 3, 8, 8]; y: float32 [1, 3, 8, 8]',
    ],
  ])('refuses %s, naming what it has', async (name, inputs, said) => {
    const op = inputs.length > 1 ? 'Add' : 'Identity';
    const path = await onnx(`${name}.onnx`, inputs, { op, out: inputs[0]!.shape });
    await expect(openOnnxFeatures(path, { name: 'any' })).rejects.toThrow(
      `features: expected '${path}' to have one input, float32 [N, 3, H, W] or [N, H, W, 3] with fixed H and W, got ${said}; export it with that input`,
    );
  });

  it('refuses a file that is no network, and an output that is no row a picture', async () => {
    const text = join(folder, 'notes.onnx');
    await writeFile(text, 'no network');
    await expect(openOnnxFeatures(text, { name: 'any' })).rejects.toThrow(
      `features: expected an ONNX file, got '${text}', which cannot be opened: `,
    );
    const path = await onnx('squeezed.onnx', [input([1, 3, 8, 8])], {
      op: 'Squeeze',
      out: [3, 8, 8],
    });
    await expect(openOnnxFeatures(path, { name: 'any' })).rejects.toThrow(/first output of .*got/);
  });
});
