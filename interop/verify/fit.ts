/**
 * FiT (whlzy/FiT): rotary tables, and its network over padded tokens with guidance whose scale may grow as a
 * power of a cosine. Its time runs from noise (0) to data (1).
 */
import { type Static, Type } from 'typebox';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import { constantOf } from '../../generators/compile.ts';
import { forwardFiT } from '../../generators/fit.ts';
import type { FiTConfig } from '../../generators/fit-config.ts';
import { shapesOfFiT } from '../../generators/fit-weights.ts';
import { firstChannels, guide } from '../../sampling/diffusion/guidance.ts';
import { shiftTime } from '../../sampling/diffusion/schedules/flow.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine, HostTensors } from '../../tensor/program.ts';
import { checkTensors } from '../../tensor/safetensors.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { extensionOf, fitRope, placesOf } from './fit-rope.ts';
import { type Fixture, floatsOf, numbersOf, saidIn, shapeOf, tensorOf } from './fixture.ts';
import { evaluate } from './gradients.ts';
import { doubled } from './guided.ts';
import { sizesOf, weightsOf } from './network.ts';

const Config = Type.Object({
  model: Type.Object({
    patch_size: Type.Integer(),
    in_channels: Type.Integer(),
    hidden_size: Type.Integer(),
    depth: Type.Integer(),
    num_heads: Type.Integer(),
    num_classes: Type.Integer(),
    learn_sigma: Type.Boolean(),
    /** Tokens are rows, not columns. */
    use_sit: Type.Literal(true),
    use_swiglu: Type.Boolean({ default: false }),
    q_norm: Type.Optional(Type.Literal('layernorm')),
    k_norm: Type.Optional(Type.Literal('layernorm')),
    qk_norm_weight: Type.Boolean({ default: false }),
    adaln_type: Type.Union([Type.Literal('normal'), Type.Literal('lora')], { default: 'normal' }),
    adaln_lora_dim: Type.Optional(Type.Integer()),
    rope_theta: Type.Number({ default: 10000 }),
    custom_freqs: Type.String({ default: 'normal' }),
    decouple: Type.Boolean({ default: false }),
    max_pe_len_h: Type.Optional(Type.Integer()),
    max_pe_len_w: Type.Optional(Type.Integer()),
    ori_max_pe_len: Type.Optional(Type.Integer()),
    online_rope: Type.Literal(false, { default: false }),
    time_shifting: Type.Number({ default: 1 }),
  }),
  /** Rows and columns of each sample's tokens. */
  sizes: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
});
type Model = Static<typeof Config>['model'];

/** Our configuration of a published model; widths and classes as its weights have them. */
export function describeFiT(model: Model, weights: HostTensors): FiTConfig {
  const { hidden } = sizesOf(weights);
  return {
    patch: model.patch_size,
    channels: model.in_channels,
    width: model.hidden_size,
    depth: model.depth,
    heads: model.num_heads,
    condition: { classes: model.num_classes },
    mlp: model.use_swiglu ? 'swiglu' : 'gelu',
    hidden,
    qkNorm: model.q_norm !== undefined,
    qkGain: model.qk_norm_weight,
    variance: model.learn_sigma,
    ...(model.adaln_type === 'lora' ? { lora: model.adaln_lora_dim! } : {}),
  };
}

/** Rows of the network: tokens [B, T, p p C] and what each of them is told. */
type Rows = {
  readonly tokens: Float32Array;
  readonly t: readonly number[];
  readonly classes: readonly number[];
  /** Of the fixture's samples, whose grid and mask a row has. */
  readonly samples: readonly number[];
};

