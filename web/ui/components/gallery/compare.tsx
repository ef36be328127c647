/** Two pictures: under a slider, side by side, or their difference; and where their recipes differ. */
import { useEffect, useState } from 'preact/hooks';
import { api, type StoredPicture } from '../../api.ts';
import { takePictures } from '../../state/facts.ts';
import { marks } from '../../state/marks.ts';
import { modelById } from '../../state/models.ts';
import { sendToForm } from '../../state/pictures.ts';
import { factsOf } from '../../state/recipe.ts';
import { Seg } from '../controls.tsx';
import { Icon } from '../icon.tsx';
import { Note } from '../note.tsx';
import { FullPicture } from '../picture.tsx';

type Pair = readonly [StoredPicture, StoredPicture];
type Mode = 'slider' | 'sides' | 'difference';

export function Compare({ ids }: { readonly ids: string }) {
  const [pair, setPair] = useState<Pair>();
  const [fault, setFault] = useState<Error>();
  useEffect(() => {
    const [left = '', right = ''] = ids.split(',');
    Promise.all([api.image(left), api.image(right)]).then((rows) => {
      takePictures(rows);
      setPair(rows);
    }, setFault);
  }, [ids]);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Compare</h1>
        {pair && <p>{summaryOf(pair)}</p>}
        <a
          class="btn push"
          href="/gallery"
          onClick={() => {
            marks.value = [];
          }}
        >
          Back to the gallery
        </a>
      </div>
      {fault && <Note kind="bad" title={fault.message} />}
      {pair && <Both pair={pair} />}
    </main>
  );
}

const rowsOf = (pair: Pair) => {
  const [left, right] = pair.map((picture) =>
    factsOf(picture, modelById.value.get(picture.model)),
  ) as [ReturnType<typeof factsOf>, ReturnType<typeof factsOf>];
  const names = [...new Set([...left, ...right].map(({ name }) => name))];
  const valueIn = (facts: ReturnType<typeof factsOf>, name: string) =>
    facts.find((fact) => fact.name === name)?.value ?? 'none';
  return names.map((name) => ({
    name,
    left: valueIn(left, name),
    right: valueIn(right, name),
  }));
};

function summaryOf(pair: Pair): string {
  const rows = rowsOf(pair);
  const differ = rows.filter(({ left, right }) => left !== right).length;
  const same = [
    ...(pair[0].prompt === pair[1].prompt ? ['same prompt'] : []),
    ...(pair[0].seed === pair[1].seed ? ['same seed'] : []),
  ].join(', ');
  const start = same === '' ? '' : `${same[0]!.toUpperCase()}${same.slice(1)}. `;
  return `${start}${differ} of ${rows.length} fields differ.`;
}

function Both({ pair }: { readonly pair: Pair }) {
  const [mode, setMode] = useState<Mode>('slider');
  const [left, right] = pair;
  return (
    <div class="cmp">
      <figure>
        {mode === 'slider' && <Slider pair={pair} />}
        {mode === 'sides' && (
          <div class="two">
            {pair.map((picture) => (
              <FullPicture key={picture.id} picture={picture} />
            ))}
          </div>
        )}
        {mode === 'difference' && (
          <div class="difference">
            <FullPicture picture={left} />
            <div class="over">
              <FullPicture picture={right} />
            </div>
          </div>
        )}
        <div class="row">
          <Seg<Mode>
            legend="How to compare"
            options={[
              { value: 'slider', label: 'Slider' },
              { value: 'sides', label: 'Side by side' },
              { value: 'difference', label: 'Difference' },
            ]}
            value={mode}
            onChange={setMode}
          />
          {mode === 'difference' && <span class="hint">Black is the same.</span>}
        </div>
      </figure>
      <section class="card">
        <header>
          <h2>Recipes</h2>
          <p>Tinted rows differ</p>
        </header>
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Left</th>
              <th scope="col">Right</th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(pair).map((row) => (
              <tr key={row.name} class={row.left === row.right ? '' : 'diff'}>
                <th scope="row">{row.name}</th>
                <td>{row.left}</td>
                <td>{row.right}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <hr />
        <div class="row wrap">
          <button type="button" class="btn" onClick={() => sendToForm(left)}>
            <Icon name="send" />
            Send left to form
          </button>
          <button type="button" class="btn" onClick={() => sendToForm(right)}>
            <Icon name="send" />
            Send right to form
          </button>
        </div>
      </section>
    </div>
  );
}

function Slider({ pair: [left, right] }: { readonly pair: Pair }) {
  const [cut, setCut] = useState(50);
  return (
    <div class="slide" style={{ '--cut': `${cut}%` }}>
      <FullPicture picture={right} />
      <div class="over">
        <FullPicture picture={left} />
      </div>
      <div class="line" />
      <span class="badge">left</span>
      <span class="badge r">right</span>
      <input
        type="range"
        min="0"
        max="100"
        value={cut}
        aria-label="How much of the left picture is shown"
        aria-valuetext={`${cut} percent left`}
        onInput={(event) => setCut(Number(event.currentTarget.value))}
      />
    </div>
  );
}
