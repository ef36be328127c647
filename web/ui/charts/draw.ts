/** What uPlot does not draw: the region that was never trained, marks, error bars, names at line ends. */
import type uPlot from 'uplot';
import type { Palette, Scales } from './plot.ts';
import { placeOn, spreadLabels } from './scale.ts';
import type { ChartSeries, ChartSpec, Mark } from './spec.ts';

export type Drawing = {
  readonly spec: ChartSpec;
  readonly scales: Scales;
  readonly palette: Palette;
  readonly labelled: boolean;
};

/** Canvas pixels of a CSS pixel. */
const ratio = () => window.devicePixelRatio || 1;
const font = ({ font: family }: Palette, weight = 400) => `${weight} ${11.5 * ratio()}px ${family}`;
/** Pixels on the canvas of a value on an axis. */
const along =
  (plot: uPlot, { scales }: Drawing, axis: 'x' | 'y') =>
  (value: number) =>
    plot.valToPos(placeOn(scales[axis], value), axis, true);

/** Before the grid: what lies beyond the trained place, and the level to compare with. */
export function drawBackground(plot: uPlot, drawing: Drawing): void {
  const { ctx, bbox } = plot;
  const { spec, palette } = drawing;
  const { trained, level } = spec;
  ctx.save();
  if (trained !== undefined) {
    const x = along(plot, drawing, 'x')(trained);
    ctx.fillStyle = palette.zone;
    ctx.globalAlpha = 0.55;
    ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
    ctx.globalAlpha = 1;
    drawTrained(plot, drawing, x);
  }
  if (level) {
    const y = along(plot, drawing, 'y')(level.value);
    dashedLine(ctx, palette.edge, [bbox.left, y], [bbox.left + bbox.width, y]);
    ctx.font = font(palette);
    ctx.fillStyle = palette.soft;
    ctx.textAlign = 'right';
    ctx.fillText(level.name, bbox.left + bbox.width - 4 * ratio(), y - 4 * ratio());
  }
  ctx.restore();
}

function drawTrained({ ctx, bbox }: uPlot, { palette, labelled }: Drawing, x: number): void {
  const top = bbox.top - 6 * ratio();
  dashedLine(ctx, palette.ink, [x, top], [x, bbox.top + bbox.height]);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'alphabetic';
  ctx.font = font(palette, 650);
  ctx.fillStyle = palette.ink;
  ctx.fillText('trained', x, top - 3 * ratio());
  if (!labelled) return;
  ctx.font = font(palette);
  ctx.fillStyle = palette.soft;
  ctx.textAlign = 'left';
  ctx.fillText('never trained →', x + 46 * ratio(), top - 3 * ratio());
}

function dashedLine(
  ctx: CanvasRenderingContext2D,
  colour: string,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): void {
  ctx.beginPath();
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio();
  ctx.setLineDash([2 * ratio(), 3 * ratio()]);
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Over the lines: error bars, marks and names. The first series is drawn last, on top. */
export function drawSeries(plot: uPlot, drawing: Drawing): void {
  const { ctx } = plot;
  ctx.save();
  ctx.setLineDash([]); // that of the last line
  for (const series of [...drawing.spec.series].reverse()) drawPoints(plot, drawing, series);
  if (drawing.labelled) drawEndLabels(plot, drawing);
  ctx.restore();
}

const colourOf = ({ series, ink }: Palette, { colour }: ChartSeries) => series[colour - 1] ?? ink;

function drawPoints(plot: uPlot, drawing: Drawing, series: ChartSeries): void {
  const { ctx } = plot;
  const { spec, palette } = drawing;
  const [x, y] = [along(plot, drawing, 'x'), along(plot, drawing, 'y')];
  ctx.strokeStyle = colourOf(palette, series);
  for (const [i, point] of series.points.entries()) {
    if (!point) continue;
    const at = [x(spec.x.places[i]!), y(point.value)] as const;
    const { low = point.value, high = point.value } = point;
    if (high > low) errorBar(ctx, at[0], y(low), y(high));
    if (series.mark) drawMark(ctx, { ...series, mark: series.mark }, at, palette);
  }
}

function errorBar(ctx: CanvasRenderingContext2D, x: number, from: number, to: number): void {
  if (!Number.isFinite(from) || !Number.isFinite(to)) return;
  const half = 3 * ratio();
  ctx.lineWidth = 1.1 * ratio();
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
  for (const end of [from, to]) {
    ctx.moveTo(x - half, end);
    ctx.lineTo(x + half, end);
  }
  ctx.stroke();
}

/** Corners of marks, in parts of their radius. */
const CORNERS: Readonly<Record<Exclude<Mark, 'circle'>, readonly (readonly [number, number])[]>> = {
  square: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  diamond: [
    [0, -1.2],
    [1.2, 0],
    [0, 1.2],
    [-1.2, 0],
  ],
  triangle: [
    [0, -1.1],
    [1.1, 0.9],
    [-1.1, 0.9],
  ],
};

function drawMark(
  ctx: CanvasRenderingContext2D,
  series: ChartSeries & { readonly mark: Mark },
  [x, y]: readonly [number, number],
  palette: Palette,
): void {
  const radius = 3.7 * ratio();
  const colour = colourOf(palette, series);
  ctx.beginPath();
  if (series.mark === 'circle') ctx.arc(x, y, radius, 0, 2 * Math.PI);
  else for (const [dx, dy] of CORNERS[series.mark]) ctx.lineTo(x + dx * radius, y + dy * radius);
  ctx.closePath();
  ctx.fillStyle = series.hollow ? palette.surface : colour;
  ctx.strokeStyle = series.hollow ? colour : palette.surface;
  ctx.lineWidth = (series.hollow ? 1.6 : 1.2) * ratio();
  ctx.fill();
  ctx.stroke();
  ctx.strokeStyle = colour;
}

function drawEndLabels(plot: uPlot, drawing: Drawing): void {
  const { ctx, bbox } = plot;
  const { spec, palette } = drawing;
  const [x, y] = [along(plot, drawing, 'x'), along(plot, drawing, 'y')];
  const ends = spec.series.flatMap((series) => {
    const last = series.points.findLastIndex((point) => point !== undefined);
    const point = series.points[last];
    return point ? [{ series, x: x(spec.x.places[last]!), y: y(point.value) }] : [];
  });
  const placed = spreadLabels(
    ends.map((end) => end.y),
    { gap: 15 * ratio(), low: bbox.top, high: bbox.top + bbox.height },
  );
  const edge = bbox.left + bbox.width;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const [i, { series, x, y }] of ends.entries()) {
    ctx.strokeStyle = colourOf(palette, series);
    ctx.lineWidth = ratio();
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.moveTo(Math.max(x, edge - 4 * ratio()) + 7 * ratio(), y);
    ctx.lineTo(edge + 16 * ratio(), placed[i]!);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.font = font(palette, series.strong ? 650 : 400);
    ctx.fillStyle = colourOf(palette, series);
    ctx.fillText(series.name, edge + 20 * ratio(), placed[i]!);
  }
}
