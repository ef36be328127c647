/** What a command may use of the process: handed in, so that tests run commands without one. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Output = {
  write(text: string): void;
  /** Columns of the terminal; undefined where it is none. */
  readonly columns?: number | undefined;
};
export type Context = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

/** Thrown to end with another code than 2. An empty message says nothing. */
export class Exit extends Error {
  readonly code: number;
  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/** The folder of this package: of the sources, or above the built ones. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Where models are looked for, in this order. */
export function modelFolders({ env }: Pick<Context, 'env'>): string[] {
  const named = (env.ROPEWALK_MODELS ?? '').split(delimiter).filter((folder) => folder !== '');
  const folders = ['models', ...named, join(packageFolder(), 'models')];
  return folders.filter(
    (folder, i) => folders.findIndex((f) => resolve(f) === resolve(folder)) === i,
  );
}

/** The user's cache folder (XDG Base Directory Specification). */
export const userCache = ({ env }: Pick<Context, 'env'>): string =>
  env.XDG_CACHE_HOME || join(homedir(), '.cache');

/** Whether a terminal shows half blocks in 24-bit colour. */
export const showsPictures = ({ env, stdout }: Context): boolean =>
  stdout.columns !== undefined &&
  env.NO_COLOR === undefined &&
  (/^(truecolor|24bit)$/.test(env.COLORTERM ?? '') ||
    /kitty|iterm|wezterm|direct/i.test(`${env.TERM} ${env.TERM_PROGRAM}`));
