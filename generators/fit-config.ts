/** Configurations of FiT (fit.ts): its options, their schema, and named sizes. */
import { Type } from 'typebox';
import { Condition } from '../encoders/conditioning/attributes.ts';

export type FiTConfig = {
  /** Side of a patch in latent cells, and their channels. */
  readonly patch: number;
  readonly channels: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly condition: Condition;
  readonly mlp: 'gelu' | 'swiglu';
  /** Width inside the MLP. */
  readonly hidden: number;
  /** Layer norm of q and k over the head, before they are turned. */
  readonly qkNorm: boolean;
  /** Its gains, and not its offsets. */
  readonly qkGain: boolean;
  /** Width inside of each block's own modulation; without it the blocks' are as DiT's, and none is shared. */
  readonly lora?: number;
  /** Also predicts the variance: twice the output channels. */
  readonly variance: boolean;
};

const FITV2 = {
  patch: 2,
  channels: 4,
  condition: { classes: 1000 },
  mlp: 'swiglu',
  qkNorm: true,
  qkGain: false,
  variance: false,
} as const;
/** The published FiTv2 for 256 x 256 (its code's `config_fitv2_xl.yaml`), and one as large as `avatars`. */
export const FIT_PRESETS = {
  'fitv2-xl/2': { ...FITV2, width: 1152, depth: 36, heads: 16, hidden: 3072, lora: 288 },
  /** `condition` is set from the data set's vocabulary. */
  'avatars-fit': {
    ...{ ...FITV2, patch: 8, channels: 3, condition: { words: 1 } },
    ...{ width: 256, depth: 8, heads: 4, hidden: 704, lora: 64 },
  },
} as const satisfies Record<string, FiTConfig>;

const Count = Type.Integer({ minimum: 1 });
const exact = { additionalProperties: false } as const;
export const FiTSchema = Type.Object(
  {
    patch: Count,
    channels: Count,
    width: Count,
    depth: Count,
    heads: Count,
    condition: Condition,
    mlp: Type.Union([Type.Literal('gelu'), Type.Literal('swiglu')]),
    hidden: Count,
    qkNorm: Type.Boolean(),
    qkGain: Type.Boolean(),
    lora: Type.Optional(Count),
    variance: Type.Boolean(),
  },
  exact,
);
