/**
 * What may be asked of a model, as plain data for forms, grids and lists. All of it comes from the card and the
 * registries, so a solver, an extension or a decoder that is added there shows here.
 */
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import type { OptionDefault } from '../encoders/positions/contract.ts';
import { cellsOf } from '../encoders/positions/grid.ts';
import { POSITION_METHODS } from '../encoders/positions/registry.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import { gridOf, layoutOf, type ModelCard } from '../generators/model.ts';
import {
  type AnyCard,
  layoutOfAR,
  type TokenCard,
  tokenGridOf,
} from '../generators/token-model.ts';
import { SOLVERS } from '../sampling/diffusion/registry.ts';
import type { OptionSchema } from '../sampling/tokens/options.ts';
import { DECODERS, type DecoderName, MODEL_DRAFTERS } from '../sampling/tokens/registry.ts';
import { sizeOf } from '../tensor/shape.ts';
import { DECODER_NAMES, drafterNamesOf, fittedOptions } from './token-decoders.ts';

export type OptionView = {
  readonly name: string;
  readonly kind: 'number' | 'integer' | 'boolean' | 'text';
  readonly default?: number | boolean | string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of a text: what it may be. */
  readonly choices?: readonly string[];
  readonly description?: string;
};

export type ModelDescription = ReturnType<typeof describeModel>;

export function describeModel(card: AnyCard) {
  const { id, title, architecture, licence, digest, data } = card;
  const { vocabulary, styles, positions, training } = card;
  const { width, height } = card.trained;
  return {
    ...{ id, title, architecture, licence, digest, data, vocabulary },
    ...(styles ? { styles } : {}),
    ...(training ? { training } : {}),
    parameters: parametersOf(card),
    trained: { width, height },
    size: sizesOf(card),
    sampling: architecture === 'ar' ? tokensOf(card) : diffusionOf(card),
    positions: positions as Readonly<Record<string, unknown>>,
    numbers: card.numbers ?? {},
  };
}

/** Weights of the generator, without its tokenizer. */
export function parametersOf(card: AnyCard): number {
  const { shapes } =
    card.architecture === 'ar'
      ? layoutOfAR(card.config as ARConfig, card.positions as PositionConfig, tokenGridOf(card))
      : layoutOf(card);
  return Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

function sizesOf(card: AnyCard) {
  const { width, height } = card.trained;
  if (card.architecture === 'ar')
    return {
      ...{ multiple: card.tokenizer.factor, largestSide: Math.max(width, height), fixed: true },
      trained: { width, height },
    };
  const { sizes = [[height, width]] } = card;
  const trained = {
    width: Math.max(...sizes.map(([, wide]) => wide)),
    height: Math.max(...sizes.map(([high]) => high)),
  };
  return { multiple: card.config.patch, largestSide: card.largestSide, fixed: false, trained };
}

function diffusionOf(card: ModelCard) {
  const { solver, steps, guidance, shift } = card.sampling;
  const extensions = POSITION_METHODS.extend
    .filter(({ name }) => mayExtend(card, name))
    .map(({ name, options = {} }) => ({ name, title: name, options: extendOptions(options) }));
  return {
    ...{ kind: 'diffusion' as const, solver, steps, guidance, shift },
    ...{ solvers: Object.keys(SOLVERS), extensions },
  };
}

/** Whether an extension goes with the card's other methods, with its defaults, at twice the trained size. */
function mayExtend({ config, positions, trained }: ModelCard, extend: string): boolean {
  const { width, heads, depth } = config;
  const larger = { width: 2 * trained.width, height: 2 * trained.height };
  try {
    composePositions(
      { ...(positions as PositionConfig), extend },
      {
        ...{ width, heads, depth },
        trained: gridOf(config, trained),
      },
    ).place(gridOf(config, larger), 'sample', { t: 1 });
    return true;
  } catch {
    return false;
  }
}

/** Lists of numbers belong to a model and a size and are found by a search, so a form has none. */
function extendOptions(options: Readonly<Record<string, OptionDefault>>): OptionView[] {
  return Object.entries(options).flatMap(([name, value]): OptionView[] => {
    if (typeof value === 'number') return [{ name, kind: 'number', default: value }];
    if (typeof value === 'boolean') return [{ name, kind: 'boolean', default: value }];
    const choices = value.filter((item) => typeof item === 'string');
    return choices.length > 0 ? [{ name, kind: 'text', default: choices[0]!, choices }] : [];
  });
}

function tokensOf(card: TokenCard) {
  const { decoder, temperature, topK, topP, guidance } = card.sampling;
  const T = cellsOf(tokenGridOf(card)).length;
  const drafters = drafterNamesOf(card);
  const decoders = DECODER_NAMES.map((name) => {
    const { property, summary, options } = DECODERS[name as DecoderName];
    const defaults = fittedOptions(name, T);
    const views = Object.entries<OptionSchema>(options).map(([option, schema]) =>
      decoderOption(option, schema, { drafters, fitted: defaults[option] }),
    );
    return { name, title: summary, exactness: property, options: views };
  });
  return {
    ...{ kind: 'tokens' as const, decoder, temperature, guidance, decoders },
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  };
}

/** `fitted` is the default where the model's grid is small; it is then the largest value too. */
function decoderOption(
  name: string,
  schema: OptionSchema,
  {
    drafters,
    fitted,
  }: { readonly drafters: readonly string[]; readonly fitted: number | undefined },
): OptionView {
  const { description } = schema;
  if ('enum' in schema) {
    const lacks = MODEL_DRAFTERS.filter((own) => !drafters.includes(own)) as readonly string[];
    const choices = schema.enum.filter((value) => !lacks.includes(value));
    return { name, kind: 'text', default: schema.default, choices, description };
  }
  const { type, minimum, maximum } = schema;
  return { name, kind: type, default: fitted ?? schema.default, minimum, maximum, description };
}
