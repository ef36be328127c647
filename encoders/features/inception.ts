/**
 * Inception v3 (Szegedy et al. 2016) as the npm package nsfwjs has it, up to `mixed7`: its weights are those
 * of a classifier of other pictures, held in 8 bits, so a Frechet distance on them is FD-mixed7 and never
 * FID. The last blocks were spoilt by that training (mixed10 recognises a drawing less often than raw
 * pixels do), mixed7 was not. Pictures are seen at 299 x 299, RGB in [0, 1]; the feature is the mean over
 * the 17 x 17 places of its 768 channels. Batch norms are folded into the convolutions before them.
 */
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { BATCH, type FeatureNetwork, type Features, KEPT_CHANNELS } from './contract.ts';
import { type KerasLayer, type KerasModel, kerasWeights, loadInceptionV3 } from './nsfwjs.ts';
import { KERNEL, resizePixels } from './resize-pixels.ts';

const SIDE = 299;
const LAYER = 'mixed7';
/** Keras leaves it out of the file where it is the default. */
const EPSILON = 1e-3;

/** Compiles the network; dispose of it after use. */
export async function createInception(engine: Engine): Promise<FeatureNetwork> {
  const { program, places, width } = await compileInception(engine, await loadInceptionV3());
  const length = SIDE * SIDE * 3;
  return {
    name: LAYER,
    sees: { height: SIDE, width: SIDE },
    kernel: KERNEL,
    dtype: 'float32',
    width,
    async read(pictures, signal) {
      const pooled = new Float32Array(pictures.length * width);
      const mapLength = places[0] * places[1] * KEPT_CHANNELS;
      const maps = new Float32Array(pictures.length * mapLength);
      const x = { data: new Float32Array(BATCH * length), shape: [BATCH, SIDE, SIDE, 3] };
      for (let first = 0; first < pictures.length; first += BATCH) {
        signal?.throwIfAborted();
        const part = pictures.slice(first, first + BATCH);
        for (const [i, one] of part.entries())
          x.data.set(resizePixels(one, SIDE, SIDE), i * length);
        const out = await program.run({ x });
        const keep = (of: HostTensor, each: number) =>
          (of.data as Float32Array).subarray(0, part.length * each);
        pooled.set(keep(out.pooled!, width), first * width);
        maps.set(keep(out.maps!, mapLength), first * mapLength);
      }
      const [height, across] = places;
      return {
        pooled,
        maps: { data: maps, height, width: across, channels: KEPT_CHANNELS },
      } satisfies Features;
    },
    dispose: () => program.dispose(),
  };
}

/** The network up to the last of some layers, as a function inside a traced one: what losses are made of. */
export type InceptionLayers = {
  readonly weights: HostTensors;
  /** x [B, S, S, 3] in [0, 1] -> the outputs of all layers by their names, [B, h, w, C]. */
  forward(weights: Tensors, x: Tensor): ReadonlyMap<string, Tensor>;
};

export async function loadInceptionLayers(names: readonly string[]): Promise<InceptionLayers> {
  const model = await loadInceptionV3();
  const all = model.modelTopology.model_config.config.layers;
  const parts = names.map((name) => upTo(all, name));
  const layers = parts.reduce((a, b) => (a.length > b.length ? a : b), []);
  return {
    weights: foldedWeights(layers, kerasWeights(model)),
    forward: (weights, x) => forwardLayers(layers, weights, x),
  };
}

/** Pictures [B, S, S, 3] in [0, 1] -> `pooled` [B, 768] and `maps` [B, h, w, 7] of a layer. */
export async function compileInception(
  engine: Engine,
  model: KerasModel,
  { side = SIDE, layer = LAYER, batch = BATCH } = {},
) {
  const layers = upTo(model.modelTopology.model_config.config.layers, layer);
  const weights = foldedWeights(layers, kerasWeights(model));
  const program = await engine.compile(
    ({ inputs, weights: w }) => {
      const out = forwardLayers(layers, w, inputs.x!).get(layer)!; // [B, h, w, C]
      const maps = tf.slice(out, [0, 0, 0, 0], [-1, -1, -1, KEPT_CHANNELS]);
      return { outputs: { pooled: tf.mean(out, [1, 2]), maps } };
    },
    { inputs: { x: { shape: [batch, side, side, 3] } }, weights },
    { name: 'inception v3' },
  );
  const { pooled, maps } = program.outputs;
  const places: [number, number] = [maps![1]!, maps![2]!];
  return { program, places, width: pooled![1]! };
}

function upTo(layers: readonly KerasLayer[], name: string): readonly KerasLayer[] {
  const last = layers.findIndex((layer) => layer.name === name);
  if (last < 0) throw new RangeError(`inception: expected a layer of the network, got '${name}'`);
  return layers.slice(0, last + 1);
}

/** The outputs of the layers in their order, each from those it names: x [B, S, S, 3]. */
function forwardLayers(
  layers: readonly KerasLayer[],
  weights: Tensors,
  x: Tensor,
): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  for (const layer of layers) {
    const inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => made.get(name)!);
    made.set(layer.name, inputs.length === 0 ? x : forwardLayer(layer, weights, inputs));
  }
  return made;
}

function forwardLayer(
  { class_name: kind, config, name }: KerasLayer,
  weights: Tensors,
  inputs: readonly Tensor[],
): Tensor {
  const x = inputs[0] as tf.Tensor4D;
  const { strides, padding, pool_size: window } = config;
  switch (kind) {
    case 'Conv2D':
      return tf.conv2d(x, weights[`${name}/kernel`] as tf.Tensor4D, strides!, padding!);
    case 'BatchNormalization':
      return x.add(weights[`${name}/bias`]!); // its factor is in the kernel
    case 'Activation':
      return tf.relu(x);
    case 'MaxPooling2D':
      return tf.maxPool(x, window!, strides!, padding!);
    case 'AveragePooling2D':
      return tf.avgPool(x, window!, strides!, padding!);
    case 'Concatenate':
      return tf.concat([...inputs], 3);
    default:
      throw new TypeError(`inception: expected layers of Inception v3, got a ${kind} '${name}'`);
  }
}

/** gain (conv(x) - mean) / sqrt(variance + epsilon) + beta, as a kernel and a bias. */
function foldedWeights(layers: readonly KerasLayer[], stored: HostTensors): HostTensors {
  const folded: Record<string, HostTensor> = {};
  for (const { class_name: kind, name, config, inbound_nodes: inbound } of layers) {
    if (kind !== 'BatchNormalization') continue;
    const conv = inbound[0]![0]![0];
    const { data, shape } = stored[`${conv}/kernel`]!; // [kh, kw, C, O]
    const of = (what: string) => stored[`${name}/${what}`]?.data;
    const [mean, variance, beta, gain] = [
      of('moving_mean')!,
      of('moving_variance')!,
      of('beta')!,
      of('gamma'),
    ];
    const epsilon = config.epsilon ?? EPSILON;
    const factor = Float64Array.from(
      variance,
      (value, o) => (gain?.[o] ?? 1) / Math.sqrt(value + epsilon),
    );
    const outputs = shape[3]!;
    folded[`${conv}/kernel`] = {
      data: Float32Array.from(data, (value, i) => value * factor[i % outputs]!),
      shape,
    };
    folded[`${name}/bias`] = {
      data: Float32Array.from(beta, (value, o) => value - mean[o]! * factor[o]!),
      shape: [outputs],
    };
  }
  return folded;
}
