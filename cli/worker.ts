/** What `serve` and `work` share: where jobs are kept, and what their workers compute with. */
import { join, resolve } from 'node:path';
import type { OpenOptions } from '../jobs/open.ts';
import type { ForkOptions } from '../workers/fork.ts';
import { type Context, modelFolders, userCache } from './context.ts';
import type { Device } from './options.ts';

type Options = { readonly data: string; readonly device: Device; readonly threads?: number };

/** Where queue, history and pictures are. */
export const placesOf = (
  { data }: Pick<Options, 'data'>,
  { env }: Pick<Context, 'env'>,
): OpenOptions => ({
  ...{ data, redis: env.REDIS_URL, database: env.DATABASE_URL, storage: env.STORAGE_URL },
});

/** Folders of models that `generate` knows, and of those that were trained by jobs. */
export const allModelFolders = (
  { data }: Pick<Options, 'data'>,
  context: Pick<Context, 'env'>,
): string[] => [...modelFolders(context), join(data, 'models')];

/** In absolute paths; without what opens queue, database and store. */
export function forkOptions(
  { data, device, threads }: Options,
  context: Pick<Context, 'env'>,
  nice?: number,
): ForkOptions {
  const secret = /_URL$|^AWS_|TOKEN|PASSWORD|SECRET/;
  const env = Object.entries(context.env).filter(([name]) => !secret.test(name));
  return {
    env: Object.fromEntries(env),
    execArgv: process.execArgv,
    setup: {
      device: {
        ...{ device, cache: userCache(context) },
        ...(threads === undefined ? {} : { threads }),
      },
      models: modelFolders(context).map((folder) => resolve(folder)),
      data: resolve(data),
      ...(nice === undefined ? {} : { nice }),
    },
  };
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
