/** Decoding: how a token model's picture comes to be, pass by pass, beside one token at a time. */
import type { TraceReport } from '../../../jobs/job.ts';
import { type ImageRequest, urls } from '../api.ts';
import { Empty, Select } from '../components/controls.tsx';
import { Icon } from '../components/icon.tsx';
import { Note } from '../components/note.tsx';
import { evaluations, RunningEvaluations } from '../components/running-evaluations.tsx';
import { DecoderTable } from '../decoding/decoder-table.tsx';
import { model, TraceForm } from '../decoding/trace-form.tsx';
import { requestOf, traceTitle, useTrace } from '../decoding/trace-report.ts';
import { TraceView } from '../decoding/trace-view.tsx';
import { modelById, modelsLoaded } from '../state/models.ts';
import { search, setSearch } from '../state/router.ts';
import './decoding.css';

export function Decoding() {
  const traces = evaluations('trace').filter(({ state }) => state === 'done');
  const chosen = traces.find(({ id }) => id === search.value.get('trace')) ?? traces[0];
  const { report, error } = useTrace(chosen?.id);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Decoding trace</h1>
        <p>{report ? traceTitle(report) : 'A picture from tokens, in fewer passes than tokens'}</p>
        {chosen && (
          <div class="push row wrap">
            {traces.length > 1 && (
              <label class="row s" for="trace">
                Trace
                <Select
                  id="trace"
                  value={chosen.id}
                  options={traces.map((job) => ({
                    value: job.id,
                    label: shortTitle(requestOf(job)),
                  }))}
                  onChange={(trace) => setSearch({ trace })}
                />
              </label>
            )}
            <a
              class="btn"
              href={urls.traceGif(chosen.id)}
              download
              title="The passes as an animation"
            >
              <Icon name="down" />
              GIF
            </a>
          </div>
        )}
      </div>
      <div class="stack">
        {model.value ? (
          <>
            <TraceForm key={model.value.id} chosen={model.value} />
            <RunningEvaluations what="trace" />
          </>
        ) : (
          modelsLoaded.value && <NoModel />
        )}
        {error && <Note kind="bad" title={error} />}
        {chosen && report && (
          <TraceView key={chosen.id} report={report} name={decoderTitle(report)} />
        )}
        {!chosen && model.value && (
          <Empty title="No trace yet">
            A trace draws one picture twice, by the decoder of your choice and one token at a time,
            and keeps every pass of both.
          </Empty>
        )}
        {model.value && <DecoderTable model={model.value} />}
      </div>
    </main>
  );
}

const shortTitle = ({ sampling, seed }: ImageRequest): string =>
  `${sampling.kind === 'tokens' ? sampling.decoder : ''}, seed ${seed}`;

function decoderTitle({ request, chosen }: TraceReport): string {
  const { sampling } = modelById.value.get(request.model) ?? {};
  const decoders = sampling?.kind === 'tokens' ? sampling.decoders : [];
  return decoders.find(({ name }) => name === chosen.decoder)?.title ?? chosen.decoder;
}

const NoModel = () => (
  <Empty
    title="No token model here"
    acts={
      <a class="btn main" href="/train">
        Train one
      </a>
    }
  >
    Decoding shows how a model of tokens draws in parallel. Put such a model into the folder models,
    or train one: on the page Train begin with avatars-tokenizer, then with avatars-ar.
  </Empty>
);
