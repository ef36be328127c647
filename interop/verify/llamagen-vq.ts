/** LlamaGen's tokenizer: encoder, decoder, codes and the quantiser's losses, pictures as [B, C, H, W]. */
import { Type } from 'typebox';
import { type TokenizerConfig, tokenizerParts } from '../../encoders/tokenizers/tokenizer.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine, HostTensors } from '../../tensor/program.ts';
import { checkTensors } from '../../tensor/safetensors.ts';
import type { Tensors } from '../../tensor/tf.ts';
import type { Computed } from './compare.ts';
import { type Fixture, hostOf, numbersOf, shapeOf } from './fixture.ts';
import { channelsLast, evaluate } from './gradients.ts';
import { weightsOf } from './network.ts';

const Count = Type.Integer({ minimum: 1 });
const Config = Type.Object({
  ch: Count,
  ch_mult: Type.Array(Count),
  num_res_blocks: Count,
  z_channels: Count,
  codebook_size: Count,
  codebook_embed_dim: Count,
});
/** A record of which codes were met, stored beside the weights. */
const RECORD = 'quantize.codebook_used';

export async function vq(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const parts = tokenizerParts(configOf(fixture));
  const { [RECORD]: _, ...weights } = weightsOf(fixture);
  checkTensors(weights, parts.shapes);
  const { network, quantiser } = parts;
  const [B, , H, W] = shapeOf(fixture, 'in/img') as [number, number, number, number];
  const grid = [B, H / network.factor, W / network.factor];
  const inputs: HostTensors = {
    pictures: hostOf(fixture, 'in/img'),
    tokens: { data: Int32Array.from(numbersOf(fixture, 'in/codes')), shape: grid },
  };
  const run = ({ weights: w, inputs: given }: { weights: Tensors; inputs: Tensors }) => {
    const latents = network.encode(w, channelsLast(given.pictures!));
    const { codes, tokens, losses } = quantiser.quantise(w, latents);
    const decoded = network.decode(w, codes);
    const lookedUp = network.decode(w, quantiser.lookup(w, given.tokens!));
    return {
      outputs: {
        quant: channelsFirst(codes),
        idx: tokens,
        dec: channelsFirst(decoded),
        dec_code: channelsFirst(lookedUp),
        train_vq_loss: losses.codebook!,
        train_commit_loss: losses.commitment!,
        train_entropy_loss: losses.entropy!,
      },
    };
  };
  return evaluate(run, { engine, inputs, weights });
}

/** The published weights of the losses; that of the entropy is the fixture's. */
function configOf(fixture: Fixture): TokenizerConfig {
  const config = checkSchema(Config, fixture.config, `${fixture.system}/${fixture.name}`);
  return {
    network: {
      kind: 'conv',
      channels: config.ch,
      multipliers: config.ch_mult,
      blocks: config.num_res_blocks,
      latent: config.z_channels,
      groups: 32,
    },
    quantiser: {
      kind: 'vq',
      codes: config.codebook_size,
      width: config.codebook_embed_dim,
      commitment: 0.25,
      entropy: 0.1,
      codebook: 'gradient',
    },
  };
}

const channelsFirst = (x: Tensors[string]) => x.transpose([0, 3, 1, 2]);
