/** The size: rope up to what the model was trained on, dashes beyond; a native range lies over the drawing. */
import type { ModelView } from '../../api.ts';
import { type Form, reachOf, sizeFor, stopsOf } from '../../state/form.ts';
import { change } from '../../state/session.ts';

const [LEFT, RIGHT, ROPE_Y] = [9, 271, 24];

export function Ruler({ form, model }: { readonly form: Form; readonly model: ModelView }) {
  const stops = stopsOf(model);
  const side = Math.max(form.width, form.height);
  const trained = Math.max(model.trained.width, model.trained.height);
  const last = Math.max(1, stops.length - 1);
  const xOf = (value: number) => LEFT + ((RIGHT - LEFT) * placeOf(value, stops)) / last;
  const home = xOf(trained);
  const reach = reachOf(form, model);
  const strands: string[] = [];
  for (let x = LEFT + 1; x < home - 4; x += 6) strands.push(`M${x} ${ROPE_Y + 2.5}l4-5`);
  return (
    <>
      <div class="ruler">
        <svg viewBox="0 0 280 54" aria-hidden="true">
          <path class="home" d={`M${home} 8V${ROPE_Y - 4}`} />
          <text x={home + 4} y="12">
            trained here
          </text>
          <path class="lay" d={`M${LEFT} ${ROPE_Y}H${home}`} />
          <path class="lay2" d={strands.join('')} />
          <path class="fray" d={`M${home + 3} ${ROPE_Y}H${RIGHT}`} />
          {stops.map((stop) => (
            <text
              key={stop}
              class={stop === side ? 'on' : ''}
              x={xOf(stop)}
              y="50"
              text-anchor="middle"
            >
              {stop}
            </text>
          ))}
        </svg>
        <input
          type="range"
          id="size"
          min="0"
          max={last}
          step="1"
          value={Math.round(placeOf(side, stops))}
          aria-label="Size"
          aria-valuetext={`${side} pixels, ${+reach.toFixed(2)} times the trained side`}
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
      </p>
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
