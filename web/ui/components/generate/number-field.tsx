/** A number to type: what is typed stands until it is a number, and its faults are shown beside it. */
import { useState } from 'preact/hooks';
import { problems } from '../../state/session.ts';

export function NumberField({
  id,
  value,
  onChange,
  ...more
}: {
  readonly id: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly class?: string;
}) {
  const [typed, setTyped] = useState<string>();
  const isFaulty = problems.value.some(({ field }) => field === id);
  return (
    <input
      type="number"
      id={id}
      value={typed ?? value}
      aria-invalid={isFaulty || undefined}
      aria-describedby={isFaulty ? `${id}-fault` : undefined}
      onInput={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        const number = Number(text);
        if (text !== '' && Number.isFinite(number)) onChange(number);
      }}
      onBlur={() => setTyped(undefined)}
      {...more}
    />
  );
}
