/** The Inception v3 inside the npm package nsfwjs: a Keras topology and weights of 8 bits. */
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import { sizeOf } from '../../tensor/shape.ts';

export type KerasLayer = {
  readonly name: string;
  readonly class_name: string;
  readonly config: {
    readonly strides?: [number, number];
    readonly padding?: 'valid' | 'same';
    readonly pool_size?: [number, number];
    readonly epsilon?: number;
  };
  /** Names of the layers that it is given, each with more that is not used here. */
  readonly inbound_nodes: readonly (readonly (readonly [string, ...unknown[]])[])[];
};
type Stored = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly min: number; readonly scale: number; readonly dtype: 'uint8' };
};
export type KerasModel = {
  readonly modelTopology: {
    readonly model_config: { readonly config: { readonly layers: readonly KerasLayer[] } };
  };
  readonly weightsManifest: readonly { readonly weights: readonly Stored[] }[];
  /** The weights' bytes, one after the other. */
  readonly bytes: Uint8Array;
};

/** Loads the package, which only those need who measure with it. */
export async function loadInceptionV3(): Promise<KerasModel> {
  const { InceptionV3Model } = await import('nsfwjs/models/inception_v3').catch((cause) => {
    throw new Error(
      'features: expected the package of Inception v3, got none; install nsfwjs@4.4.0',
      {
        cause,
      },
    );
  });
  const { default: model } = (await InceptionV3Model.modelJson()) as unknown as {
    default: Omit<KerasModel, 'bytes'>;
  };
  const parts: Buffer[] = [];
  for (const bundle of InceptionV3Model.weightBundles)
    parts.push(Buffer.from(((await bundle()) as { default: string }).default, 'base64'));
  return { ...model, bytes: Buffer.concat(parts) };
}

/** All weights as float32, by name. */
export function kerasWeights({ weightsManifest, bytes }: KerasModel): HostTensors {
  const weights: Record<string, HostTensor> = {};
  let at = 0;
  for (const { name, shape, quantization } of weightsManifest.flatMap((group) => group.weights)) {
    if (quantization?.dtype !== 'uint8')
      throw new TypeError(
        `features: expected weights of 8 bits, got '${name}' in another form; install nsfwjs@4.4.0`,
      );
    const length = sizeOf(shape);
    const { min, scale } = quantization;
    const data = Float32Array.from(bytes.subarray(at, at + length), (byte) => byte * scale + min);
    weights[name] = { data, shape };
    at += length;
  }
  return weights;
}
