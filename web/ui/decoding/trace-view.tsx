/** A trace as an animation, beside sequential decoding at the same moment. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceReport, TraceRun } from '../../../jobs/job.ts';
import { useKeys } from '../state/keys.ts';
import { count, plural } from '../state/words.ts';
import { Board } from './board.tsx';
import { PassBars } from './pass-bars.tsx';
import { decidedByPass, frameAt, keyed, lengthOf, passAt, played, raceOf } from './playback.ts';
import { Player, type Steering } from './player.tsx';

export function TraceView({ report, name }: { report: TraceReport; name: string }) {
  const { chosen, sequential, grid, exactness } = report;
  const passes = chosen.passes.length;
  const steering = useSteering(chosen);
  const length = lengthOf(report);
  const frame = frameAt(chosen, steering.pass, length);
  const other = frameAt(sequential, passAt(sequential, frame.at), length);
  return (
    <div class="stack">
      <div class="decode">
        <Side
          {...{ grid, frame, length, name }}
          run={chosen}
          tag={exactness === 'identical' ? 'identical to sequential' : exactness}
          kind={exactness === 'identical' ? 'acc' : exactness === 'approximate' ? 'warn' : ''}
        />
        <Side
          {...{ grid, length }}
          frame={other}
          run={sequential}
          name="Sequential"
          tag="reference, at the same moment"
          still
        />
        <div class="stack">
          <Player steering={steering} frame={frame} passes={passes} />
          <Whole report={report} name={name} />
        </div>
      </div>
      <section class="card" aria-label="Accepted at each pass">
        <header>
          <h2>Accepted at each pass</h2>
          <p>choose a bar to go to that pass</p>
        </header>
        <PassBars decided={decidedByPass(chosen)} pass={steering.pass} onChoose={steering.go} />
      </section>
    </div>
  );
}

/** Begins at the end, with the whole picture: nothing moves before it is asked to. */
function useSteering(run: TraceRun): Steering {
  const passes = run.passes.length;
  const [state, setState] = useState({ pass: passes, playing: false });
  const [speed, setSpeed] = useState(1);
  const from = useRef(state.pass);
  useEffect(() => {
    if (!state.playing) return;
    from.current = state.pass;
    const begun = performance.now();
    let frame = requestAnimationFrame(function next(now) {
      const pass = played(run, from.current, (now - begun) / 1000, speed);
      setState((before) =>
        before.pass === pass && pass < passes ? before : { pass, playing: pass < passes },
      );
      if (pass < passes) frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  }, [run, state.playing, speed]);
  const press = (key: string) => () => {
    const next = keyed(key, state, passes);
    if (next) setState(next);
  };
  useKeys({ ' ': press(' '), ',': press(','), '.': press('.') });
  return {
    ...state,
    ...{ speed, setSpeed, toggle: press(' ') },
    go: (pass) => setState({ pass: Math.min(passes, Math.max(0, pass)), playing: false }),
  };
}

function Side({
  run,
  frame,
  grid,
  length,
  name,
  tag,
  kind = '',
  still = false,
}: {
  readonly run: TraceRun;
  readonly frame: ReturnType<typeof frameAt>;
  readonly grid: TraceReport['grid'];
  readonly length: number;
  readonly name: string;
  readonly tag: string;
  readonly kind?: string;
  readonly still?: boolean;
}) {
  const text = `${count(frame.decided)} of ${count(length)} tokens`;
  return (
    <figure class="card">
      <header>
        <h2>{name}</h2>
        <span class={`tag ${kind} push`}>{tag}</span>
      </header>
      <Board {...{ grid, frame, name }} png={run.png} passes={run.passes.length} />
      <hr />
      <div class="walk">
        <progress
          class={still ? 'still' : ''}
          value={frame.decided}
          max={length}
          aria-label={`${name}: ${text}`}
        />
        <p class="row">
          <strong>{text}</strong>
          <span class="push soft">{plural(frame.pass, 'pass', 'passes')}</span>
        </p>
      </div>
    </figure>
  );
}

function Whole({ report, name }: { report: TraceReport; name: string }) {
  const { chosen, sequential } = report;
  const { fewerPasses, lessTime, tokensPerPass } = raceOf(report);
  const longest = Math.max(chosen.seconds, sequential.seconds);
  const figures = [
    [`${fewerPasses.toFixed(1)}×`, 'fewer passes'],
    lessTime >= 1
      ? [`${lessTime.toFixed(1)}×`, 'less time']
      : [`${(1 / lessTime).toFixed(1)}×`, 'more time'],
    [tokensPerPass.toFixed(1), 'tokens a pass'],
  ] as const;
  return (
    <section class="card" aria-label="Whole picture">
      <header>
        <h2>Whole picture</h2>
      </header>
      <dl class="figures">
        {figures.map(([value, what]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <hr />
      <div class="race">
        {[
          { ...chosen, name },
          { ...sequential, name: 'Sequential' },
        ].map((run, i) => (
          <div key={run.decoder}>
            <span>{run.name}</span>
            <b class="num">{run.seconds.toFixed(2)} s</b>
            <progress
              class={i === 0 ? 'thin' : 'thin still'}
              value={run.seconds}
              max={longest}
              aria-label={`${run.name}: ${run.seconds.toFixed(2)} of ${longest.toFixed(2)} seconds`}
            />
          </div>
        ))}
      </div>
    </section>
  );
}
