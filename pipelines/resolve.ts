/** What a request asks of a model, in the model's terms; throws naming the nearest where a name is not known. */
import type { Word } from '../encoders/conditioning/attributes.ts';
import type { Told } from '../encoders/conditioning/micro.ts';
import { changePositions, type PositionChange } from '../encoders/positions/choose.ts';
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import type { MicroSize } from '../encoders/positions/contract.ts';
import { cellsOf } from '../encoders/positions/grid.ts';
import { MOST_WINDOW } from '../generators/ar-session.ts';
import { gridOf, type ModelCard } from '../generators/model.ts';
import { type TokenCard, tokenGridOf } from '../generators/token-model.ts';
import type { ConditionWord, ImageRequest } from '../request.ts';
import { SOLVERS, type SolverName } from '../sampling/diffusion/registry.ts';
import { type GuidanceOptions, SCALE_SCHEDULES } from '../sampling/tokens/guidance-scales.ts';
import { DRAFTER_NAMES } from '../sampling/tokens/registry.ts';
import { nearest } from '../tensor/nearest.ts';
import { type Asked, checkSize, type DrawOptions } from './diffusion.ts';
import {
  checkDecoder,
  DECODER_NAMES,
  type DecoderOptions,
  decoderOptionsOf,
} from './token-decoders.ts';
import type { TokenDrawOptions } from './tokens.ts';

/** What the first picture shows, how many there are, and how they are drawn. */
export type Resolved<Options> = {
  readonly asked: Required<Asked>;
  readonly count: number;
  readonly options: Options;
};

export function resolveDiffusion(request: ImageRequest, card: ModelCard): Resolved<DrawOptions> {
  const { sampling, count, size, input } = request;
  if (sampling.kind !== 'diffusion')
    throw new RangeError(
      `sampling: expected diffusion, which '${card.id}' samples by, got ${sampling.kind}`,
    );
  if (input)
    throw new RangeError(`input: expected none, got an image; '${card.id}' cannot start from one`);
  checkSize(size, card);
  const { solver, steps, guidance, schedule, scheduleOptions = {}, solverOptions = {} } = sampling;
  checkName('sampling.solver', solver, Object.keys(SOLVERS));
  if (schedule !== undefined) checkName('sampling.schedule', schedule, [card.objective.schedule]);
  checkOptions('sampling.solverOptions', solverOptions, []);
  checkOptions('sampling.scheduleOptions', scheduleOptions, ['shift']);
  const { shift = card.sampling.shift } = scheduleOptions;
  if (typeof shift !== 'number' || !(shift > 0))
    throw new RangeError(`sampling.scheduleOptions.shift: expected a number above 0, got ${shift}`);
  const places = placesOf(request.position, card, size);
  const micro = toldOf(request.position?.micro, card, size);
  const options = {
    ...{ size, solver: solver as SolverName, steps, shift, guidance: guidance?.scale ?? 1 },
    ...(guidance ? { interval: { from: guidance.from ?? 0, to: guidance.to ?? 1 } } : {}),
    ...places,
    ...(micro === undefined ? {} : { micro }),
  };
  return { asked: askedOf(request, card), count, options };
}

export function resolveTokens(request: ImageRequest, card: TokenCard): Resolved<TokenDrawOptions> {
  const { sampling, count, size, input, position } = request;
  const { id, trained, config } = card;
  if (sampling.kind !== 'tokens')
    throw new RangeError(
      `sampling: expected tokens, which '${id}' samples by, got ${sampling.kind}`,
    );
  if (input)
    throw new RangeError(`input: expected none, got an image; '${id}' cannot start from one`);
  if (size.width !== trained.width || size.height !== trained.height)
    throw new RangeError(
      `size: expected ${trained.width}x${trained.height}, which '${id}' draws, got ${size.width}x${size.height}`,
    );
  if (position?.extend !== undefined)
    throw new RangeError(
      `position.extend: expected none, as '${id}' draws the size it was trained on, got ${JSON.stringify(position.extend)}`,
    );
  if (position?.coordinates !== undefined)
    throw new RangeError(
      `position.coordinates: expected none, as '${id}' places the tokens of the size it was trained on, got ${JSON.stringify(position.coordinates)}`,
    );
  if (position?.micro !== undefined)
    throw new RangeError(
      `position.micro: expected none, as '${id}' is not told of original sizes and cuts, got ${JSON.stringify(position.micro)}`,
    );
  const { kind: _, decoder, decoderOptions = {}, guidanceOptions, ...filters } = sampling;
  checkName('sampling.decoder', decoder, DECODER_NAMES);
  checkOptions('sampling.decoderOptions', decoderOptions, decoderOptionsOf(decoder));
  checkDecoderOptions(decoder, decoderOptions, card);
  if (filters.topK !== undefined && filters.topK > config.codes)
    throw new RangeError(
      `sampling.topK: expected at most ${config.codes}, the codes of '${id}', got ${filters.topK}`,
    );
  if (guidanceOptions?.schedule !== undefined)
    checkName('sampling.guidanceOptions.schedule', guidanceOptions.schedule, SCALE_SCHEDULES);
  const options = {
    ...{ decoder, decoderOptions: decoderOptions as DecoderOptions, ...filters },
    ...(guidanceOptions ? { guidanceOptions: guidanceOptions as GuidanceOptions } : {}),
  };
  return { asked: askedOf(request, card), count, options };
}

