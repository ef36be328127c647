/** PyTorch's own results (../shared/fixtures/a/timm_torch) against our ops, on both engines. */
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { attention } from '../../tensor/ops/attention.ts';
import { conv2d, convTranspose2d } from '../../tensor/ops/conv.ts';
import { gelu, geluTanh, silu } from '../../tensor/ops/gelu.ts';
import { groupNorm } from '../../tensor/ops/group-norm.ts';
import { layerNorm, rmsNorm } from '../../tensor/ops/norm.ts';
import { type ResizeMode, resize } from '../../tensor/ops/resize.ts';
import { rope } from '../../tensor/ops/rope.ts';
import type { HostTensors, ProgramFunction } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { expectFixture, type Fixture, loadFixture, outputsOf } from '../fixtures.ts';

const engines = [createEngine({ name: 'onnx' }), createEngine({ name: 'reference' })];
afterAll(() => expect(engines.map((engine) => engine.open)).toEqual([0, 0]));

/** Every output of `fn` has the name of a fixture's output; returns the names it checked. */
async function hold(fixture: Fixture, fn: ProgramFunction): Promise<Set<string>> {
  const inputs: HostTensors = Object.fromEntries(
    Object.entries(fixture.tensors)
      .filter(([name]) => name.startsWith('in/'))
      .map(([name, { data, shape }]) => [
        name.slice(3),
        { data: data instanceof Float32Array ? data : Int32Array.from(data), shape },
      ]),
  );
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' } as const,
    ]),
  );
  const checked = new Set<string>();
  for (const engine of engines) {
    const program = await engine.compile(fn, { inputs: specs });
    const outputs = await program.run(inputs);
    await program.dispose();
    for (const [name, { data }] of Object.entries(outputs)) {
      expectFixture(data, fixture, `out/${name}`);
      checked.add(`out/${name}`);
    }
  }
  return checked;
}

const last = (x: Tensor): Tensor => x.transpose([0, 2, 3, 1]);
const first = (x: Tensor): Tensor => x.transpose([0, 3, 1, 2]);

function resized(x: Tensor, names: readonly string[]): Tensors {
  const outputs: Tensors = {};
  for (const name of names) {
    const found = /^out\/interp_([a-z-]+)_(\d+)x(\d+)(_aa)?$/.exec(name);
    if (!found) continue;
    const [, mode, height, width, aa] = found;
    const options = { mode: mode as ResizeMode, antialias: aa !== undefined };
    outputs[name.slice(4)] = first(resize(last(x), Number(height), Number(width), options));
  }
  return outputs;
}

describe('torch_ops', () => {
  const fixture = loadFixture('timm_torch', 'torch_ops');
  const names = outputsOf(fixture);

  it('resize: every mode and size, with and without antialiasing', async () => {
    const checked = await hold(fixture, ({ inputs }) => ({ outputs: resized(inputs.x!, names) }));
    expect(checked.size).toBe(names.filter((name) => name.includes('interp')).length);
  });

  it('convolutions and norms', async () => {
    await hold(fixture, ({ inputs: { x, w, b, wt, g, gw, gb, logits } }) => ({
      outputs: {
        conv_p1: first(conv2d(last(x!), w!, { padding: 1, bias: b! })),
        conv_s2_pad0101: first(
          conv2d(last(x!), w!, {
            stride: 2,
            padding: [
              [0, 1],
              [0, 1],
            ],
            bias: b!,
          }),
        ),
        convT_s2_p1: first(convTranspose2d(last(x!), wt!, { stride: 2, padding: 1, bias: b! })),
        group_norm4: first(groupNorm(last(g!), 4, { gain: gw!, bias: gb!, eps: 1e-6 })),
        layer_norm: layerNorm(logits!, 1e-6),
        rms_norm: rmsNorm(logits!, 1e-6),
        normalize: logits!.div(tf.norm(logits!, 2, -1, true)),
      },
    }));
  });

  it('activations and cross entropy', async () => {
    const entropy = (logits: Tensor, labels: Tensor, smooth: number) => {
      const hot = tf.oneHot(labels, logits.shape[1]!, 1, 0, 'float32');
      const wanted = hot.mul(1 - smooth).add(smooth / logits.shape[1]!);
      return tf.neg(tf.mean(tf.sum(tf.logSoftmax(logits).mul(wanted), -1)));
    };
    await hold(fixture, ({ inputs: { v, logits, y } }) => ({
      outputs: {
        act_gelu: gelu(v!),
        act_gelu_tanh: geluTanh(v!),
        act_silu: silu(v!),
        act_softplus: tf.softplus(v!),
        act_erf: tf.erf(v!),
        act_sigmoid: tf.sigmoid(v!),
        act_logsigmoid: tf.logSigmoid(v!),
        log_softmax: tf.logSoftmax(logits!),
        ce: entropy(logits!, y!, 0).reshape([1]),
        'ce_smooth0.1': entropy(logits!, y!, 0.1).reshape([1]),
      },
    }));
  });
});

