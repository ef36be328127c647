/** One axis of a grid: its values as chips, how to add more, and how many there are. */
import { Icon } from '../components/icon.tsx';
import { count } from '../state/words.ts';
import { Adder } from './adder.tsx';
import { type Axis, chipsOf, readSize, sizeTitle } from './axes.ts';

type Props = {
  readonly axis: Axis;
  readonly values: readonly string[];
  readonly hint?: string | undefined;
  readonly onChange: (values: readonly string[]) => void;
};

export function AxisRow(props: Props) {
  const { axis, values, hint } = props;
  return (
    <fieldset class="axis" aria-label={`${axis.title}, ${count(values.length)} chosen`}>
      <p class="label">{axis.title}</p>
      <div>
        <div class="chips">
          {axis.kind === 'choices' ? <Choices {...props} /> : <Typed {...props} />}
        </div>
        {hint && <p class="hint">{hint}</p>}
      </div>
      <p class="count">{count(Math.max(1, values.length))}</p>
    </fieldset>
  );
}

function Choices({ axis, values, onChange }: Props) {
  const known = new Set(axis.choices.map(({ value }) => value));
  const added = values.filter((value) => !known.has(value));
  const toggle = (value: string) =>
    onChange(
      values.includes(value) ? values.filter((other) => other !== value) : [...values, value],
    );
  const own = added.map((value) => {
    const size = readSize(value);
    return { value, title: size ? sizeTitle(size) : value };
  });
  return (
    <>
      {[...axis.choices, ...own].map(({ value, title }) => (
        <label key={value} class="chip">
          <input type="checkbox" checked={values.includes(value)} onChange={() => toggle(value)} />
          <Icon name="check" />
          {title}
        </label>
      ))}
      {axis.name === 'size' && (
        <Adder axis={axis} label="Other size" onAdd={(more) => onChange([...values, ...more])} />
      )}
    </>
  );
}

function Typed({ axis, values, onChange }: Props) {
  const without = (gone: readonly string[]) =>
    onChange(values.filter((value) => !gone.includes(value)));
  return (
    <>
      {chipsOf(values).map((chip) => (
        <span key={chip.title} class="chip fixed">
          {chip.title}
          <button
            type="button"
            aria-label={`Remove ${chip.title}`}
            onClick={() => without(chip.values)}
          >
            <Icon name="x" />
          </button>
        </span>
      ))}
      <Adder
        axis={axis}
        label={axis.kind === 'phrases' ? 'Add, or paste a list' : 'Number, range or list'}
        onAdd={(more) => onChange(inOrder(axis, [...values, ...more]))}
      />
    </>
  );
}

const inOrder = ({ kind }: Axis, values: readonly string[]): readonly string[] =>
  kind === 'numbers' ? values.toSorted((a, b) => Number(a) - Number(b)) : values;
