/** PyTorch's and timm's operations against ours: attention, resizing, convolutions, norms, optimisers. */
import { Type } from 'typebox';
import { checkSchema } from '../../schema.ts';
import { attention } from '../../tensor/ops/attention.ts';
import { conv2d, convTranspose2d } from '../../tensor/ops/conv.ts';
import { gelu, geluTanh, silu } from '../../tensor/ops/gelu.ts';
import { groupNorm } from '../../tensor/ops/group-norm.ts';
import { layerNorm, rmsNorm } from '../../tensor/ops/norm.ts';
import { type ResizeMode, resize } from '../../tensor/ops/resize.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { adam } from '../../training/optimisers/adam.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { sgd } from '../../training/optimisers/sgd.ts';
import { createUpdate, type Loss } from '../../training/update.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, floatsOf, hostOf, numbersOf, outputsOf, saidIn } from './fixture.ts';
import { channelsLast, evaluate } from './gradients.ts';
import { timmRope } from './timm-rope.ts';

const swapHeads = (x: Tensor): Tensor => x.transpose([0, 2, 1, 3]); // [B, h, T, d] <-> [B, T, h, d]
const HIDDEN = -1e9;

async function sdpa(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const names = ['q', 'k', 'v', 'bias', 'boolmask', 'kg', 'vg'];
  const inputs = Object.fromEntries(names.map((name) => [name, hostOf(fixture, `in/${name}`)]));
  const scale = saidIn(fixture, /scale=([\d.]+)/, 0.3);
  return evaluate(
    ({ inputs: given }) => {
      const [q, k, v] = [given.q!, given.k!, given.v!].map(swapHeads) as [Tensor, Tensor, Tensor];
      const [T, S, heads] = [q.shape[1]!, k.shape[1]!, q.shape[2]!];
      const hide = (keep: Tensor) => keep.neg().add(1).mul(HIDDEN);
      const shared = (x: Tensor) => {
        const [B, own, length, d] = x.shape as [number, number, number, number];
        const repeated = tf.tile(tf.expandDims(x, 2), [1, 1, heads / own, 1, 1]);
        return swapHeads(repeated.reshape([B, heads, length, d]));
      };
      return {
        outputs: {
          plain: swapHeads(attention(q, k, v)),
          bias: swapHeads(attention(q, k, v, { bias: given.bias! })),
          bool: swapHeads(attention(q, k, v, { bias: hide(given.boolmask!) })),
          causal: swapHeads(
            attention(q, k, v, { bias: hide(tf.linalg.bandPart(tf.ones([T, S]), -1, 0)) }),
          ),
          scale: swapHeads(attention(q, k, v, { scale })),
          gqa: swapHeads(attention(q, shared(given.kg!), shared(given.vg!))),
        },
      };
    },
    { engine, inputs },
  );
}

const channelsFirst = (x: Tensor): Tensor => x.transpose([0, 3, 1, 2]);

async function torchOps(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const names = outputsOf(fixture);
  const labels = numbersOf(fixture, 'in/y');
  const inputs: HostTensors = {
    ...Object.fromEntries(
      ['x', 'w', 'b', 'wt', 'g', 'gw', 'gb', 'logits', 'v'].map((name) => [
        name,
        hostOf(fixture, `in/${name}`),
      ]),
    ),
    y: { data: Int32Array.from(labels), shape: [labels.length] },
  };
  return evaluate(
    ({ inputs: given }) => {
      const outputs: Tensors = {};
      for (const name of names) {
        const output =
          picture(name, given) ??
          norm(name, given) ??
          activation(name, given.v!) ??
          entropy(name, given);
        if (output) outputs[name] = output;
      }
      return { outputs };
    },
    { engine, inputs },
  );
}

/** 'interp_bicubic_4x4_aa', 'conv_p1', 'conv_s2_pad0101' (left, right, top, bottom), 'convT_s2_p1'. */
function picture(name: string, { x, w, b, wt }: Tensors): Tensor | undefined {
  const interpolation = /^interp_([a-z-]+)_(\d+)x(\d+)(_aa)?$/.exec(name);
  if (interpolation) {
    const [, mode, height, width, antialias] = interpolation;
    const options = { mode: mode as ResizeMode, antialias: antialias !== undefined };
    return channelsFirst(resize(channelsLast(x!), Number(height), Number(width), options));
  }
  const [, transposed, stride = 1, padding, left, right, top, bottom] =
    /^conv(T)?(?:_s(\d+))?(?:_p(\d+)|_pad(\d)(\d)(\d)(\d))$/.exec(name) ?? [];
  if (padding === undefined && left === undefined) return undefined;
  const sides = [left, right, top, bottom].map(Number) as [number, number, number, number];
  const options = {
    stride: Number(stride),
    padding:
      padding === undefined
        ? ([
            [sides[2], sides[3]],
            [sides[0], sides[1]],
          ] as const)
        : Number(padding),
    bias: b!,
  };
  return channelsFirst(
    transposed
      ? convTranspose2d(channelsLast(x!), wt!, options)
      : conv2d(channelsLast(x!), w!, options),
  );
}

