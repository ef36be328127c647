/** The loss curve of a run as an SVG picture, from its metrics.jsonl. */
import type { StepMetrics } from './metrics.ts';

export type Point = Pick<StepMetrics, 'step' | 'loss' | 'heldOutLoss'>;

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 60;
const RIGHT = 20;
const TOP = 30;
const BOTTOM = 40;
/** Points drawn at most: more than pixels say nothing. */
const MOST = 400;

/** Training loss (means over equal stretches) and held-out loss over steps, the loss on a log scale. */
export function curveSvg(points: readonly Point[], title: string): string {
  if (points.length === 0) throw new RangeError('curve: expected at least one step, got none');
  const training = thinned(points);
  const heldOut = points.flatMap(({ step, heldOutLoss }) =>
    heldOutLoss === undefined ? [] : [{ step, loss: heldOutLoss }],
  );
  const losses = [...training, ...heldOut].map(({ loss }) => loss).filter((loss) => loss > 0);
  const [low, high] = [Math.min(...losses) / 1.1, Math.max(...losses) * 1.1];
  const last = points.at(-1)!.step;
  const x = (step: number) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / last;
  const y = (loss: number) =>
    TOP + ((HEIGHT - TOP - BOTTOM) * Math.log(high / loss)) / Math.log(high / low);
  const path = (line: readonly Point[]) =>
    line.map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.step).toFixed(1)} ${y(p.loss).toFixed(1)}`);
  const ticks = Array.from({ length: 5 }, (_, i) => low * (high / low) ** (i / 4));
  const steps = Array.from({ length: 5 }, (_, i) => Math.round((last * i) / 4));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="18" font-size="14">${escapeXml(title)}</text>`,
    ...ticks.map(
      (loss) =>
        `<path d="M${LEFT} ${y(loss).toFixed(1)}H${WIDTH - RIGHT}" stroke="#dddddd"/><text x="${LEFT - 6}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${loss.toPrecision(3)}</text>`,
    ),
    ...steps.map(
      (step) =>
        `<text x="${x(step).toFixed(1)}" y="${HEIGHT - 18}" text-anchor="middle">${step}</text>`,
    ),
    `<path d="${path(training).join('')}" fill="none" stroke="#3366aa"/>`,
    heldOut.length > 0
      ? `<path d="${path(heldOut).join('')}" fill="none" stroke="#cc5522" stroke-width="2"/>`
      : '',
    `<text x="${WIDTH - RIGHT}" y="18" text-anchor="end"><tspan fill="#3366aa">training loss</tspan>  <tspan fill="#cc5522">held-out loss</tspan></text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** Means of equal stretches of steps. */
function thinned(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / MOST);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const loss = part.reduce((sum, point) => sum + point.loss, 0) / part.length;
    return { step: part.at(-1)!.step, loss };
  });
}

const escapeXml = (text: string) => text.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
