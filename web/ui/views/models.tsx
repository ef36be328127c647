/** Models: cards with licence and numbers, and how far each was trained. */
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ModelView } from '../api.ts';
import { Empty } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { broken, models, modelsLoaded } from '../state/models.ts';
import { search } from '../state/router.ts';
import { chooseModel } from '../state/session.ts';
import { count, plural } from '../state/words.ts';
import './models.css';

export function Models() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Models</h1>
        <p>
          {modelsLoaded.value ? `${plural(models.value.length, 'model')} here. ` : 'Loading. '}
          Solid rope: trained sizes. Dashed: sizes it may draw beyond them.
        </p>
      </div>
      {broken.value.length > 0 && (
        <div class="stack tight">
          {broken.value.map((sentence) => (
            <Note kind="bad" key={sentence} title={sentence} />
          ))}
        </div>
      )}
      {modelsLoaded.value && models.value.length === 0 && (
        <Empty
          title="No models"
          acts={
            <a class="btn" href="/train">
              Train one
            </a>
          }
        >
          A model is a folder with model.json and model.safetensors in the models' folder.
        </Empty>
      )}
      <div class="models">
        {models.value.map((model) => (
          <Card key={model.id} model={model} />
        ))}
      </div>
    </main>
  );
}

const NETWORKS: Readonly<Record<string, string>> = {
  dit: 'Diffusion transformer',
  ar: 'Autoregressive transformer over tokens',
};

function Card({ model }: { readonly model: ModelView }) {
  const { id, title, architecture, parameters, licence, digest, data, sampling, training } = model;
  const methods = sampling.kind === 'diffusion' ? sampling.extensions : sampling.decoders;
  const facts: readonly (readonly [string, string, boolean?])[] = [
    ['Id', id, true],
    ['Network', `${NETWORKS[architecture] ?? architecture}, ${millions(parameters)} weights`],
    ['Trained on', `${data}, ${sizesOf(model)}`],
    ...(training ? [['Training', trainedBy(training)] as const] : []),
    ['Words', count(model.vocabulary.length)],
    sampling.kind === 'diffusion'
      ? ['Solver', `${sampling.solver}, ${sampling.steps} steps, CFG ${sampling.guidance}`]
      : ['Decoder', `${sampling.decoder}, temperature ${sampling.temperature}`],
    [sampling.kind === 'diffusion' ? 'Extensions' : 'Decoders', String(methods.length)],
    ['Licence', licence],
    ['Weights', `${digest.slice(0, 8)}…${digest.slice(-4)}`, true],
  ];
  const card = useRef<HTMLElement>(null);
  const isWanted = search.value.get('model') === id;
  useEffect(() => {
    if (isWanted) card.current?.focus();
  }, [isWanted]);
  return (
    <article ref={card} class="card model" tabIndex={-1} aria-label={title}>
      <header class="row">
        <h2>{title}</h2>
      </header>
      <Reach model={model} />
      <dl class="facts">
        {facts.map(([name, value, isCode]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd class={isCode ? 'mono' : ''}>{value}</dd>
          </Fragment>
        ))}
      </dl>
      <div class="row wrap">
        <a class="btn main" href="/" onClick={() => chooseModel(id)}>
          Use
        </a>
        <Numbers model={model} />
      </div>
    </article>
  );
}

const sizesOf = ({ trained: { width, height }, size }: ModelView): string =>
  size.trained.width === width && size.trained.height === height
    ? `${width} × ${height} px`
    : `up to ${size.trained.width} × ${size.trained.height} px`;

const trainedBy = ({ pictures, hours }: NonNullable<ModelView['training']>): string =>
  `${plural(pictures, 'picture')}${hours === undefined ? '' : `, ${hours} hours`}`;

const millions = (parameters: number): string =>
  parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} M` : count(parameters);

/** Rope up to the trained side, dashes up to the largest, on a scale of doublings. */
function Reach({ model: { size } }: { readonly model: ModelView }) {
  const side = Math.max(size.trained.width, size.trained.height);
  const [left, right] = [8, 348];
  const octaves = Math.max(1, Math.log2(size.largestSide / side) + 1);
  const home = left + (right - left) / octaves;
  const end = size.fixed ? home : right;
  const strands: string[] = [];
  for (let x = left + 1; x < home - 4; x += 6) strands.push(`M${x} 14.5l4-5`);
  const label = size.fixed
    ? `Trained at ${side} pixels, draws no other size`
    : `Trained up to ${side} pixels, draws up to ${size.largestSide}`;
  return (
    <svg class="reach" viewBox="0 0 360 36" role="img" aria-label={label}>
      <path class="lay" d={`M${left} 12H${home}`} />
      <path class="lay2" d={strands.join('')} />
      {end > home && <path class="fray" d={`M${home + 3} 12H${end}`} />}
      <text x={home} y="32" text-anchor="middle">
        {side}
      </text>
      {end > home && (
        <text x={end} y="32" text-anchor="end">
          {size.largestSide}
        </text>
      )}
    </svg>
  );
}

/** What was measured of the model, as its card says it. */
function Numbers({ model: { title, numbers, positions } }: { readonly model: ModelView }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const rows = Object.entries(numbers);
  return (
    <>
      <button type="button" class="btn" onClick={() => dialog.current?.showModal()}>
        <Icon name="chart" />
        Numbers
      </button>
      <dialog ref={dialog} class="numbers" aria-label={`Numbers of ${title}`}>
        <h2>{title}</h2>
        {rows.length === 0 ? (
          <p class="soft">Nothing was measured.</p>
        ) : (
          <table>
            <caption>Measured</caption>
            <tbody>
              {rows.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="num">{String(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <h3>Positions</h3>
        <pre class="foreign">{JSON.stringify(positions, null, 2)}</pre>
        <form method="dialog">
          <button type="submit" class="btn">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}
