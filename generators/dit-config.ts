/** Configurations of the diffusion transformer in dit.ts: its options, and named sizes. */
import { Type } from 'typebox';
import { Condition } from '../encoders/conditioning/attributes.ts';

export type DiTConfig = {
  /** Side of a patch in pixels (or latent cells). */
  readonly patch: number;
  readonly channels: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly condition: Condition;
  readonly mlp: 'gelu' | 'swiglu';
  /** Width inside the MLP. */
  readonly hidden: number;
  /** `layer` has no gain (DiT); `rms` has one where `gain` says so. */
  readonly norm: 'layer' | 'rms';
  readonly gain: boolean;
  /** RMS norm of q and k over the head, with a gain. */
  readonly qkNorm: boolean;
  /** Without it, blocks are scaled and gated but not shifted (LightningDiT's wo_shift). */
  readonly shift: boolean;
  /** Also predicts the variance (DiT): twice the output channels. */
  readonly variance: boolean;
  /** Condition tokens joined to the sequence before block `start` (JiT). */
  readonly context?: { readonly tokens: number; readonly start: number };
  /** Width between the two halves of the patch embedding (JiT). */
  readonly bottleneck?: number;
  /**
   * Three 3x3 convolutions of this many channels after the patches are put together, which mend their
   * borders (ours): their output is added to the prediction, and starts at zero.
   */
  readonly refiner?: { readonly channels: number };
  /** Told the original size, cut and size of a picture (encoders/conditioning/micro.ts). */
  readonly micro?: boolean;
  /** t in [0, 1] is multiplied by this before its embedding: 1000 for DiT, 1 for SiT and JiT. */
  readonly timeScale: number;
};

const DIT = {
  channels: 4,
  condition: { classes: 1000 },
  mlp: 'gelu',
  norm: 'layer',
  gain: false,
  qkNorm: false,
  shift: true,
  variance: true,
  timeScale: 1000,
} as const;
const SIZES = {
  s: { width: 384, depth: 12, heads: 6, hidden: 1536 },
  b: { width: 768, depth: 12, heads: 12, hidden: 3072 },
  l: { width: 1024, depth: 24, heads: 16, hidden: 4096 },
  xl: { width: 1152, depth: 28, heads: 16, hidden: 4608 },
} as const;
const dit = (size: keyof typeof SIZES, patch: number): DiTConfig => ({
  ...DIT,
  ...SIZES[size],
  patch,
});

/** Sizes of Peebles and Xie 2023, table 1, and of the model that ships. */
export const DIT_PRESETS = {
  'dit-s/2': dit('s', 2),
  'dit-s/4': dit('s', 4),
  'dit-s/8': dit('s', 8),
  'dit-b/2': dit('b', 2),
  'dit-b/4': dit('b', 4),
  'dit-b/8': dit('b', 8),
  'dit-l/2': dit('l', 2),
  'dit-l/4': dit('l', 4),
  'dit-l/8': dit('l', 8),
  'dit-xl/2': dit('xl', 2),
  'dit-xl/4': dit('xl', 4),
  'dit-xl/8': dit('xl', 8),
  /** `condition` is set from the data set's vocabulary. */
  avatars: {
    patch: 8,
    channels: 3,
    width: 256,
    depth: 8,
    heads: 4,
    condition: { words: 1 },
    mlp: 'swiglu',
    hidden: 704,
    norm: 'rms',
    gain: false,
    qkNorm: true,
    shift: true,
    variance: false,
    context: { tokens: 4, start: 0 },
    timeScale: 1000,
  },
} as const satisfies Record<string, DiTConfig>;

const Count = Type.Integer({ minimum: 1 });
const exact = { additionalProperties: false } as const;
export const DiTSchema = Type.Object(
  {
    patch: Count,
    channels: Count,
    width: Count,
    depth: Count,
    heads: Count,
    condition: Condition,
    mlp: Type.Union([Type.Literal('gelu'), Type.Literal('swiglu')]),
    hidden: Count,
    norm: Type.Union([Type.Literal('layer'), Type.Literal('rms')]),
    gain: Type.Boolean(),
    qkNorm: Type.Boolean(),
    shift: Type.Boolean(),
    variance: Type.Boolean(),
    context: Type.Optional(
      Type.Object({ tokens: Count, start: Type.Integer({ minimum: 0 }) }, exact),
    ),
    bottleneck: Type.Optional(Count),
    refiner: Type.Optional(Type.Object({ channels: Count }, exact)),
    micro: Type.Optional(Type.Boolean()),
    timeScale: Type.Number({ exclusiveMinimum: 0 }),
  },
  exact,
);
