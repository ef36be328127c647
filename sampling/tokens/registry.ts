/** Decoders and drafters by the names that requests and forms use: what each promises, and its options as plain data. */
import { aasd } from './aasd.ts';
import { arithmetic } from './arithmetic.ts';
import type { TokenModel } from './contract.ts';
import type { Decoder, Property } from './decoder.ts';
import type { Drafter } from './drafters/drafter.ts';
import { neighbour } from './drafters/neighbour.ts';
import { ngram } from './drafters/ngram.ts';
import { uniform } from './drafters/uniform.ts';
import { fixedNoiseJacobi } from './fixed-noise-jacobi.ts';
import { gsd } from './gsd.ts';
import { lantern } from './lantern.ts';
import { exp3, ucb } from './lengths.ts';
import {
  checked,
  integer,
  number,
  type OptionSchema,
  type OptionValues,
  oneOf,
} from './options.ts';
import { banditPlan, raggedPlan } from './plans.ts';
import { sequential } from './sequential.ts';
import { type Redraw, sjd } from './sjd.ts';
import { type Arm, fixedPlan, speculative } from './speculative.ts';
import { tree } from './tree.ts';
import { beams, branches, search } from './tree-growth.ts';
import { zipar } from './zipar.ts';

/** What decoders need to know of the model beyond its contract. */
export type DecoderContext = {
  /** Tokens in a row of the grid. */
  readonly width: number;
  /** Drafters that are made for a model, where it has them. */
  readonly network?: Drafter;
  readonly retrieval?: Drafter;
  readonly block?: Drafter;
  /** This many nearest codes of each code, nearest first, for LANTERN. */
  readonly nearest?: (count: number) => readonly ArrayLike<number>[];
};

type Entry = {
  readonly property: Property;
  /** Draft lengths are the batch's, so a picture's tokens depend on those beside it (their law does not). */
  readonly byBatch?: boolean;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSchema>>;
  create(values: OptionValues, context: DecoderContext): Decoder;
};

/** Drafters that need nothing but tokens, and those that are made for a model. */
export const PLAIN_DRAFTERS = ['uniform', 'left', 'above', 'ngram'] as const;
export const MODEL_DRAFTERS = ['network', 'retrieval', 'block'] as const;
export const DRAFTER_NAMES = [...PLAIN_DRAFTERS, ...MODEL_DRAFTERS] as const;
export type DrafterName = (typeof DRAFTER_NAMES)[number];

export function createDrafter(name: DrafterName, context: DecoderContext): Drafter {
  const { width } = context;
  if (name === 'uniform') return uniform();
  if (name === 'ngram') return ngram({ width });
  if (name === 'left' || name === 'above') return neighbour({ side: name, width });
  const own = context[name];
  if (own) return own;
  throw new RangeError(
    `drafter: expected one of ${PLAIN_DRAFTERS.join(', ')}, got '${name}' for a model that has none`,
  );
}

const window = integer('Tokens a pass', 16);
const drafterOf = (value: DrafterName): OptionSchema => ({
  ...{ enum: DRAFTER_NAMES, default: value, description: 'What guesses tokens' },
});
const another = oneOf('Another drafter to choose from', ['none', ...DRAFTER_NAMES]);
/** Whether an option names a drafter. */
export const isDrafterOption = (schema: OptionSchema): boolean =>
  'enum' in schema && DRAFTER_NAMES.every((name) => schema.enum.includes(name));
const drafter = (values: OptionValues, context: DecoderContext): Drafter =>
  createDrafter(values.drafter as DrafterName, context);

/** Drafts at most, of which a short sequence has room for fewer. */
const limitOf = (values: OptionValues, { length, window }: TokenModel): number =>
  Math.min(values.limit as number, length - 1, window - 1);

const jacobi = (redraw: Redraw, summary: string, initial: DrafterName = 'uniform'): Entry => ({
  ...{ property: 'lossless', summary, options: { window, drafter: drafterOf(initial) } },
  create: (values, context) =>
    sjd({ window: values.window as number, redraw, drafter: drafter(values, context) }),
});

