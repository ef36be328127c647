/** Tokens that each pass decided, as bars; the range over them is how a bar is chosen, by pointer or keys. */
import { roundTicks } from '../charts/scale.ts';

const WIDTH = 1180;
const [LEFT, TOP, BASE] = [34, 10, 64];

export function PassBars({
  decided,
  pass,
  onChoose,
}: {
  readonly decided: readonly number[];
  readonly pass: number;
  readonly onChoose: (pass: number) => void;
}) {
  const most = Math.max(1, ...decided);
  const step = (WIDTH - LEFT - 4) / decided.length;
  const y = (value: number) => BASE - ((BASE - TOP) * value) / most;
  const ticks = roundTicks(0, most, 2).filter(Number.isInteger);
  return (
    <div class="bar-row">
      <svg class="chart bars" viewBox={`0 0 ${WIDTH} 84`} aria-hidden="true">
        {ticks.map((tick) => (
          <g key={tick}>
            <path class="grid" d={`M${LEFT} ${y(tick)}H${WIDTH - 4}`} />
            <text x={LEFT - 8} y={y(tick) + 4} text-anchor="end">
              {tick}
            </text>
          </g>
        ))}
        {decided.map((value, i) => (
          <rect
            key={i}
            class={i + 1 === pass ? 'now' : i + 1 < pass ? 'past' : ''}
            x={(LEFT + 2 + i * step).toFixed(1)}
            y={y(value).toFixed(1)}
            width={Math.max(0.5, step - 2).toFixed(1)}
            height={(BASE - y(value)).toFixed(1)}
          />
        ))}
        <text x={LEFT + 2} y="80">
          pass 1
        </text>
        <text x={WIDTH - 4} y="80" text-anchor="end">
          {decided.length}
        </text>
      </svg>
      <input
        type="range"
        class="over"
        min={1}
        max={decided.length}
        value={Math.max(1, pass)}
        aria-label="Choose a pass by its bar"
        aria-valuetext={`pass ${Math.max(1, pass)}: ${decided[Math.max(1, pass) - 1]} tokens`}
        onInput={({ currentTarget }) => onChoose(Number(currentTarget.value))}
      />
    </div>
  );
}