describe('sdpa', () => {
  const fixture = loadFixture('timm_torch', 'sdpa');
  const heads = (x: Tensor): Tensor => x.transpose([0, 2, 1, 3]); // [B, h, T, d] <-> [B, T, h, d]

  it('plain, biased, masked, causal, scaled and with shared heads', async () => {
    const checked = await hold(fixture, ({ inputs }) => {
      const [q, k, v] = [inputs.q!, inputs.k!, inputs.v!].map(heads) as [Tensor, Tensor, Tensor];
      const [T, S] = [q.shape[1]!, k.shape[1]!];
      const hide = (keep: Tensor) => tf.where(tf.cast(keep, 'bool'), tf.scalar(0), tf.scalar(-1e9));
      const causal = tf.linalg.bandPart(tf.ones([T, S]), -1, 0);
      const repeat = (x: Tensor) => heads(tf.tile(x, [1, 3, 1, 1]));
      const run = (bias?: Tensor, scale?: number) =>
        heads(attention(q, k, v, { ...(bias ? { bias } : {}), ...(scale ? { scale } : {}) }));
      return {
        outputs: {
          plain: run(),
          bias: run(inputs.bias!),
          bool: run(hide(inputs.boolmask!)),
          causal: run(hide(causal)),
          scale: run(undefined, fixture.json.config.scale ?? 0.3),
          gqa: heads(attention(q, repeat(inputs.kg!), repeat(inputs.vg!))),
        },
      };
    });
    expect([...checked].sort()).toEqual(outputsOf(fixture).sort());
  });
});

describe('rope', () => {
  const fixture = loadFixture('timm_torch', 'rope');
  const names = outputsOf(fixture).filter((name) => name.endsWith('/rot'));
  /** dim sines, then dim cosines; each angle stands twice, side by side or half a row apart. */
  const angles = (name: string, halves: boolean) => {
    const { data, shape } = fixture.tensors[name.replace('/rot', '/emb')]!;
    const table = tf.tensor(Float32Array.from(data), [...shape]);
    const tables = tf.split(table, 2, -1).map((part) => {
      const [T, d] = part.shape as [number, number];
      const pairs = halves ? part.reshape([T, 2, d / 2]) : part.reshape([T, d / 2, 2]);
      return tf.unstack(pairs, halves ? 1 : 2)[0]!;
    });
    return { sin: tables[0]!, cos: tables[1]! };
  };

  it('turns pairs by the given angles, side by side or half a head apart', async () => {
    const checked = await hold(fixture, ({ inputs }) => {
      const outputs: Tensors = {};
      for (const name of names) {
        const halves = name.includes('half') || name.includes('dinov3');
        const { sin, cos } = angles(name, halves);
        const [B, h, T, d] = inputs.q!.shape as [number, number, number, number];
        const swap = (x: Tensor, sides: number[]) =>
          x
            .reshape([B, T, h, ...sides])
            .transpose([0, 1, 2, 4, 3])
            .reshape([B, T, h, d]);
        const q = inputs.q!.transpose([0, 2, 1, 3]);
        const turned = rope(halves ? swap(q, [2, d / 2]) : q, cos, sin);
        const back = halves ? swap(turned, [d / 2, 2]) : turned;
        outputs[name.slice(4)] = back.transpose([0, 2, 1, 3]);
      }
      return { outputs };
    });
    expect([...checked].sort()).toEqual(names.sort());
  });
});
