/**
 * Time-aware scaled RoPE (Zhuo et al. 2024, Lumina-Next, as its code has it): steps near noise, which
 * decide the layout, interpolate positions; later steps are NTK-aware with the base times s. Both axes
 * take s = sqrt(area / trained area).
 *
 * Options: `watershed` (0.7), the t above which positions are interpolated (0.3 in that code's time, which
 * begins with noise). The code's base grows by s and not by s^(D / (D - 2)), so its slowest frequency is
 * divided by s^((D - 2) / D); kept as it is. Ours: s never falls below 1. The paper words a gradual
 * change; the code switches.
 */
import { extendAxes } from './axes.ts';
import { interpolated } from './bands.ts';

const name = 'time-aware';

export const timeAware = extendAxes({
  name,
  reducesTo: 'interpolation above the watershed',
  timed: true,
  ratios: 'area',
  options: { watershed: 0.7 },
  formula(frequencies, { s, t, options }) {
    if (t === undefined) {
      throw new TypeError(
        `${name}: expected a time t for a grid larger than the trained one, got none; it depends on t`,
      );
    }
    if (t > Number(options.watershed)) return interpolated(frequencies, s);
    return frequencies.map((f, i) => f / s ** (i / frequencies.length));
  },
});
