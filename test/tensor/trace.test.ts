/** What a trace looks like: pictures keep one layout, nothing is recorded twice or in vain. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import '../../tensor/engines/onnx.ts';
import { conv2d } from '../../tensor/ops/conv.ts';
import { silu } from '../../tensor/ops/gelu.ts';
import { groupNorm } from '../../tensor/ops/group-norm.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { trace } from '../../tensor/trace/backend.ts';
import type { Graph } from '../../tensor/trace/graph.ts';
import { encodeModel } from '../../tensor/trace/onnx.ts';
import { nameOf, tensorOf } from '../../tensor/trace/recording.ts';

const SHAPE = [1, 8, 8, 16];
/** Traces `fn` of one picture; every constant it makes is a weight. */
function traced(fn: (x: Tensor) => Tensor, shape = SHAPE): Graph {
  return trace('test', (graph) => {
    graph.inputs.push({ name: 'x', type: 'float32', shape });
    const y = fn(tensorOf('x', shape, 'float32'));
    graph.outputs.push({ name: nameOf(y), type: 'float32', shape: y.shape });
  });
}
const weight = (shape: number[], phase: number): Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i + phase)),
    shape,
  );
const kernel = (phase: number): Tensor => weight([16, 16, 3, 3], phase);
const count = (graph: Graph, op: string): number =>
  graph.nodes.filter((node) => node.op === op).length;

describe('a trace', () => {
  it('swaps axes of pictures only before the first convolution and after the last', () => {
    const graph = traced((x) => {
      const once = conv2d(x, kernel(1), { padding: 1 });
      return conv2d(conv2d(once, kernel(2), { padding: 1 }), kernel(3), { padding: 1 });
    });
    expect(count(graph, 'Conv')).toBe(3);
    expect(count(graph, 'Transpose')).toBe(2);
  });

  it('needs no more swaps in a residual network, once ONNX Runtime has optimised it', async () => {
    const graph = traced((x) => {
      let h = conv2d(x, kernel(1), { padding: 1, bias: weight([16], 1) });
      for (const i of [2, 3]) {
        const options = { gain: weight([16], i), bias: weight([16], i + 1) };
        h = h.add(conv2d(silu(groupNorm(h, 4, options)), kernel(i), { padding: 1 }));
      }
      return h;
    });
    const folder = await mkdtemp(join(tmpdir(), 'ropewalk-test-'));
    const file = join(folder, 'optimised.onnx');
    const session = await ort.InferenceSession.create(encodeModel(graph).model, {
      graphOptimizationLevel: 'basic',
      optimizedModelFilePath: file,
      logSeverityLevel: 3,
    });
    await session.release();
    const optimised = (await readFile(file)).toString('latin1');
    await rm(folder, { recursive: true });
    /** Field 4 of a node, a string: its operator. */
    const nodes = (op: string) =>
      optimised.split(`\x22${String.fromCharCode(op.length)}${op}`).length - 1;
    expect(nodes('Conv')).toBe(3);
    // In, out, and one where the residual sum meets them.
    expect(nodes('Transpose')).toBeLessThanOrEqual(3);
  });

  it('cancels a transpose by its inverse, and joins two others', () => {
    const back = traced((x) => x.transpose([0, 3, 1, 2]).transpose([0, 2, 3, 1]).neg());
    expect(back.nodes.map((node) => node.op)).toEqual(['Neg']);
    const joined = traced((x) => x.transpose([0, 2, 1, 3]).transpose([3, 0, 1, 2]));
    expect(joined.nodes).toMatchObject([{ op: 'Transpose', attributes: { perm: [3, 0, 2, 1] } }]);
  });

  it('joins reshapes in a row, and drops those that undo each other', () => {
    const back = traced((x) => x.reshape([-1]).reshape([4, -1]).reshape(x.shape).neg());
    expect(back.nodes.map((node) => node.op)).toEqual(['Neg']);
    const joined = traced((x) => tf.expandDims(x.reshape([-1]), 0).neg());
    expect(joined.nodes.map((node) => node.op)).toEqual(['Reshape', 'Neg']);
    const [from] = joined.nodes[0]!.inputs;
    expect(from).toBe(joined.inputs[0]!.name);
  });

  it('drops what no output needs', () => {
    const graph = traced((x) => {
      conv2d(x, kernel(1));
      tf.grad((a: Tensor) => tf.exp(tf.sin(a)))(x);
      return x.add(weight([16], 1));
    });
    expect(graph.nodes.map((node) => node.op)).toEqual(['Add']);
    expect(graph.constants.length).toBe(1);
  });

  it('writes equal small constants once', () => {
    const graph = traced((x) => x.mul(0.5).add(0.5).mul(tf.scalar(0.5)));
    expect(graph.constants.length).toBe(1);
  });
});
