/**
 * A chart on a canvas by uPlot: lines and axes are uPlot's; marks, error bars, the trained line, the region beyond it and the
 * names at the line ends are drawn here.
 */
import uPlot from 'uplot';
import { drawBackground, drawSeries } from './draw.ts';
import { placeOn, type Scale, scaleOf, short } from './scale.ts';
import type { ChartSpec } from './spec.ts';

/** What the style sheet says at this moment. */
export type Palette = {
  readonly font: string;
  readonly ink: string;
  readonly soft: string;
  readonly rule: string;
  readonly edge: string;
  readonly surface: string;
  readonly zone: string;
  /** --c1 to --c8. */
  readonly series: readonly string[];
};

export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    font: style.fontFamily,
    ...{ ink: token('--ink'), soft: token('--soft'), rule: token('--rule'), edge: token('--edge') },
    ...{ surface: token('--surface'), zone: token('--sunk') },
    series: Array.from({ length: 8 }, (_, i) => token(`--c${i + 1}`)),
  };
}

export type Scales = { readonly x: Scale; readonly y: Scale };

export function scalesOf({ x, y, series, level }: ChartSpec): Scales {
  const values = series.flatMap(({ points }) =>
    points.flatMap((point) =>
      point ? [point.value, point.low ?? point.value, point.high ?? point.value] : [],
    ),
  );
  return {
    x: scaleOf(x.places, { log: x.log ?? false, ticks: 6 }),
    y: scaleOf(level ? [...values, level.value] : values, { log: y.log ?? false, ticks: 5 }),
  };
}

/** From the line ends to their names, in CSS pixels. */
const LEADER = 24;
/** Narrower charts have a legend instead. */
export const NARROW = 520;

export const hasEndLabels = ({ endLabels }: ChartSpec, width: number): boolean =>
  (endLabels ?? false) && width >= NARROW;

export type Size = { readonly width: number; readonly height: number };
/** Room for the names at the line ends, in CSS pixels. */
function roomFor(names: readonly string[], { font }: Palette): number {
  const ctx = document.createElement('canvas').getContext('2d')!;
  ctx.font = `650 11.5px ${font}`;
  return LEADER + Math.ceil(Math.max(0, ...names.map((name) => ctx.measureText(name).width)));
}

/** Called with the place that the pointer is at, or nothing. */
export type OnPlace = (place: number | undefined, left: number) => void;

/** Draws into `host`; all positions are 0 to 1 along their scale. */
export function createPlot(
  host: HTMLElement,
  spec: ChartSpec,
  size: Size,
  onPlace: OnPlace,
): uPlot {
  const palette = paletteOf(host);
  const scales = scalesOf(spec);
  const labelled = hasEndLabels(spec, size.width);
  const xs = spec.x.places.map((place) => placeOn(scales.x, place));
  const ys = spec.series.map(({ points }) =>
    points.map((point) => (point ? placeOn(scales.y, point.value) : null)),
  );
  const room = roomFor(
    spec.series.map(({ name }) => name),
    palette,
  );
  const drawing = { spec, scales, palette, labelled };
  const options: uPlot.Options = {
    ...size,
    padding: [spec.trained === undefined ? 8 : 20, labelled ? room : 10, 0, 0],
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
    axes: [xAxis(spec, scales.x, palette), yAxis(scales.y, palette)],
    series: [{}, ...spec.series.map((one) => lineOf(one, palette))],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: {
      drawClear: [(plot) => drawBackground(plot, drawing)],
      draw: [(plot) => drawSeries(plot, drawing)],
      setCursor: [({ cursor }) => onPlace(cursor.idx ?? undefined, cursor.left ?? 0)],
    },
  };
  return new uPlot(options, [xs, ...ys], host);
}

/** Only while the pointer is over it does the canvas change, so previews of the cursor need no motion setting. */
function lineOf(
  { colour, dashed, strong }: ChartSpec['series'][number],
  palette: Palette,
): uPlot.Series {
  return {
    stroke: palette.series[colour - 1] ?? palette.ink,
    width: strong ? 2.4 : 1.5,
    ...(dashed ? { dash: [6, 4] } : {}),
    spanGaps: true,
    points: { show: false },
  };
}

function xAxis({ x, trained }: ChartSpec, scale: Scale, palette: Palette): uPlot.Axis {
  const ticks = x.labels ? x.places : scale.ticks;
  const labels = x.labels ?? ticks.map(short);
  return {
    ...{ stroke: palette.soft, font: `11.5px ${palette.font}`, size: 28, gap: 5, space: 1 },
    grid: { show: false },
    ticks: { show: true, stroke: palette.edge, width: 1, size: 4 },
    border: { show: true, stroke: palette.edge, width: 1 },
    splits: () => ticks.map((tick) => placeOn(scale, tick)),
    values: () => thinned(labels, ticks, scale, trained),
  };
}

/** Labels that would touch the one before are left out; that of the trained place stays. */
function thinned(
  labels: readonly string[],
  ticks: readonly number[],
  scale: Scale,
  trained: number | undefined,
): (string | null)[] {
  const near = (a: number, b: number) => Math.abs(placeOn(scale, a) - placeOn(scale, b)) < 0.06;
  let last: number | undefined;
  return labels.map((label, i) => {
    const tick = ticks[i]!;
    const hidden =
      tick !== trained &&
      ((last !== undefined && near(last, tick)) || (trained !== undefined && near(trained, tick)));
    if (hidden) return null;
    last = tick;
    return label;
  });
}

function yAxis(scale: Scale, palette: Palette): uPlot.Axis {
  return {
    ...{ stroke: palette.soft, font: `11.5px ${palette.font}`, size: 46, gap: 6, space: 1 },
    grid: { show: true, stroke: palette.rule, width: 1 },
    ticks: { show: false },
    splits: () => scale.ticks.map((tick) => placeOn(scale, tick)),
    values: () => scale.ticks.map(short),
  };
}
