/** The weights of the convolutional tokenizer: names and shapes as in LlamaGen's checkpoint, and new ones. */
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import type { ConvConfig } from './conv.ts';

type Shapes = Record<string, number[]>;
const CHANNELS = 3;

const layer = (name: string, out: number, into: number, side = 3): Shapes => ({
  [`${name}.weight`]: [out, into, side, side],
  [`${name}.bias`]: [out],
});
const norm = (name: string, size: number): Shapes => ({
  [`${name}.weight`]: [size],
  [`${name}.bias`]: [size],
});

const residual = (name: string, into: number, out: number): Shapes => ({
  ...norm(`${name}.norm1`, into),
  ...layer(`${name}.conv1`, out, into),
  ...norm(`${name}.norm2`, out),
  ...layer(`${name}.conv2`, out, out),
  ...(into === out ? {} : layer(`${name}.nin_shortcut`, out, into, 1)),
});

const attention = (name: string, size: number): Shapes => ({
  ...norm(`${name}.norm`, size),
  ...Object.assign(
    {},
    ...['q', 'k', 'v', 'proj_out'].map((part) => layer(`${name}.${part}`, size, size, 1)),
  ),
});

const middle = (name: string, size: number): Shapes => ({
  ...residual(`${name}.0`, size, size),
  ...attention(`${name}.1`, size),
  ...residual(`${name}.2`, size, size),
});

/** Residual blocks of one level, with attention where it is the lowest. */
function level(name: string, count: number, into: number, out: number, lowest: boolean): Shapes {
  const shapes: Shapes = {};
  for (let i = 0; i < count; i++) {
    Object.assign(shapes, residual(`${name}.res.${i}`, i === 0 ? into : out, out));
    if (lowest) Object.assign(shapes, attention(`${name}.attn.${i}`, out));
  }
  return shapes;
}

export function convShapes(config: ConvConfig, width: number): Shapes {
  const { channels, multipliers, blocks, latent } = config;
  const sizes = multipliers.map((multiplier) => channels * multiplier);
  const [first, lowest, last] = [sizes[0]!, sizes.at(-1)!, sizes.length - 1];
  const shapes: Shapes = { ...layer('encoder.conv_in', channels, CHANNELS) };
  for (const [i, size] of sizes.entries()) {
    const name = `encoder.conv_blocks.${i}`;
    Object.assign(shapes, level(name, blocks, sizes[i - 1] ?? channels, size, i === last));
    if (i < last) Object.assign(shapes, layer(`${name}.downsample.conv`, size, size));
  }
  Object.assign(shapes, middle('encoder.mid', lowest), norm('encoder.norm_out', lowest));
  Object.assign(shapes, layer('encoder.conv_out', latent, lowest));
  Object.assign(shapes, layer('quant_conv', width, latent, 1));
  Object.assign(shapes, layer('post_quant_conv', latent, width, 1));
  Object.assign(shapes, layer('decoder.conv_in', lowest, latent), middle('decoder.mid', lowest));
  const up = sizes.toReversed();
  for (const [i, size] of up.entries()) {
    const name = `decoder.conv_blocks.${i}`;
    Object.assign(shapes, level(name, blocks + 1, up[i - 1] ?? lowest, size, i === 0));
    if (i < last) Object.assign(shapes, layer(`${name}.upsample.conv`, size, size));
  }
  Object.assign(shapes, norm('decoder.norm_out', first));
  return { ...shapes, ...layer('decoder.conv_out', CHANNELS, first) };
}

/** Uniform with variance 1 / inputs; gains 1, biases 0, and 0 where a branch joins, so that it starts straight. */
export function initConv(shapes: Shapes, rng: Rng): HostTensors {
  const joins = /(conv2|proj_out)\.weight$/;
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      if (/norm\w*\.weight$/.test(name)) data.fill(1);
      else if (!name.endsWith('.bias') && !joins.test(name)) {
        const draw = rng.stream(name);
        const limit = Math.sqrt(3 / sizeOf(shape.slice(1)));
        for (let i = 0; i < data.length; i++) data[i] = (2 * draw.uniform() - 1) * limit;
      }
      return [name, { data, shape }];
    }),
  );
}