export const DECODERS = {
  sequential: {
    ...{ property: 'identical', summary: 'One token a pass', options: {} },
    create: () => sequential(),
  },
  'fixed-noise': {
    ...{
      property: 'identical',
      summary: 'Jacobi iteration with the noise of each place held fixed',
    },
    options: { window: integer('Tokens a pass', 32), drafter: drafterOf('above') },
    create: (values, context) =>
      fixedNoiseJacobi({ window: values.window as number, drafter: drafter(values, context) }),
  },
  sjd: jacobi('independent', 'Speculative Jacobi decoding'),
  'sjd-spatial': jacobi('independent', 'Speculative Jacobi from copies of neighbours', 'left'),
  'scd-maximal': jacobi('maximal', 'Speculative Jacobi, redraws by the maximal coupling'),
  'scd-gumbel': jacobi('gumbel', 'Speculative Jacobi, redraws with noise that stays'),
  speculative: {
    ...{ property: 'lossless', summary: 'Drafts of a drafter, verified in one pass' },
    options: { length: integer('Tokens drafted a pass', 4, 63), drafter: drafterOf('ngram') },
    create: (values, context) =>
      speculative(() =>
        fixedPlan({ drafter: drafter(values, context), length: values.length as number }),
      ),
  },
  ragged: {
    ...{ property: 'lossless', summary: 'Speculative sampling, its length adapted to the batch' },
    byBatch: true,
    options: {
      limit: integer('Tokens drafted a pass at most', 32, 63),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) =>
      speculative((model) =>
        raggedPlan(drafter(values, context), { first: 4, limit: limitOf(values, model) }),
      ),
  },
  bandit: {
    ...{
      property: 'lossless',
      summary: 'Speculative sampling, length and drafter chosen as it goes',
    },
    byBatch: true,
    options: {
      limit: integer('Tokens drafted a pass at most', 16, 63),
      cost: number('What a drafted token adds to a pass, in passes over one token', 0.05, 1),
      rule: oneOf('By bounds of what each gives, or by chance', ['ucb', 'exp3']),
      ...{ drafter: drafterOf('ngram'), second: another, third: another },
    },
    create: (values, context) => {
      const names = new Set([values.drafter, values.second, values.third]);
      names.delete('none');
      const drafters = [...names].map((name) => createDrafter(name as DrafterName, context));
      return speculative((model, rngs) => {
        const lengths = [1, 2, 4, 8, 16, 32, 63].filter((n) => n <= limitOf(values, model));
        const arms = drafters.flatMap((one) =>
          lengths.map((length): Arm => ({ drafter: one, length })),
        );
        const costOf = ({ length }: Arm) => 1 + (values.cost as number) * length;
        const chooser = (n: number, most: number) =>
          values.rule === 'ucb'
            ? ucb(n, { most })
            : exp3(n, rngs[0]!.stream('token/arm'), { most });
        return banditPlan(arms, chooser, costOf);
      });
    },
  },
  tree: {
    ...{ property: 'lossless', summary: 'A tree of drafts without replacement' },
    options: {
      width: integer('Children of the first place', 3, 8),
      depth: integer('Places', 3, 8),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) => {
      const branching = Array.from({ length: values.depth as number }, () => 1);
      branching[0] = values.width as number;
      return tree({ drafter: drafter(values, context), growth: branches(branching) });
    },
  },
  'tree-beam': {
    ...{ property: 'lossless', summary: 'The likeliest whole drafts, drawn without replacement' },
    options: {
      width: integer('Drafts of a place', 4, 8),
      depth: integer('Places', 4, 7),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) => {
      const growth = beams({ width: values.width as number, depth: values.depth as number });
      return tree({ drafter: drafter(values, context), growth });
    },
  },
  'tree-search': {
    ...{ property: 'lossless', summary: 'A tree that grows where the drafter is surest' },
    options: {
      drafts: integer('Drafts', 12, 63),
      depth: integer('Places at most', 6, 63),
      explore: number('Weight of what was tried seldom', 1, 100),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) => {
      const growth = search({
        ...{ drafts: values.drafts as number, depth: values.depth as number },
        explore: values.explore as number,
      });
      return tree({ drafter: drafter(values, context), growth });
    },
  },
  arithmetic: {
    ...{ property: 'lossless', summary: 'The picture as one point of an interval', options: {} },
    create: () => arithmetic(),
  },
  lantern: {
    ...{ property: 'approximate', summary: 'Codes that look alike stand in for each other' },
    options: {
      delta: number('Probability that a draft may borrow', 0.1, 1),
      neighbours: { ...integer('Nearest codes that it may borrow from', 10, 1000), minimum: 0 },
      length: integer('Tokens drafted a pass', 4, 63),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) => {
      if (!context.nearest)
        throw new RangeError("lantern: expected the codebook's nearest codes, got none");
      const nearest = context.nearest(values.neighbours as number);
      const rule = lantern({ delta: values.delta as number, nearest });
      const arm = { drafter: drafter(values, context), length: values.length as number };
      return speculative(() => fixedPlan(arm), rule);
    },
  },
  gsd: {
    ...{ property: 'approximate', summary: 'Tokens about as likely are judged together' },
    options: {
      window,
      group: integer('Tokens of a group, odd', 3, 99),
      drafter: drafterOf('uniform'),
    },
    create: (values, context) =>
      sjd({
        ...{ window: values.window as number, redraw: 'independent' },
        ...{ drafter: drafter(values, context), rule: gsd({ group: values.group as number }) },
      }),
  },
  aasd: {
    ...{
      property: 'approximate',
      summary: 'Drafts that are likely enough are kept without a draw',
    },
    options: {
      window,
      threshold: number("Part of the likeliest token's probability", 0.3, 2),
      drafter: drafterOf('ngram'),
    },
    create: (values, context) =>
      sjd({
        ...{ window: values.window as number, redraw: 'independent' },
        drafter: drafter(values, context),
        rule: aasd({ threshold: values.threshold as number }),
      }),
  },
  zipar: {
    ...{ property: 'approximate', summary: 'Rows of the grid advance together' },
    options: { lead: integer('Tokens of a row before the next one starts', 8) },
    create: (values, { width }) => zipar({ width, lead: values.lead as number }),
  },
} as const satisfies Record<string, Entry>;

export type DecoderName = keyof typeof DECODERS;

/** A decoder by name, its options checked and filled in. */
export function createDecoder(
  name: string,
  given: Readonly<Record<string, unknown>>,
  context: DecoderContext,
): Decoder {
  if (!Object.hasOwn(DECODERS, name))
    throw new RangeError(
      `decoder: expected one of ${Object.keys(DECODERS).join(', ')}, got '${name}'`,
    );
  const entry: Entry = DECODERS[name as DecoderName];
  for (const key of Object.keys(given))
    if (!Object.hasOwn(entry.options, key))
      throw new RangeError(
        `decoder ${name}: expected options ${Object.keys(entry.options).join(', ') || 'none'}, got '${key}'`,
      );
  const values: Record<string, number | string> = {};
  for (const [key, schema] of Object.entries(entry.options))
    values[key] = checked(`decoder ${name}: '${key}'`, schema, given[key] ?? schema.default);
  return entry.create(values, context);
}
