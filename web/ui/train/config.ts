/**
 * A training configuration in the form: its JSON text is what counts; the form's fields read and write single values
 * of it. The server checks it with the schema of its kind.
 */

/** A value of a configuration by its path: `data.size`. */
export type Field = {
  readonly path: string;
  readonly title: string;
  readonly kind: 'text' | 'number' | 'choice';
  readonly hint?: string;
  readonly choices?: readonly string[];
  /** Whether the field means anything in this configuration. Default: always. */
  readonly when?: (config: Config) => boolean;
};

export type Config = Readonly<Record<string, unknown>>;

export const FIELDS: readonly Field[] = [
  { path: 'name', title: 'Name of the run', kind: 'text', hint: 'small letters, digits, . _ -' },
  { path: 'title', title: 'Title of the model', kind: 'text' },
  {
    ...{ path: 'data.set', title: 'Data set', kind: 'choice' },
    choices: ['avatars', 'emoji', 'folder'],
  },
  {
    ...{ path: 'data.path', title: 'Folder of pictures', kind: 'text' },
    hint: 'its name under datasets',
    when: (config) => valueAt(config, 'data.set') === 'folder',
  },
  { path: 'data.size', title: 'Side of the pictures, px', kind: 'number' },
  {
    ...{ path: 'data.count', title: 'Pictures to draw', kind: 'number' },
    when: (config) => valueAt(config, 'data.set') === 'avatars',
  },
  { path: 'steps', title: 'Steps', kind: 'number' },
  { path: 'batch', title: 'Pictures a step', kind: 'number' },
  { path: 'seed', title: 'Seed', kind: 'number' },
  { path: 'every.heldOut', title: 'Held-out loss every', kind: 'number', hint: 'steps' },
  { path: 'every.sheet', title: 'Sheet every', kind: 'number', hint: 'steps' },
  { path: 'every.checkpoint', title: 'Checkpoint every', kind: 'number', hint: 'steps' },
];

/** Kinds of runs told apart as the server tells them. */
export function kindOf(config: Config): string {
  if ('tokens' in config) return 'a token model';
  if ('tokenizer' in config || 'quantiser' in config) return 'a tokenizer';
  return 'a diffusion model';
}

export function valueAt(config: Config, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
}

/** The configuration with one value replaced; nothing else is touched. `undefined` takes it out. */
export function withValue(config: Config, path: string, value: unknown): Config {
  const [key, ...rest] = path.split('.') as [string, ...string[]];
  if (rest.length > 0) {
    const inner = (config[key] ?? {}) as Config;
    return { ...config, [key]: withValue(inner, rest.join('.'), value) };
  }
  if (value !== undefined) return { ...config, [key]: value };
  const { [key]: _gone, ...others } = config;
  return others;
}

/** What was typed into a field as a value of the configuration; numbers that are none stay text, for the server to refuse. */
export function typedValue({ kind }: Pick<Field, 'kind'>, text: string): unknown {
  if (text === '') return undefined;
  const number = Number(text);
  return kind === 'number' && Number.isFinite(number) ? number : text;
}

/** The text as a configuration, or a sentence with line and column. */
export function readConfig(text: string): { config: Config } | { error: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      return { error: 'config: expected an object in braces, got something else' };
    return { config: value as Config };
  } catch (error) {
    return { error: `config: ${placed((error as Error).message, text)}` };
  }
}

/** Engines say `at position 17`; people look for lines. */
function placed(message: string, text: string): string {
  const found = /at position (\d+)/.exec(message);
  if (!found) return message;
  const before = text.slice(0, Number(found[1])).split('\n');
  return `${message.slice(0, found.index).trim()} in line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

export const writeConfig = (config: Config): string => JSON.stringify(config, null, 2);
