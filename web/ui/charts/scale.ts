/** Scales of charts: ranges, round ticks, and labels at line ends pushed apart. */

export type Scale = {
  /** Ends of the scale in the unit of the data. */
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly ticks: readonly number[];
};

/** Part of the range that is left free at either end. */
const MARGIN = 0.04;

/** A scale that holds all values; on a logarithmic one those that are not above 0 have no place. */
export function scaleOf(values: readonly number[], { log = false, ticks = 5 } = {}): Scale {
  const own = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (own.length === 0) return log ? { ...UNIT, low: 1, high: 10, log } : UNIT;
  const [least, most] = own.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const [from, to] = log ? [Math.log10(least), Math.log10(most)] : [least, most];
  // one value alone stands in the middle of a range of its own size
  const room = to > from ? (to - from) * MARGIN : log ? 0.3 : Math.abs(from) / 2 || 0.5;
  const [a, b] = [from - room, to + room];
  const [low, high] = log ? [10 ** a, 10 ** b] : [a, b];
  return { low, high, log, ticks: log ? logTicks(low, high, ticks) : roundTicks(low, high, ticks) };
}

const UNIT: Scale = { low: 0, high: 1, log: false, ticks: [0, 0.25, 0.5, 0.75, 1] };

/** About `count` multiples of 1, 2 or 5 times a power of ten between the ends. */
export function roundTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
    Number(((first + i) * step).toFixed(digits + 1)),
  );
}

/** 1, 2, 3, 5 times powers of ten, or fewer of them where they would be more than twice as many as asked for. */
function logTicks(low: number, high: number, count: number): number[] {
  for (const times of [[1, 2, 3, 5], [1, 3], [1]]) {
    const found: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      for (const factor of times) {
        const tick = Number((factor * 10 ** power).toPrecision(6));
        if (tick >= low && tick <= high) found.push(tick);
      }
    if (found.length >= 2 && found.length <= count * 2) return found;
  }
  return roundTicks(low, high, count);
}

/** Where a value lies between the ends, 0 to 1. */
export function placeOn({ low, high, log }: Scale, value: number): number {
  if (!log) return (value - low) / (high - low);
  return Math.log(value / low) / Math.log(high / low);
}

/**
 * Middles of labels in pixels, in the order given, moved apart so that no two are nearer than `gap` and all stay within
 * `low` and `high` where there is room.
 */
export function spreadLabels(
  wanted: readonly number[],
  { gap, low, high }: { gap: number; low: number; high: number },
): number[] {
  const order = [...wanted.keys()].sort((a, b) => wanted[a]! - wanted[b]!);
  const at = order.map((i) => Math.max(low, wanted[i]!));
  for (let i = 1; i < at.length; i++) at[i] = Math.max(at[i]!, at[i - 1]! + gap);
  let most = high;
  for (let i = at.length - 1; i >= 0; i--) {
    at[i] = Math.min(at[i]!, most);
    most = at[i]! - gap;
  }
  const placed: number[] = new Array(wanted.length);
  for (const [rank, i] of order.entries()) placed[i] = at[rank]!;
  return placed;
}

/** A number for an axis or a table: three digits that count. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(1);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
