/** Whole configurations of methods that belong together, under the names of their papers. */
import type { PositionConfig } from './choose.ts';

export const POSITION_PRESETS = {
  /** No positions at all: attention cannot tell one order of the tokens from another. */
  nope: {},
  /** Zhang et al. 2025: no encoding of positions but what causal attention and borders tell. */
  ledit: { embed: 'locality', bias: 'causal' },
  /** He et al. 2024: absolute within tiles of 4 x 4 cells, relative between tiles. */
  bipe: {
    coordinates: { method: 'tiles', tile: 4 },
    embed: { method: 'within-tile', tile: 4 },
    rotate: 'axial',
  },
  /** Hou et al. 2025, with the attention scale and the timestep shift of its later version. */
  rpe2d: { coordinates: 'rpe2d', rotate: 'axial', extend: ['attention-scale', 'time-shift'] },
  /** Choi et al. 2021. */
  'ms-pe': { coordinates: 'shifted', embed: 'ms-pe' },
} as const satisfies Record<string, PositionConfig>;
