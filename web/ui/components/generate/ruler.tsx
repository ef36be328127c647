/**
 * The size: rope up to what the model was trained on, dashes beyond; a native range lies over the drawing. Above it, where
 * a report has measured the model, how far its square pictures are from real ones at each size.
 */
import type { ModelView } from '../../api.ts';
import { short } from '../../charts/scale.ts';
import { type QualityPoint, qualityBySide } from '../../resolution/report.ts';
import { type Form, reachOf, sizeFor, stopsOf } from '../../state/form.ts';
import { extensionOf, useReportOf } from '../../state/measured.ts';
import { change } from '../../state/session.ts';

const [LEFT, RIGHT] = [9, 271];
/** Room for the curve above the rope. */
const CURVE = { top: 30, bottom: 50 };

export function Ruler({ form, model }: { readonly form: Form; readonly model: ModelView }) {
  const stops = stopsOf(model);
  const side = Math.max(form.width, form.height);
  const trained = Math.max(model.size.trained.width, model.size.trained.height);
  const last = Math.max(1, stops.length - 1);
  const xOf = (value: number) => LEFT + ((RIGHT - LEFT) * placeOf(value, stops)) / last;
  const home = xOf(trained);
  const reach = reachOf(form, model);
  const quality = useQuality(form, model);
  const here = form.width === form.height && quality.find((point) => point.side === side);
  const ropeY = quality.length > 0 ? 70 : 24;
  const height = ropeY + 30;
  const strands: string[] = [];
  for (let x = LEFT + 1; x < home - 4; x += 6) strands.push(`M${x} ${ropeY + 2.5}l4-5`);
  return (
    <>
      <div class="ruler">
        <svg viewBox={`0 0 280 ${height}`} aria-hidden="true">
          {quality.length > 0 && <Curve quality={quality} here={here || undefined} xOf={xOf} />}
          <path class="home" d={`M${home} 8V${ropeY - 4}`} />
          <text x={home + 4} y="12">
            trained here
          </text>
          <path class="lay" d={`M${LEFT} ${ropeY}H${home}`} />
          <path class="lay2" d={strands.join('')} />
          <path class="fray" d={`M${home + 3} ${ropeY}H${RIGHT}`} />
          {stops.map((stop) => (
            <text
              key={stop}
              class={stop === side ? 'on' : ''}
              x={xOf(stop)}
              y={ropeY + 26}
              text-anchor="middle"
            >
              {stop}
            </text>
          ))}
        </svg>
        <input
          type="range"
          id="size"
          style={{ top: `${(100 * ropeY) / height}%` }}
          min="0"
          max={last}
          step="1"
          value={Math.round(placeOf(side, stops))}
          aria-label="Size"
          aria-valuetext={`${side} pixels, ${+reach.toFixed(2)} times the trained side${here ? `, KID ${short(here.value)}` : ''}`}
          aria-describedby="size-h"
          onInput={(event) => {
            const stop = stops[Number(event.currentTarget.value)]!;
            const ratio = form.ratio === 'free' ? '1:1' : form.ratio;
            change({ ratio, ...sizeFor(stop, ratio, model.size) });
          }}
        />
      </div>
      <p class="hint" id="size-h">
        {reach > 1 ? (
          <>
            <b>{+reach.toFixed(2)}× the trained side.</b> Rope: trained. Dashes: extrapolated.
          </>
        ) : (
          'Rope: sizes the model was trained on. Dashes: extrapolated.'
        )}
        {quality.length > 0 && ' Curve: distance from real pictures (KID × 1000), as measured.'}
      </p>
    </>
  );
}

/** KID by side of the form's extension, within the ruler; empty where nothing was measured. */
function useQuality(form: Form, model: ModelView): readonly QualityPoint[] {
  const report = useReportOf(model.id);
  const extension = extensionOf(form, model);
  if (!report || extension === undefined) return [];
  const stops = stopsOf(model);
  return qualityBySide(report, model.id, extension).filter(
    ({ side }) => side >= stops[0]! && side <= stops.at(-1)!,
  );
}

/** The higher the further from real pictures, on a logarithmic scale; its band is the interval. */
function Curve({
  quality,
  here,
  xOf,
}: {
  readonly quality: readonly QualityPoint[];
  /** That of the chosen size. */
  readonly here: QualityPoint | undefined;
  readonly xOf: (side: number) => number;
}) {
  const least = Math.min(...quality.map(({ value }) => value).filter((value) => value > 0));
  const most = Math.max(...quality.map(({ high }) => high));
  const yOf = (value: number) => {
    const share = Math.log(Math.max(value, least) / least) / Math.max(1e-6, Math.log(most / least));
    return +(CURVE.bottom - share * (CURVE.bottom - CURVE.top)).toFixed(1);
  };
  const line = (points: readonly QualityPoint[], of: 'value' | 'low' | 'high') =>
    points.map((point) => `${+xOf(point.side).toFixed(1)} ${yOf(point[of])}`).join('L');
  return (
    <>
      <path class="band" d={`M${line(quality, 'high')}L${line([...quality].reverse(), 'low')}z`} />
      <path class="curve" d={`M${line(quality, 'value')}`} />
      {here && (
        <>
          <circle class="dot" cx={xOf(here.side)} cy={yOf(here.value)} r="4" />
          <text class="on" x={xOf(here.side)} y={yOf(here.value) - 8} text-anchor="middle">
            KID {short(here.value)}
          </text>
        </>
      )}
    </>
  );
}

/** Where a side lies between the stops, in stops; free sizes lie between two. */
function placeOf(side: number, stops: readonly number[]): number {
  const above = stops.findIndex((stop) => stop >= side);
  if (above < 0) return stops.length - 1;
  if (above === 0 || stops[above] === side) return above;
  const [low, high] = [stops[above - 1]!, stops[above]!];
  return above - 1 + (side - low) / (high - low);
}
