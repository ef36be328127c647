/** Compiles FiT for pictures of one size, as compile.ts does the diffusion transformer. */
import type { Positions } from '../encoders/positions/compose.ts';
import { cellsOf, extentOf, type Grid } from '../encoders/positions/grid.ts';
import { patchify, unpatchifyChannels } from '../encoders/tokenizers/patches.ts';
import type { Engine, HostTensors, Program } from '../tensor/program.ts';
import { tf } from '../tensor/tf.ts';
import { placedOf, placementSpecs } from './compile.ts';
import { forwardFiT } from './fit.ts';
import type { FiTConfig } from './fit-config.ts';

export type CompileFiT = {
  readonly config: FiTConfig;
  readonly positions: Positions;
  readonly weights: HostTensors;
  readonly grid: Grid;
  readonly batch: number;
  /** Default: baked. Training looks at its current weights with live ones. */
  readonly mode?: 'baked' | 'live';
};

/**
 * A program of inputs x [B, H, W, C], t [B], condition ([B] or [B, V]) and output `prediction`, as large as x;
 * also what `placementInputs` gives where the positions depend on t.
 */
export async function compileFiT(
  engine: Engine,
  { config, positions, weights, grid, batch, mode = 'baked' }: CompileFiT,
): Promise<Program> {
  if (config.variance)
    throw new RangeError('compileFiT: expected a network without variances, got one that has them');
  const { height, width } = extentOf(grid);
  const [H, W] = [height * config.patch, width * config.patch];
  const kind = config.condition;
  return engine.compile(
    ({ inputs, weights: w }) => {
      const tokens = forwardFiT(config, positions, w, {
        tokens: patchify(inputs.x!, config.patch),
        t: inputs.t!,
        condition: inputs.condition!,
        mask: tf.ones([batch, cellsOf(grid).length]),
        placed: placedOf(inputs, positions, grid),
        grid,
      });
      return { outputs: { prediction: unpatchifyChannels(tokens, config.patch, H, W) } };
    },
    {
      inputs: {
        x: { shape: [batch, H, W, config.channels] },
        t: { shape: [batch] },
        condition:
          'words' in kind ? { shape: [batch, kind.words] } : { shape: [batch], dtype: 'int32' },
        ...placementSpecs(positions, grid),
      },
      weights,
    },
    { name: 'FiT', weights: mode },
  );
}
