/** Extensions that are one formula for the frequencies of an axis, and what all of these share. */
import type { ExtendMethod, Extension, OptionDefault, Options } from '../contract.ts';
import type { Spans } from '../grid.ts';
import { ratiosOf } from './bands.ts';

/** One axis of a grid that is not as long as trained. */
export type Axis = {
  /** How many times longer than trained: above 1, but for methods that spread shorter axes. */
  readonly s: number;
  /** Its span as trained, and now, in units of coordinates. */
  readonly side: number;
  readonly length: number;
  readonly base: number;
  readonly axis: 'y' | 'x';
  readonly t?: number;
  readonly options: Options;
};
export type AxisFormula = (frequencies: readonly number[], axis: Axis) => readonly number[];

/**
 * What s is on either axis. 'own': each axis's own ratio. 'longer': that of the longer axis for both,
 * so a grid keeps equal frequencies on both. 'area': the root of the areas' ratio for both. None is below `least`.
 */
export type Ratios = 'own' | 'longer' | 'area';

export function ratiosBy(kind: Ratios, spans: Spans, least = 1) {
  const own = ratiosOf(spans, least);
  if (kind === 'own') return own;
  const { trained, now } = spans;
  const s =
    kind === 'longer'
      ? Math.max(own.y, own.x)
      : Math.max(least, Math.sqrt((now.height * now.width) / (trained.height * trained.width)));
  return { y: s, x: s };
}

/** Factor of the logits that YaRN's attention temperature makes: queries and keys each by 1 + a ln s. */
export const temperature = (s: number, a = 0.1): number => (1 + a * Math.log(s)) ** 2;

/** For extensions whose work is elsewhere: attention, or the sampling's times. */
export const unchanged: ExtendMethod['extend'] = ({ frequencies, coordinates, logitScale }) => ({
  frequencies,
  coordinates,
  logitScale,
});

type Declaration = {
  readonly name: string;
  readonly reducesTo: string;
  readonly timed?: boolean;
  /** 'option' lets the option `axes` choose between 'own' and 'longer'. */
  readonly ratios: Ratios | 'option';
  /** Has the option `shorter`: axes shorter than trained are 'kept' or 'spread' over the trained span. */
  readonly spreads?: boolean;
  readonly options?: Readonly<Record<string, OptionDefault>>;
  readonly formula: AxisFormula;
  /** Factor of the logits by the longer axis's ratio. */
  readonly logitScale?: (s: number, options: Options) => number;
};

/** An axis whose ratio is 1 keeps its frequencies to the bit. */
export function extendAxes(declared: Declaration): ExtendMethod {
  const { name, reducesTo, timed = false, ratios, formula, logitScale: scaleOf } = declared;
  return {
    hook: 'extend',
    name,
    reducesTo,
    of: 'frequencies',
    timed,
    options: {
      ...(ratios === 'option' ? { axes: ['own', 'longer'] } : {}),
      ...(declared.spreads ? { shorter: ['kept', 'spread'] } : {}),
      ...declared.options,
    },
    extend({ where, spans, options, base, frequencies, coordinates, logitScale }): Extension {
      const kind = ratios === 'option' ? (options.axes as Ratios) : ratios;
      const s = ratiosBy(kind, spans, options.shorter === 'spread' ? 0 : 1);
      const { trained, now } = spans;
      const { t } = where;
      const extended = (axis: 'y' | 'x', side: number, length: number) =>
        s[axis] === 1
          ? frequencies[axis]
          : formula(frequencies[axis], {
              ...{ s: s[axis], side, length, base, axis, options },
              ...(t === undefined ? {} : { t }),
            });
      return {
        frequencies: {
          y: extended('y', trained.height, now.height),
          x: extended('x', trained.width, now.width),
        },
        coordinates,
        logitScale: logitScale * (scaleOf?.(Math.max(s.y, s.x), options) ?? 1),
      };
    },
  };
}

/** An option that is a pair [fast, slow] of turns over the trained side, the first the larger. */
export function bandOf(name: string, option: string, options: Options) {
  const value = options[option] as readonly number[];
  const [fast = Number.NaN, slow = Number.NaN] = value;
  if (value.length === 2 && fast >= slow && slow > 0) return { fast, slow };
  throw new RangeError(
    `positions.extend '${name}'.${option}: expected two numbers of turns above 0, the larger first, got ${JSON.stringify(value)}; published bands are [16, 2] and [1.25, 0.75]`,
  );
}
