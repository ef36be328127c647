/** Rotary tables of our positions, for the adapters of codes that store theirs. */
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import type { Options } from '../../encoders/positions/contract.ts';
import type { Grid } from '../../encoders/positions/grid.ts';
import { axial, axialTables } from '../../encoders/positions/rotate/axial.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import type { Tensors } from '../../tensor/tf.ts';
import type { Computed } from './compare.ts';
import { evaluate } from './gradients.ts';

export type Tables = {
  /** Of axial RoPE, by a preset's name or in full. */
  readonly rotate: Options;
  readonly positions?: Omit<PositionConfig, 'rotate'>;
  readonly headSize: number;
  readonly grid: Grid;
  /** Default: the grid itself. */
  readonly trained?: Grid;
  readonly prefix?: number;
  /** In place of those of the grid, [T, 2]. */
  readonly coordinates?: HostTensor;
};

/** Our frequencies of each axis, [F] each, and the factor of the logits. */
export function placementOf({ rotate, positions, headSize, grid, trained = grid }: Tables) {
  const composed = composePositions(
    { ...positions, rotate: { method: axial.name, ...rotate } },
    { width: headSize, heads: 1, trained },
  );
  const { coordinates, frequencies, logitScale } = composed.place(grid, 'sample');
  return { coordinates, frequencies: frequencies!, logitScale };
}

/** What `use` makes of cosines and sines [prefix + T, d/2] and of other inputs. */
export function withTables(
  engine: Engine,
  tables: Tables,
  use: (given: Tensors) => Tensors,
  others: HostTensors = {},
): Promise<Record<string, Computed>> {
  const { coordinates, frequencies } = placementOf(tables);
  const { rotate, prefix = 0 } = tables;
  return evaluate(
    ({ inputs: { coordinates: points, frequencies: turns, ...rest } }) => ({
      outputs: use({ ...rest, ...axialTables(points!, turns!, prefix, rotate) }),
    }),
    { engine, inputs: { ...others, coordinates: tables.coordinates ?? coordinates, frequencies } },
  );
}
