/** Steers the playback of a trace, and says what the colours of the board mean. */
import { Icon } from '../components/icon.tsx';
import { count } from '../state/words.ts';
import { type CellState, type Frame, SPEEDS } from './playback.ts';

export type Steering = {
  readonly pass: number;
  readonly playing: boolean;
  readonly speed: number;
  go(pass: number): void;
  toggle(): void;
  setSpeed(speed: number): void;
};

const SPEED_NAMES: Readonly<Record<number, string>> = { 0.25: '¼×', 0.5: '½×', 1: '1×', 4: '4×' };

export function Player({
  steering,
  frame,
  passes,
}: {
  readonly steering: Steering;
  readonly frame: Frame;
  readonly passes: number;
}) {
  const { pass, playing, speed, go, toggle, setSpeed } = steering;
  return (
    <section class="card" aria-label="Playback">
      <header>
        <h2>
          Pass {pass} of {passes}
        </h2>
        <p>{frame.at.toFixed(2)} s</p>
      </header>
      <div class="player">
        <button type="button" class="btn icon" aria-label="To the first pass" onClick={() => go(0)}>
          <Icon name="first" />
        </button>
        <button
          type="button"
          class="btn icon"
          aria-label="One pass back"
          title="One pass back (,)"
          onClick={() => go(pass - 1)}
        >
          <Icon name="back" />
        </button>
        <button
          type="button"
          class="btn main icon"
          aria-label={playing ? 'Pause' : 'Play'}
          title={playing ? 'Pause (Space)' : 'Play (Space)'}
          onClick={toggle}
        >
          <Icon name={playing ? 'pause' : 'play'} />
        </button>
        <button
          type="button"
          class="btn icon"
          aria-label="One pass on"
          title="One pass on (.)"
          onClick={() => go(pass + 1)}
        >
          <Icon name="fwd" />
        </button>
        <label class="sr" for="trace-speed">
          Speed
        </label>
        <select
          id="trace-speed"
          value={speed}
          onChange={({ currentTarget }) => setSpeed(Number(currentTarget.value))}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {SPEED_NAMES[one]}
            </option>
          ))}
        </select>
      </div>
      <input
        type="range"
        min={0}
        max={passes}
        value={pass}
        aria-label="Pass"
        aria-valuetext={`pass ${pass} of ${passes}`}
        onInput={({ currentTarget }) => go(Number(currentTarget.value))}
      />
      <hr />
      <Legend frame={frame} />
    </section>
  );
}

const NAMES: readonly (readonly [state: CellState, name: string])[] = [
  ['accepted', 'Accepted earlier'],
  ['new', 'Accepted in this pass'],
  ['kept', 'Drafted, kept for the next pass'],
  ['redrawn', 'Drafted, redrawn or dropped'],
  ['none', 'Not reached'],
];

const Legend = ({ frame: { counts } }: { frame: Frame }) => (
  <ul class="legend">
    {NAMES.map(([state, name]) => (
      <li key={state}>
        <Swatch state={state} />
        <span>{name}</span>
        <b>{count(counts[state])}</b>
      </li>
    ))}
  </ul>
);

const Swatch = ({ state }: { state: CellState }) => (
  <svg viewBox="-1 -1 18 18" class="board" aria-hidden="true">
    {state === 'accepted' && <rect class="was" x="0" y="0" width="16" height="16" />}
    {state === 'new' && <rect class="new" x="1" y="1" width="14" height="14" />}
    {state === 'kept' && <rect class="draft" x="1" y="1" width="14" height="14" />}
    {state === 'redrawn' && (
      <>
        <rect class="redo" x="1" y="1" width="14" height="14" />
        <path class="x" d="M5 5l6 6m0-6-6 6" />
      </>
    )}
    {state === 'none' && <rect class="none edged" x=".5" y=".5" width="15" height="15" />}
  </svg>
);