function checkDecoderOptions(decoder: string, options: DecoderOptions, card: TokenCard): void {
  const { window = 1, drafter } = options;
  const most = Math.min(MOST_WINDOW, cellsOf(tokenGridOf(card)).length);
  if (!(Number.isInteger(window) && (window as number) >= 1 && (window as number) <= most))
    throw new RangeError(
      `sampling.decoderOptions.window: expected a whole number from 1 to ${most}, got ${JSON.stringify(window)}`,
    );
  if (drafter !== undefined)
    checkName('sampling.decoderOptions.drafter', String(drafter), DRAFTER_NAMES);
  inField('sampling.decoderOptions', () => checkDecoder(decoder, options, card));
}

/** What a check below says of a value, as said of the request's field; the name of its own is left out. */
function inField(field: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(field) || !message.includes(': expected ')) throw error;
    const sentence = message.replace(/^(positions\.extend|decoder [\w-]+):? /, '');
    throw new RangeError(`${field}: ${sentence}`, { cause: error });
  }
}

const askedOf = (
  { condition, negative = [], seed }: ImageRequest,
  { vocabulary }: Pick<ModelCard, 'vocabulary'>,
): Required<Asked> => ({
  words: wordsOf('condition', condition, vocabulary),
  negative: wordsOf('negative', negative, vocabulary),
  seed,
});

function wordsOf(
  where: string,
  given: readonly ConditionWord[],
  vocabulary: readonly string[],
): Word[] {
  return given.map((item): Word => {
    const { word, weight } = typeof item === 'string' ? { word: item, weight: 1 } : item;
    checkName(where, word, vocabulary);
    return { id: vocabulary.indexOf(word), weight };
  });
}

type Position = NonNullable<ImageRequest['position']>;

/** Throws unless these extensions and options of coordinates fit the model's other position methods and the size. */
function placesOf(
  { extend, coordinates }: Position = {},
  { config, positions, trained }: ModelCard,
  size: ImageRequest['size'],
): PositionChange {
  for (const choice of [extend ?? []].flat()) {
    const method = typeof choice === 'string' ? choice : choice.method;
    if (typeof method !== 'string')
      throw new TypeError(
        `position.extend: expected the name of a method, got ${JSON.stringify(choice)}`,
      );
  }
  if (coordinates && 'method' in coordinates)
    throw new TypeError(
      `position.coordinates: expected options of the model's own coordinates, got a method, ${JSON.stringify(coordinates.method)}; leave it out`,
    );
  const change = { extend: extend as PositionConfig['extend'], coordinates };
  const own = positions as PositionConfig;
  const { width, heads, depth } = config;
  const shape = { width, heads, depth, trained: gridOf(config, trained) };
  const place = (change: PositionChange) =>
    composePositions(changePositions(own, change), shape).place(gridOf(config, size), 'sample', {
      t: 1,
    });
  // A size beyond the range of the model's own methods is no fault of an extension.
  const field = coordinates === undefined ? 'size' : 'position.coordinates';
  inField(field, () => place({ extend: [], coordinates }));
  if ((extend ?? own.extend) !== undefined) inField('position.extend', () => place(change));
  return change;
}

/** What the network is told of a picture; throws for one that is told nothing. */
function toldOf(
  micro: Position['micro'],
  { id, config }: ModelCard,
  size: ImageRequest['size'],
): Told | MicroSize | undefined {
  if (micro === undefined) return undefined;
  if (!('micro' in config && config.micro))
    throw new RangeError(
      `position.micro: expected none, as '${id}' is not told of original sizes and cuts, got ${JSON.stringify(micro)}`,
    );
  if (typeof micro === 'string') return micro;
  const { original = size, crop: { top, left } = { top: 0, left: 0 } } = micro;
  if (top >= original.height || left >= original.width)
    throw new RangeError(
      `position.micro.crop: expected a place in the original of ${original.width}x${original.height} pixels, got top ${top}, left ${left}`,
    );
  return {
    original: [original.height, original.width],
    crop: [top, left],
    target: [size.height, size.width],
  };
}

function checkName(where: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const advice =
    near.length > 0 ? `nearest: ${near.join(', ')}` : `known: ${known.slice(0, 20).join(', ')}`;
  throw new RangeError(`${where}: expected a known name, got '${name}'; ${advice}`);
}

function checkOptions(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new RangeError(
        `${where}: expected ${known.join(', ') || 'no options'}, got '${name}'; leave it out`,
      );
}
