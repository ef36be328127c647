/** Decoding: how a token model's picture comes to be, pass by pass, beside one token at a time. */
import { Empty, Select } from '../components/controls.tsx';
import { evaluations, RunningEvaluations } from '../components/running-evaluations.tsx';
import { DecoderTable } from '../decoding/decoder-table.tsx';
import { model, type TokenModel, TraceForm } from '../decoding/trace-form.tsx';
import { traceOf, traceTitle } from '../decoding/trace-report.ts';
import { TraceView } from '../decoding/trace-view.tsx';
import { modelById, modelsLoaded } from '../state/models.ts';
import { search, setSearch } from '../state/router.ts';
import './decoding.css';

export function Decoding() {
  const traces = evaluations('trace').flatMap((job) => {
    const report = traceOf(job);
    return report ? [{ job, report }] : [];
  });
  const chosen = traces.find(({ job }) => job.id === search.value.get('trace')) ?? traces[0];
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Decoding trace</h1>
        <p>
          {chosen
            ? traceTitle(chosen.report)
            : 'A picture from tokens, in fewer passes than tokens'}
        </p>
        {traces.length > 1 && (
          <label class="push row s" for="trace">
            Trace
            <Select
              id="trace"
              value={chosen?.job.id ?? ''}
              options={traces.map(({ job, report }) => ({
                value: job.id,
                label: `${report.chosen.decoder}, seed ${report.request.seed}`,
              }))}
              onChange={(trace) => setSearch({ trace })}
            />
          </label>
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
        {chosen && (
          <TraceView
            key={chosen.job.id}
            report={chosen.report}
            name={decoderTitle(chosen.report)}
          />
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

function decoderTitle({
  request,
  chosen,
}: {
  request: { model: string };
  chosen: { decoder: string };
}) {
  const known = modelById.value.get(request.model) as TokenModel | undefined;
  const decoders = known?.sampling.kind === 'tokens' ? known.sampling.decoders : [];
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
