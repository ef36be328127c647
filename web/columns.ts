/** Columns of a table and axes of a grid: each says one thing of a request, as text that a person wrote. */
import { Type } from 'typebox';
import { readOptions } from '../method-text.ts';
import { checkSchema } from '../schema.ts';
import type { Draft } from './draft.ts';
import type { ModelView } from './services.ts';

export type Kind = ModelView['sampling']['kind'];
export type PartialDraft = Partial<Draft>;

type Column = {
  /** The only kind of model that it can be said of. */
  readonly of?: Kind;
  /** The part of a draft that the text means. */
  readonly read: (text: string, kind: Kind) => PartialDraft;
};

const COLUMNS = {
  model: { read: (model) => ({ model }) },
  prompt: { read: (prompt) => ({ prompt }) },
  negative: { read: (negativePrompt) => ({ negativePrompt }) },
  style: { read: (style) => ({ condition: [`style=${style}`] }) },
  seed: { read: (text) => ({ seed: whole(text) }) },
  count: { read: (text) => ({ count: whole(text) }) },
  size: { read: (text) => ({ size: sizeOf(text) }) },
  width: { read: (text) => ({ size: { width: whole(text) } }) },
  height: { read: (text) => ({ size: { height: whole(text) } }) },
  steps: { of: 'diffusion', read: (text) => ({ sampling: { steps: whole(text) } }) },
  shift: {
    of: 'diffusion',
    read: (text) => ({ sampling: { scheduleOptions: { shift: real(text) } } }),
  },
  guidance: {
    read: (text, kind) => ({
      sampling: kind === 'tokens' ? { guidance: real(text) } : { guidance: { scale: real(text) } },
    }),
  },
  solver: {
    of: 'diffusion',
    read: (text) => {
      const { name, options } = methodOf(text);
      return { sampling: { solver: name, ...(options && { solverOptions: options }) } };
    },
  },
  extension: { read: (text) => ({ position: positionOf(text) }) },
  decoder: {
    of: 'tokens',
    read: (text) => {
      const { name, options } = methodOf(text);
      return { sampling: { decoder: name, ...(options && { decoderOptions: options }) } };
    },
  },
  temperature: { of: 'tokens', read: (text) => ({ sampling: { temperature: real(text) } }) },
  topk: { of: 'tokens', read: (text) => ({ sampling: { topK: whole(text) } }) },
  topp: { of: 'tokens', read: (text) => ({ sampling: { topP: real(text) } }) },
} as const satisfies Record<string, Column>;

export type ColumnName = keyof typeof COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];

/** Names that other programs give to the same things. */
const ALIASES: Readonly<Record<string, ColumnName>> = {
  negativeprompt: 'negative',
  n: 'count',
  images: 'count',
  cfg: 'guidance',
  cfgscale: 'guidance',
  guidancescale: 'guidance',
  sampler: 'solver',
  extend: 'extension',
  numinferencesteps: 'steps',
  timeshift: 'shift',
};

const Name = Type.Union(COLUMN_NAMES.map((name) => Type.Literal(name)));

/** Letter case, spaces, hyphens and underscores do not count. */
export function findColumn(text: string): ColumnName | undefined {
  const plain = text.toLowerCase().replace(/[\s_-]+/g, '');
  const name = Object.hasOwn(ALIASES, plain) ? ALIASES[plain]! : plain;
  return Object.hasOwn(COLUMNS, name) ? (name as ColumnName) : undefined;
}

/** The same, or one sentence with the names that are known. */
export const columnNamed = (text: string, where: string): ColumnName =>
  findColumn(text) ?? checkSchema(Name, text, where);

/** The draft with one more thing said; throws `expected ..., got ...` for a text that says nothing. */
export function withColumn(
  draft: PartialDraft,
  name: ColumnName,
  text: string,
  kind: Kind,
): PartialDraft {
  const { of, read }: Column = COLUMNS[name];
  if (of !== undefined && of !== kind)
    throw new RangeError(
      `expected no ${name} for a model of ${kind === 'tokens' ? 'tokens' : 'diffusion'}, got '${shown(text)}'`,
    );
  const said = read(text, kind);
  const { condition = [] } = draft;
  return {
    ...draft,
    ...said,
    ...(said.condition && { condition: [...condition.filter(isNoStyle), ...said.condition] }),
    ...(said.size && { size: { ...draft.size, ...said.size } }),
    ...(said.sampling && { sampling: joinSampling(draft.sampling, said.sampling) }),
  } as PartialDraft;
}