async function model(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const { model: own, sizes } = checkSchema(Config, fixture.config, 'config');
  const run = createRun(fixture, engine, own);
  const tokens = floatsOf(fixture, 'in/x');
  const t = numbersOf(fixture, 'in/t');
  const classes = numbersOf(fixture, 'in/y');
  const forward = await run({ tokens, t, classes, samples: t.map((_, i) => i) });

  // The first sample, with a class and without any.
  const first = tokens.subarray(0, tokens.length / t.length);
  const both = await run({
    tokens: doubled(new Float32Array([...first, ...first])),
    t: [GUIDED.t, GUIDED.t],
    classes: [GUIDED.class, own.num_classes],
    samples: [0, 0],
  });
  const [asked, nothing] = [both.subarray(0, first.length), both.subarray(first.length)];
  const guided = (scale: number): number[] => {
    const cells = own.patch_size ** 2;
    const guides = firstChannels(GUIDED_CHANNELS * cells, own.in_channels * cells);
    const mixed = guide({ clean: asked }, { clean: nothing }, { scale, guides }).clean;
    return [...mixed, ...mixed.map((value, i) => (guides(i) ? value : nothing[i]!))];
  };
  const scale = saidIn(fixture, /cfg_scale=([\d.]+)/, 1.5);
  const power = saidIn(fixture, /scale_pow=([\d.]+)/, 4);
  const [height, width] = sizes[0]!;
  return {
    forward,
    cfg: guided(scale),
    cfg_pow: guided(1 + (scale - 1) * powerCosine(GUIDED.t, power)),
    unpatchify: pictureOf(forward, {
      height,
      width,
      patch: own.patch_size,
      channels: own.in_channels,
    }),
  };
}

/**
 * What the guided rows are told, which the fixture does not record; its channels that are not guided are
 * the network's own at this time and class, and at no other class.
 */
const GUIDED = { t: 0.4, class: 2 };

/** FiT's code guides the first three channels, as DiT's does. */
const GUIDED_CHANNELS = 3;

/** How much of its scale guidance has at t (1 is data), from all of it at noise to none. */
const powerCosine = (t: number, power: number): number =>
  (1 - Math.cos(Math.PI * (1 - Math.min(t, 1)) ** power)) / 2;

function createRun(fixture: Fixture, engine: Engine, own: Model) {
  const weights = weightsOf(fixture);
  const config = describeFiT(own, weights);
  checkTensors(weights, shapesOfFiT(config), 'weights');
  const side = own.ori_max_pe_len ?? 1;
  const grid = raster(own.max_pe_len_h ?? side, own.max_pe_len_w ?? side);
  const { width, heads } = config;
  const rotate = { method: 'axial', ...AXIAL_PRESETS.fit, base: own.rope_theta };
  const extend = extensionOf(own.custom_freqs, own.decouple)!;
  const positions = composePositions(
    { rotate, extend },
    { width, heads, trained: raster(side, side) },
  );
  const { frequencies, logitScale } = positions.place(grid, 'sample');
  const [, T, cells] = shapeOf(fixture, 'in/x') as [number, number, number];
  const grids = tensorOf(fixture, 'in/grid');
  const masks = numbersOf(fixture, 'in/mask');
  const coordinatesOf = (sample: number) =>
    Array.from(placesOf({ data: grids.data.subarray(sample * 2 * T, (sample + 1) * 2 * T) }).data);
  return async ({ tokens, t, classes, samples }: Rows): Promise<Float32Array> => {
    const B = samples.length;
    const floats = (values: ArrayLike<number>, shape: number[]) => ({
      data: Float32Array.from(values),
      shape,
    });
    const { prediction } = await evaluate(
      ({ inputs, weights: w }) => ({
        outputs: {
          prediction: forwardFiT(config, positions, w, {
            tokens: inputs.tokens!,
            t: inputs.t!,
            condition: inputs.classes!,
            mask: inputs.mask!,
            placed: {
              coordinates: inputs.coordinates!,
              frequencies: constantOf(frequencies!),
              logitScale,
            },
            grid,
          }),
        },
      }),
      {
        engine,
        weights,
        inputs: {
          tokens: floats(tokens, [B, T, cells]),
          t: floats(
            t.map((time) => Math.min(shiftTime(time, own.time_shifting), 1)),
            [B],
          ),
          classes: floats(classes, [B]),
          mask: floats(
            samples.flatMap((sample) => masks.slice(sample * T, (sample + 1) * T)),
            [B, T],
          ),
          coordinates: floats(samples.flatMap(coordinatesOf), [B, T, 2]),
        },
      },
    );
    return prediction as Float32Array;
  };
}

type Sheet = { height: number; width: number; patch: number; channels: number };

/** The first tokens of a sample [.., p p C], channels outermost, as a picture [C, H, W]. */
function pictureOf(tokens: Float32Array, { height, width, patch, channels }: Sheet): Float32Array {
  const [H, W] = [height * patch, width * patch];
  return Float32Array.from({ length: channels * H * W }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
    const token = Math.floor(y / patch) * width + Math.floor(x / patch);
    return tokens[((token * channels + c) * patch + (y % patch)) * patch + (x % patch)]!;
  });
}

export const fit: Adapter = { rope: fitRope, model };
