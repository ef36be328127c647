/** What an adapter is, and which there are. A new system is one file and one line here. */
import type { Engine } from '../../tensor/program.ts';
import type { Computed } from './compare.ts';
import { dit } from './dit.ts';
import { fit } from './fit.ts';
import type { Fixture } from './fixture.ts';
import { jit } from './jit.ts';
import { lightningdit } from './lightningdit.ts';
import { gpt, gptGradients } from './llamagen-gpt.ts';
import { vq } from './llamagen-vq.ts';
import { metrics } from './metrics.ts';
import { randar } from './randar.ts';
import { sit } from './sit.ts';
import { sjd } from './sjd.ts';
import { star } from './star.ts';
import { timmTorch } from './timm-torch.ts';

/** Computes a fixture's outputs, by their names without 'out/', from its configuration and inputs. */
export type Compute = (fixture: Fixture, engine: Engine) => Promise<Record<string, Computed>>;
/** By the fixture's name. */
export type Adapter = Readonly<Record<string, Compute>>;
/** By system. */
export type Adapters = Readonly<Record<string, Adapter>>;

export const ADAPTERS: Adapters = {
  dit,
  sit,
  lightningdit,
  jit,
  fit,
  star,
  randar,
  llamagen: { vq, gpt_c2i: gpt, gpt_t2i: gpt, grads_c2i: gptGradients },
  timm_torch: timmTorch,
  metrics,
  sjd,
};
