/** What to trace: words, seed, decoder and its options, made from the model's card. */
import { computed, signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { describeUnmatched, understand } from '../../../prompt-condition.ts';
import type { ImageRequest, ModelView } from '../api.ts';
import { api } from '../api.ts';
import { PromptField, SeedField } from '../components/ask-fields.tsx';
import { OptionFields } from '../components/option-fields.tsx';
import type { Options } from '../state/form.ts';
import { models } from '../state/models.ts';
import { stored } from '../state/storage.ts';
import { toast } from '../state/toasts.ts';

export type TokenModel = ModelView & {
  readonly sampling: Extract<ModelView['sampling'], { kind: 'tokens' }>;
};
export const tokenModels = computed(() =>
  models.value.filter((model): model is TokenModel => model.sampling.kind === 'tokens'),
);

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const modelName = stored('trace.model', '', text);
export const model = computed(
  () => tokenModels.value.find(({ id }) => id === modelName.value) ?? tokenModels.value[0],
);
const prompt = stored('trace.prompt', '', text);
const seed = stored('trace.seed', '1', text);
const decoder = stored('trace.decoder', '', text);
/** Of the decoder chosen; what is absent has its default. */
const options = signal<Options>({});

/** Decoders beside sequential, which every trace has for comparison. */
export const parallelDecoders = ({ sampling }: TokenModel) =>
  sampling.decoders.filter(({ name }) => name !== 'sequential');

/** The request of one picture; throws one sentence for words that the model does not know. */
export function traceRequest(
  chosen: TokenModel,
  asked: {
    readonly prompt: string;
    readonly seed: string;
    readonly decoder: string;
    readonly options: Options;
  },
): ImageRequest {
  const understood = understand(asked.prompt, chosen);
  if (understood.unmatched.length > 0)
    throw new RangeError(
      `prompt: expected words of the model, got ${describeUnmatched(understood)}`,
    );
  const { temperature, topK, topP, guidance } = chosen.sampling;
  return {
    version: 1,
    model: chosen.id,
    condition: understood.condition,
    seed: Number(asked.seed) || 0,
    count: 1,
    size: chosen.trained,
    sampling: {
      kind: 'tokens',
      decoder: asked.decoder,
      ...(Object.keys(asked.options).length > 0 && { decoderOptions: asked.options }),
      temperature,
      ...(topK !== undefined && { topK }),
      ...(topP !== undefined && { topP }),
      guidance,
    },
  };
}

export function TraceForm({ chosen }: { chosen: TokenModel }) {
  const [error, setError] = useState<string>();
  const choices = parallelDecoders(chosen);
  const current = choices.find(({ name }) => name === decoder.value) ?? choices[0];
  const start = (event: Event) => {
    event.preventDefault();
    setError(undefined);
    try {
      const request = traceRequest(chosen, {
        ...{ prompt: prompt.value, seed: seed.value, options: options.value },
        decoder: current?.name ?? 'sequential',
      });
      api.evaluate({ what: 'trace', config: { request } }).then(
        ({ job }) => toast(`${job.title} is queued`),
        (wrong: Error) => setError(wrong.message),
      );
    } catch (wrong) {
      setError((wrong as Error).message);
    }
  };
  return (
    <form class="card trace-form" aria-label="New trace" onSubmit={start}>
      {tokenModels.value.length > 1 && (
        <label class="field">
          <span class="label">Model</span>
          <select
            value={chosen.id}
            onChange={({ currentTarget }) => {
              modelName.value = currentTarget.value;
            }}
          >
            {tokenModels.value.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
      )}
      <PromptField value={prompt} />
      <SeedField value={seed} />
      <label class="field">
        <span class="label">Decoder</span>
        <select
          value={current?.name ?? ''}
          onChange={({ currentTarget }) => {
            decoder.value = currentTarget.value;
            options.value = {};
          }}
        >
          {choices.map(({ name, title, exactness }) => (
            <option key={name} value={name}>
              {title}, {exactness}
            </option>
          ))}
        </select>
      </label>
      {current && (
        <OptionFields
          method={current}
          values={options.value}
          onChange={(next) => {
            options.value = next;
          }}
        />
      )}
      <button type="submit" class="btn main">
        Trace it
      </button>
      {error && (
        <p class="hint wrong" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
