/**
 * One's own network as a judge: an ONNX file with one float32 input [N, 3, H, W] or [N, H, W, 3] of RGB in
 * [0, 1], whose first output is a row of features a picture, or maps that are averaged over their places.
 * A network that wants its colours otherwise has to do that as its first step.
 */
import * as ort from 'onnxruntime-node';
import { BATCH, type FeatureNetwork, KEPT_CHANNELS, type Maps, type Pixels } from './contract.ts';
import { KERNEL, resizePixels } from './resize-pixels.ts';

export type OnnxFileOptions = {
  /** What its distances are called after. */
  readonly name: string;
  readonly threads?: number;
};

type Layout = {
  readonly order: 'NCHW' | 'NHWC';
  readonly height: number;
  readonly width: number;
  readonly batch: number;
};
type Output = { readonly data: Float32Array; readonly dims: readonly number[] };

export async function openOnnxFeatures(
  path: string,
  { name, threads }: OnnxFileOptions,
): Promise<FeatureNetwork> {
  const session = await ort.InferenceSession.create(path, {
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((error: Error) => {
    throw new Error(
      `features: expected an ONNX file, got '${path}', which cannot be opened: ${error.message.split('\n')[0]}`,
    );
  });
  try {
    const layout = layoutOf(path, session);
    const run = runnerOf(session, layout);
    const blank = new Float32Array(layout.batch * layout.height * layout.width * 3);
    const width = widthOf(path, await run(blank), layout);
    return networkOf(session, { name, layout, run, width });
  } catch (error) {
    await session.release();
    throw error;
  }
}

function layoutOf(path: string, { inputMetadata }: ort.InferenceSession): Layout {
  const inputs = inputMetadata.map((input) =>
    input.isTensor ? `${input.name}: ${input.type} [${input.shape.join(', ')}]` : input.name,
  );
  const refuse = () =>
    new TypeError(
      `features: expected '${path}' to have one input, float32 [N, 3, H, W] or [N, H, W, 3] with fixed H and W, got ${inputs.join('; ') || 'none'}; export it with that input`,
    );
  const [input] = inputMetadata;
  if (inputMetadata.length !== 1 || !input?.isTensor || input.type !== 'float32') throw refuse();
  const [batch, ...sides] = input.shape;
  const order = sides[0] === 3 ? 'NCHW' : sides[2] === 3 ? 'NHWC' : undefined;
  const [height, width] = order === 'NCHW' ? sides.slice(1) : sides;
  if (sides.length !== 3 || !order || !isSide(height) || !isSide(width)) throw refuse();
  return { order, height, width, batch: isSide(batch) ? batch : BATCH };
}

const isSide = (value: number | string | undefined): value is number =>
  typeof value === 'number' && value >= 1;

function runnerOf(session: ort.InferenceSession, { order, height, width, batch }: Layout) {
  const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
  const shape = order === 'NCHW' ? [batch, 3, height, width] : [batch, height, width, 3];
  return async (data: Float32Array): Promise<Output> => {
    const found = await session.run({ [input]: new ort.Tensor('float32', data, shape) }, [output]);
    const { data: values, dims } = found[output]!;
    return { data: values as Float32Array, dims };
  };
}

function widthOf(path: string, { data, dims }: Output, { batch }: Layout): number {
  const whole = data instanceof Float32Array && dims[0] === batch;
  if (whole && dims.length === 2) return dims[1]!;
  if (whole && dims.length === 4) return dims[1]!; // [N, C, h, w]
  throw new TypeError(
    `features: expected the first output of '${path}' to be float32 [N, C] or [N, C, h, w], got [${dims.join(', ')}]; choose another output`,
  );
}

function networkOf(
  session: ort.InferenceSession,
  about: {
    readonly name: string;
    readonly layout: Layout;
    readonly run: (data: Float32Array) => Promise<Output>;
    readonly width: number;
  },
): FeatureNetwork {
  const { name, layout, run, width } = about;
  const { batch, height, width: across } = layout;
  return {
    name,
    sees: { height, width: across },
    kernel: KERNEL,
    dtype: 'float32',
    width,
    async read(pictures, signal) {
      const pooled = new Float32Array(pictures.length * width);
      const maps: Maps[] = [];
      for (let first = 0; first < pictures.length; first += batch) {
        signal?.throwIfAborted();
        const part = pictures.slice(first, first + batch);
        const out = await run(inputOf(part, layout));
        const rows = out.dims.length === 2 ? out.data : meansOf(out, width);
        pooled.set(rows.subarray(0, part.length * width), first * width);
        if (out.dims.length === 4) maps.push(keptOf(out, part.length));
      }
      return { pooled, ...(maps.length > 0 ? { maps: joined(maps) } : {}) };
    },
    dispose: () => session.release(),
  };
}

/** A whole batch; places that no picture takes stay black. */
function inputOf(pictures: readonly Pixels[], { order, height, width, batch }: Layout) {
  const places = height * width;
  const data = new Float32Array(batch * places * 3);
  for (const [i, picture] of pictures.entries()) {
    const values = resizePixels(picture, height, width); // [H, W, 3]
    const own = data.subarray(i * places * 3, (i + 1) * places * 3);
    if (order === 'NHWC') own.set(values);
    else
      for (let k = 0; k < values.length; k++)
        own[(k % 3) * places + Math.floor(k / 3)] = values[k]!;
  }
  return data;
}

/** [N, C, h, w] -> [N, C]. */
function meansOf({ data, dims }: Output, width: number): Float32Array {
  const places = dims[2]! * dims[3]!;
  return Float32Array.from({ length: dims[0]! * width }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < places; i++) sum += data[row * places + i]!;
    return sum / places;
  });
}

/** The first channels in their places: [N, C, h, w] -> [count, h, w, kept]. */
function keptOf({ data, dims }: Output, count: number): Maps {
  const [, C, height, width] = dims as [number, number, number, number];
  const channels = Math.min(KEPT_CHANNELS, C);
  const places = height * width;
  const kept = new Float32Array(count * places * channels);
  for (let i = 0; i < kept.length; i++) {
    const [picture, place] = [
      Math.floor(i / (places * channels)),
      Math.floor(i / channels) % places,
    ];
    kept[i] = data[(picture * C + (i % channels)) * places + place]!;
  }
  return { data: kept, height, width, channels };
}

function joined(parts: readonly Maps[]): Maps {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { ...parts[0]!, data };
}
