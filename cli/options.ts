/** Parsers of option values, and the options that several commands share. */
import { InvalidArgumentError, Option } from 'commander';

export function whole(low: number, high = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= low && value <= high) return value;
    const range =
      high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
    throw new InvalidArgumentError(`expected a whole number ${range}, got '${text}'`);
  };
}

export function real(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`expected a number from ${low} to ${high}, got '${text}'`);
  };
}

/** "64" is a square, "96x64" is 96 wide and 64 high. */
export function size(text: string): { width: number; height: number } {
  const [, width, height = width] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? [];
  if (width === undefined)
    throw new InvalidArgumentError(`expected a size such as 64 or 96x64, got '${text}'`);
  return { width: Number(width), height: Number(height) };
}

/** "a,b,c", each by `read`. */
export const list =
  <Value>(read: (text: string) => Value) =>
  (text: string): Value[] => {
    const parts = text.split(',').map((part) => part.trim());
    if (parts.includes(''))
      throw new InvalidArgumentError(`expected values with commas between, got '${text}'`);
    return parts.map(read);
  };

/** The same of methods, whose options have commas of their own: 'none,yarn:alpha=0.25,beta=2'. */
export function methods(text: string): string[] {
  const found: string[] = [];
  for (const part of list((one) => one)(text)) {
    const last = found.at(-1);
    const goesOn = last?.includes(':') && /^([\w-]+=[^:]*|[\d.-]+)$/.test(part);
    if (goesOn) found[found.length - 1] = `${last},${part}`;
    else found.push(part);
  }
  return found;
}

/** A decoder of tokens: 'sjd', or with options 'speculative:drafter=network,length=6'. */
export function decoder(text: string): DecoderChoice {
  const [, name, given] = /^([\w-]+)(?::(.+))?$/.exec(text) ?? [];
  const pairs = (given?.split(',') ?? []).map((part) => /^\s*([\w-]+)=(.+)$/.exec(part) ?? []);
  const names = pairs.map(([, option]) => option);
  if (name === undefined || names.includes(undefined) || new Set(names).size < names.length)
    throw new InvalidArgumentError(
      `expected a decoder such as sjd or speculative:drafter=ngram,length=6, got '${text}'`,
    );
  const options = pairs.map(([, option, value]) => [option, scalar(value!)]);
  return { name, options: Object.fromEntries(options) };
}
export type DecoderChoice = {
  readonly name: string;
  readonly options: Readonly<Record<string, number | string>>;
};

const scalar = (text: string): number | string =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text.trim();

export function interval(text: string): { from: number; to: number } {
  const [from, to, ...rest] = text.split(',').map(Number);
  const valid = from !== undefined && to !== undefined && 0 <= from && from <= to && to <= 1;
  if (!valid || rest.length > 0)
    throw new InvalidArgumentError(`expected two times such as 0.1,0.8, got '${text}'`);
  return { from, to };
}

/** "16,0" is 16 pixels from the top and none from the left. */
export function crop(text: string): { top: number; left: number } {
  const [, top, left] = /^(\d{1,4}),(\d{1,4})$/.exec(text) ?? [];
  if (left === undefined)
    throw new InvalidArgumentError(`expected pixels from top and left such as 16,0, got '${text}'`);
  return { top: Number(top), left: Number(left) };
}

export const DEVICES = ['cpu', 'webgpu', 'cuda', 'tensorflow', 'reference'] as const;
export type Device = (typeof DEVICES)[number];
/** What every measurement takes. */
export type CommonOptions = {
  readonly cache: string;
  readonly device: Device;
  readonly threads?: number;
};

export const cacheOption = () =>
  new Option('--cache <folder>', 'where drawn pictures are kept').default('cache');
export const deviceOption = () =>
  new Option('--device <name>', 'what computes').choices(DEVICES).default('cpu');
export const threadsOption = () =>
  new Option('--threads <n>', 'threads of the cpu (default: one a core)').argParser(whole(1, 1024));