const isNoStyle = (word: NonNullable<Draft['condition']>[number]) =>
  !(typeof word === 'string' ? word : word.word).startsWith('style=');

/** A scale leaves the interval of the guidance as it was; another method takes its own options. */
function joinSampling(before: Draft['sampling'], said: NonNullable<Draft['sampling']>) {
  const { solverOptions: _s, decoderOptions: _d, ...others } = (before ?? {}) as Said;
  const kept = 'solver' in said || 'decoder' in said ? others : before;
  const { guidance } = (kept ?? {}) as Said;
  const joins = typeof guidance === 'object' && typeof (said as Said).guidance === 'object';
  return {
    ...kept,
    ...said,
    ...(joins && { guidance: { ...guidance, ...((said as Said).guidance as object) } }),
  };
}
type Said = { guidance?: unknown; solverOptions?: unknown; decoderOptions?: unknown };

/** Which of `names` put the value at `field`, such as `sampling.steps`. */
export function columnAt(
  field: string,
  cells: readonly (readonly [ColumnName, string])[],
  kind: Kind,
): ColumnName | undefined {
  const reaches = ([name, text]: readonly [ColumnName, string]) => {
    let value: unknown = (COLUMNS[name] as Column).read(text, kind);
    for (const key of field.split('.')) {
      if (typeof value !== 'object' || value === null) return true;
      if (!Object.hasOwn(value, key)) return false;
      value = (value as Record<string, unknown>)[key];
    }
    return true;
  };
  return cells.find(reaches)?.[0];
}

const shown = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

function whole(text: string): number {
  if (!/^[+-]?\d{1,16}$/.test(text))
    throw new RangeError(`expected a whole number, got '${shown(text)}'`);
  return Number(text);
}

function real(text: string): number {
  if (text === '' || !Number.isFinite(Number(text)))
    throw new RangeError(`expected a number, got '${shown(text)}'`);
  return Number(text);
}

/** '64x96' is width by height; '64' is both. */
function sizeOf(text: string): { width: number; height: number } {
  const [, width, height = width] = /^(\d{1,5})(?:\s*[x×]\s*(\d{1,5}))?$/i.exec(text) ?? [];
  if (width === undefined)
    throw new RangeError(`expected a size such as 64x96, got '${shown(text)}'`);
  return { width: Number(width), height: Number(height) };
}

type Value = number | boolean | string | number[];

/** 'ddim:eta=1', as the command line writes methods; a list goes on after a comma: 'yarn:gamma=16,2'. */
function methodOf(text: string): { name: string; options?: Record<string, Value> } {
  const colon = text.indexOf(':');
  if (colon < 0) return { name: text };
  const options = readOptions(text.slice(colon + 1));
  if (!options)
    throw new RangeError(
      `expected options such as 'method:option=value', each once, got '${shown(text)}'`,
    );
  return { name: text.slice(0, colon), options: options as Record<string, Value> };
}

type Position = NonNullable<Draft['position']>;

/** 'yarn', 'yarn:alpha=0.25', several as 'vision-yarn + attention-scale', 'none', or 'coordinates:inference=contiguous' among them. */
function positionOf(text: string): Position {
  const methods = text.split(/\s+\+\s+/).map((part) => methodOf(part.trim()));
  const [places, ...more] = methods.filter(({ name }) => name === 'coordinates');
  const extensions = methods.filter(({ name }) => name !== 'coordinates');
  if (more.length > 0 || (places && !places.options))
    throw new RangeError(
      `expected options such as 'coordinates:option=value', once, got '${shown(text)}'`,
    );
  return {
    ...(extensions.length > 0 ? { extend: extendOf(extensions) } : {}),
    ...(places?.options ? { coordinates: places.options } : {}),
  };
}

function extendOf(methods: readonly ReturnType<typeof methodOf>[]): Position['extend'] & {} {
  const choices = methods.map(({ name, options }) =>
    options ? { method: name, ...options } : name,
  );
  if (choices.length > 1) return choices;
  return choices[0] === 'none' ? [] : choices[0]!;
}
