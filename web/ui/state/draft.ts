/** The request that a form asks for. */
import type { ModelView } from '../../services.ts';
import type { Draft } from '../api.ts';
import type { Beyond } from './beyond.ts';
import type { Form, Options } from './form.ts';

/** What is sent; the server reads the prompt by the same code as the page. */
export function draftOf(form: Form, model: ModelView): Draft {
  const { exact } = form;
  const isExact = exact?.prompt === form.prompt && exact.negative === form.negative;
  return {
    model: form.model,
    ...(isExact
      ? {
          condition: [...exact.condition],
          ...(exact.negativeCondition && { negative: [...exact.negativeCondition] }),
        }
      : {
          prompt: form.prompt,
          ...(form.negative.trim() !== '' && { negativePrompt: form.negative }),
        }),
    seed: form.seed,
    count: form.count,
    size: { width: form.width, height: form.height },
    ...(model.sampling.kind === 'diffusion' && positionOf(form)),
    sampling: samplingOf(form, model),
    ...(form.beyond?.input && { input: form.beyond.input }),
  };
}

function positionOf(form: Form): Pick<Draft, 'position'> {
  const position = {
    ...(form.extend !== '' && { extend: severalOf(form) ?? extendOf(form) }),
    ...(form.beyond?.micro && { micro: form.beyond.micro }),
    ...(form.beyond?.coordinates && { coordinates: form.beyond.coordinates }),
  };
  return Object.keys(position).length > 0 ? { position } : {};
}

/** The recipe's own, as long as its first one is chosen. */
function severalOf({ beyond, extend }: Form): Beyond['extend'] {
  const first = Array.isArray(beyond?.extend) ? beyond.extend[0] : undefined;
  const name = typeof first === 'object' ? first.method : first;
  return name === extend ? beyond?.extend : undefined;
}

function extendOf({ extend, extendOptions }: Form): string | Options | [] {
  if (extend === 'none') return [];
  const plain = Object.keys(extendOptions).length === 0;
  return plain ? extend : { method: extend, ...extendOptions };
}

function samplingOf(form: Form, { sampling }: ModelView): NonNullable<Draft['sampling']> {
  if (sampling.kind === 'tokens')
    return {
      ...form.beyond?.sampling,
      kind: 'tokens',
      decoder: form.decoder,
      ...(Object.keys(form.decoderOptions).length > 0 && {
        decoderOptions: { ...form.decoderOptions },
      }),
      temperature: form.temperature,
      guidance: form.guidance,
    };
  return {
    ...form.beyond?.sampling,
    kind: 'diffusion',
    solver: form.solver,
    steps: form.steps,
    scheduleOptions: { shift: form.shift },
    guidance: { ...form.beyond?.interval, scale: form.guidance },
  };
}
