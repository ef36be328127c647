/** What a restored recipe says that the form has no field for: kept with the form, so that it draws the same picture. */
import type { DiffusionOptions, ImageRequest, TokenOptions } from '../../../request.ts';
import type { ModelView } from '../../services.ts';

type Position = NonNullable<ImageRequest['position']>;

export type Beyond = {
  readonly sampling?: Partial<DiffusionOptions> | Partial<TokenOptions>;
  /** When guidance is on. */
  readonly interval?: { readonly from?: number; readonly to?: number };
  readonly micro?: Position['micro'];
  /** Several extensions at once. */
  readonly extend?: Position['extend'];
  /** Options of the model's own coordinates. */
  readonly coordinates?: Position['coordinates'];
  readonly input?: ImageRequest['input'];
};

/** Nothing where the form's fields and the model's card say it all. */
export function beyondOf(request: ImageRequest, model: ModelView): Beyond | undefined {
  const { position, input } = request;
  const sampling = withoutFields(request.sampling, model);
  const interval = intervalOf(request.sampling);
  const beyond: Beyond = {
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...(Object.keys(interval).length > 0 && { interval }),
    ...(position?.micro && { micro: position.micro }),
    ...(Array.isArray(position?.extend) &&
      position.extend.length > 1 && { extend: position.extend }),
    ...(position?.coordinates && { coordinates: position.coordinates }),
    ...(input && { input }),
  };
  return Object.keys(beyond).length > 0 ? beyond : undefined;
}

function withoutFields(
  options: ImageRequest['sampling'],
  { sampling: card }: ModelView,
): NonNullable<Beyond['sampling']> {
  if (options.kind === 'tokens') {
    const { kind: _, decoder, decoderOptions, temperature, guidance, ...rest } = options;
    const own = card as { readonly [name: string]: unknown };
    return Object.fromEntries(Object.entries(rest).filter(([name, value]) => own[name] !== value));
  }
  const { kind: _, solver, steps, guidance, scheduleOptions, ...rest } = options;
  return rest;
}

function intervalOf(sampling: ImageRequest['sampling']): NonNullable<Beyond['interval']> {
  if (sampling.kind === 'tokens' || !sampling.guidance) return {};
  const { scale: _, ...interval } = sampling.guidance;
  return interval;
}

const TOLD = { asked: 'this size', trained: 'the trained size', nothing: 'no size' };

/** In words, for the form to show: "eta 0.5", "guidance from 0.2". */
export function sayBeyond(beyond: Beyond): string[] {
  const { sampling, interval, micro, extend, coordinates, input } = beyond;
  const { solverOptions, guidanceOptions, ...plain } = (sampling ?? {}) as Pick<
    Partial<DiffusionOptions>,
    'solverOptions'
  > &
    Pick<Partial<TokenOptions>, 'guidanceOptions'>;
  const pairs = { ...plain, ...solverOptions };
  const guided = { ...interval, ...guidanceOptions };
  return [
    ...Object.entries(pairs).map(([name, value]) => `${name} ${value}`),
    ...Object.entries(guided).map(([name, value]) => `guidance ${name} ${value}`),
    ...(extend ? ['several extensions'] : []),
    ...Object.entries(coordinates ?? {}).map(([name, value]) => `coordinates ${name} ${value}`),
    ...(typeof micro === 'string' ? [`told ${TOLD[micro]}`] : []),
    ...(typeof micro === 'object' ? ['cut of a larger picture'] : []),
    ...(input ? ['a picture to begin with'] : []),
  ];
}