const EPS = 1e-6;

function norm(name: string, { g, gw, gb, logits }: Tensors): Tensor | undefined {
  const groups = /^group_norm(\d+)$/.exec(name)?.[1];
  if (groups !== undefined) {
    const options = { gain: gw!, bias: gb!, eps: EPS };
    return channelsFirst(groupNorm(channelsLast(g!), Number(groups), options));
  }
  if (name === 'layer_norm') return layerNorm(logits!, EPS);
  if (name === 'rms_norm') return rmsNorm(logits!, EPS);
  return name === 'normalize' ? logits!.div(tf.norm(logits!, 2, -1, true)) : undefined;
}

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  act_gelu: gelu,
  act_gelu_tanh: geluTanh,
  act_silu: silu,
  act_softplus: (x) => tf.softplus(x),
  act_erf: (x) => tf.erf(x),
  act_sigmoid: (x) => tf.sigmoid(x),
  act_logsigmoid: (x) => tf.logSigmoid(x),
};
const activation = (name: string, v: Tensor): Tensor | undefined => ACTIVATIONS[name]?.(v);

/** 'ce', 'ce_smooth0.1' (that share of the mass spread over all classes) and 'log_softmax'. */
function entropy(name: string, { logits, y }: Tensors): Tensor | undefined {
  if (name === 'log_softmax') return tf.logSoftmax(logits!);
  const found = /^ce(?:_smooth([\d.]+))?$/.exec(name);
  if (!found) return undefined;
  const [share, classes] = [Number(found[1] ?? 0), logits!.shape[1]!];
  const wanted = tf
    .oneHot(y!, classes, 1, 0, 'float32')
    .mul(1 - share)
    .add(share / classes);
  return tf
    .mean(tf.sum(tf.logSoftmax(logits!).mul(wanted), -1))
    .neg()
    .reshape([1]);
}

const OptimConfig = Type.Object({ steps: Type.Integer() });
const EMA_DECAY = 0.9;
/** As the fixture's notes have them. */
const OPTIMISERS: Readonly<Record<string, () => Optimiser>> = {
  adamw: () => adamW({ rate: 0.01, betas: [0.9, 0.95], decay: 0.05 }),
  adam: () => adam({ rate: 0.01, betas: [0.9, 0.999], decay: 0.05 }),
  sgd: () => sgd({ rate: 0.1, momentum: 0.9 }),
};
/** The loss whose gradient is the batch itself. */
const following: Loss = ({ weights, inputs }) => tf.sum(weights.p!.mul(inputs.g!));

async function torchOptim(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const { steps } = checkSchema(OptimConfig, fixture.config, 'config');
  const [start, all] = [hostOf(fixture, 'in/p0'), floatsOf(fixture, 'in/g')];
  const size = start.data.length;
  const gradient = (k: number): HostTensor => ({
    data: all.slice(k * size, (k + 1) * size),
    shape: start.shape,
  });
  const open = (optimiser: Optimiser, clip?: number) =>
    createUpdate(following, optimiser, {
      engine,
      inputs: { g: { shape: start.shape } },
      weights: { p: start },
      ema: () => EMA_DECAY,
      ...(clip === undefined ? {} : { clip }),
    });
  const computed: Record<string, Computed> = {};
  for (const [name, create] of Object.entries(OPTIMISERS)) {
    const update = await open(create());
    for (let k = 0; k < steps; k++) {
      await update.step([{ g: gradient(k) }]);
      computed[`${name}/${k}`] = update.state().weights.p!.data.slice();
      if (name === 'adamw') computed[`ema_${k}`] = update.state().ema.p!.data.slice();
    }
    await update.dispose();
  }
  return { ...computed, ...(await clipped(fixture, gradient(0), open)) };
}

/** A gradient of five times the first, which is what the fixture's norm is of, clipped to norm 1. */
async function clipped(
  fixture: Fixture,
  { data, shape }: HostTensor,
  open: (optimiser: Optimiser, clip: number) => ReturnType<typeof createUpdate>,
): Promise<Record<string, Computed>> {
  if (!fixture.tensors['out/clip']) return {};
  let clip: Float32Array = new Float32Array(0);
  const recorder: Optimiser = {
    moments: () => ({}),
    async update(_, gradients, __, { gradientScale }) {
      clip = (gradients.p!.data as Float32Array).map((g) => g * gradientScale);
    },
  };
  const update = await open(recorder, 1);
  const scaled = { data: (data as Float32Array).map((g) => 5 * g), shape };
  const { norm: size } = await update.step([{ g: scaled }]);
  await update.dispose();
  return { clip, clip_norm: [size] };
}

export const timmTorch: Adapter = {
  rope: timmRope,
  sdpa,
  torch_ops: torchOps,
  torch_optim: torchOptim,
};
