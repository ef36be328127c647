/** Tokenizers by their configuration, as functions of weights and as compiled programs. */
import type { Engine, HostTensor, HostTensors, Program } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import type { Quantiser, Tokenizer, TokenizerNetwork } from './contract.ts';
import { type ConvConfig, conv } from './conv.ts';
import { type FsqConfig, fsq } from './fsq.ts';
import { type PatchTransformerConfig, patchTransformer } from './patch-transformer.ts';
import { type VqConfig, vq } from './vq.ts';

export type TokenizerConfig = {
  readonly network: ConvConfig | PatchTransformerConfig;
  readonly quantiser: VqConfig | FsqConfig;
};
export type TokenizerParts = {
  readonly network: TokenizerNetwork;
  readonly quantiser: Quantiser;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  init(rng: Rng): HostTensors;
};

export function tokenizerParts(config: TokenizerConfig): TokenizerParts {
  const quantiser = config.quantiser.kind === 'vq' ? vq(config.quantiser) : fsq(config.quantiser);
  const network =
    config.network.kind === 'conv'
      ? conv(config.network, quantiser.width)
      : patchTransformer(config.network, quantiser.width);
  return {
    network,
    quantiser,
    shapes: { ...network.shapes, ...quantiser.shapes },
    init: (rng) => ({ ...network.init(rng), ...quantiser.init(rng) }),
  };
}

/** Pictures [B, H, W, 3] -> tokens [B, h, w], in a traced function. */
export const encodePictures = (
  { network, quantiser }: TokenizerParts,
  weights: Tensors,
  pictures: Tensor,
): Tensor => quantiser.quantise(weights, network.encode(weights, pictures)).tokens;

/** Tokens [B, h, w] -> pictures [B, H, W, 3], in a traced function. */
export const decodeTokens = (
  { network, quantiser }: TokenizerParts,
  weights: Tensors,
  tokens: Tensor,
): Tensor => network.decode(weights, quantiser.lookup(weights, tokens));

export type CreateTokenizer = {
  readonly config: TokenizerConfig;
  readonly weights: HostTensors;
  /** Pictures that a program takes at once; any number may be given. Default 16. */
  readonly batch?: number;
};

/** Each program holds its own copy of the weights; the least recently used goes first. */
const KEPT = 4;

export function createTokenizer(
  engine: Engine,
  { config, weights, batch = 16 }: CreateTokenizer,
): Tokenizer {
  const parts = tokenizerParts(config);
  const { factor } = parts.network;
  const { vocabulary } = parts.quantiser;
  const programs = new Map<string, Promise<Program>>();
  const programFor = async (way: 'encode' | 'decode', shape: readonly number[]) => {
    const key = `${way} ${shape.join('x')}`;
    const x = { shape, ...(way === 'decode' ? { dtype: 'int32' as const } : {}) };
    const run = way === 'encode' ? encodePictures : decodeTokens;
    const found =
      programs.get(key) ??
      engine.compile(
        ({ inputs, weights: w }) => ({ outputs: { y: run(parts, w, inputs.x!) } }),
        { inputs: { x }, weights },
        { name: `tokenizer, ${way}` },
      );
    programs.delete(key); // the end of the map is what was used last
    programs.set(key, found);
    for (const [oldest, other] of [...programs].slice(0, Math.max(0, programs.size - KEPT))) {
      programs.delete(oldest);
      await (await other).dispose();
    }
    return found;
  };
  return {
    vocabulary,
    factor,
    async encode(pictures) {
      const [, H, W] = checkPictures(pictures, factor);
      return inBatches(await programFor('encode', [batch, H, W, 3]), pictures, batch);
    },
    async decode(tokens) {
      const [, h, w] = checkTokens(tokens, vocabulary);
      return inBatches(await programFor('decode', [batch, h, w]), tokens, batch);
    },
    async dispose() {
      for (const program of programs.values()) await (await program).dispose();
      programs.clear();
    },
  };
}

/** Runs a program of `batch` rows on any number of them; those that are missing are zero. */
async function inBatches(program: Program, x: HostTensor, batch: number): Promise<HostTensor> {
  const [count, ...row] = x.shape as [number, ...number[]];
  const from = sizeOf(row);
  const parts: HostTensor[] = [];
  for (let at = 0; at < count; at += batch) {
    const data = zeros(x, batch * from);
    data.set(x.data.subarray(at * from, Math.min(count, at + batch) * from));
    parts.push((await program.run({ x: { data, shape: [batch, ...row] } })).y!);
  }
  const shape = [count, ...parts[0]!.shape.slice(1)];
  const out = zeros(parts[0]!, sizeOf(shape));
  for (const [i, { data }] of parts.entries()) {
    const at = i * data.length;
    out.set(data.subarray(0, Math.min(data.length, out.length - at)), at);
  }
  return { data: out, shape };
}

const zeros = ({ data }: HostTensor, length: number): Float32Array | Int32Array =>
  data instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);

type Sizes = readonly [count: number, height: number, width: number];

function checkPictures({ shape }: HostTensor, factor: number): Sizes {
  const [count, height, width, channels] = shape as [number, number, number, number];
  const fits = shape.length === 4 && channels === 3 && count > 0 && height > 0 && width > 0;
  if (!fits)
    throw new RangeError(`tokenizer: expected pictures [B, H, W, 3], got [${shape.join(', ')}]`);
  if (height % factor !== 0 || width % factor !== 0)
    throw new RangeError(
      `tokenizer: expected sides that are multiples of ${factor}, got ${width}x${height}; resize the pictures`,
    );
  return [count, height, width];
}

/** Throws unless these are tokens of this vocabulary; names the first place that is none. */
export function checkTokens({ data, shape }: HostTensor, vocabulary: number): Sizes {
  if (!(data instanceof Int32Array) || shape.length !== 3 || data.length === 0)
    throw new RangeError(
      `tokenizer: expected tokens as int32 [B, h, w], got [${shape.join(', ')}] of ${data.constructor.name}`,
    );
  const at = data.findIndex((token) => token < 0 || token >= vocabulary);
  const [count, h, w] = shape as [number, number, number];
  if (at < 0) return [count, h, w];
  const [row, column] = [Math.floor(at / w) % h, at % w];
  throw new RangeError(
    `tokenizer: expected tokens from 0 to ${vocabulary - 1}, got ${data[at]} at row ${row}, column ${column} of picture ${Math.floor(at / (h * w))}; they are of another codebook`,
  );
}
