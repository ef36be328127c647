/** `ropewalk serve`, what `npm start` runs: the page and the API, with a queue and a worker in the same place. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type Device, deviceOption, list, threadsOption, whole } from './options.ts';

export type ServeOptions = {
  readonly port: number;
  readonly host: string;
  readonly allowHost: readonly string[];
  readonly data: string;
  readonly open?: boolean;
  readonly worker: boolean;
  readonly device: Device;
  readonly threads?: number;
};

export function serveCommand(program: Command, context: Context): void {
  program
    .command('serve')
    .description('serve the page and the API, and make the pictures')
    .option('--port <n>', '0 takes any that is free', whole(0, 65_535), 4700)
    .option(
      '--host <address>',
      'where to listen; others than this machine need a token',
      '127.0.0.1',
    )
    .option('--allow-host <names>', 'names under which the server is reached', list(String), [])
    .option('--data <folder>', 'where queue, history and pictures are kept', 'data')
    .option('--open', 'open the page in a browser')
    .option('--no-worker', 'leave the work to `ropewalk work`')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk serve --port 8080\n\nREDIS_URL puts the queue on Redis, DATABASE_URL the history in PostgreSQL, STORAGE_URL the pictures in an S3 bucket\n(s3://bucket/prefix?endpoint=...&region=...). ROPEWALK_TOKEN is the token, instead of a new one at every start.',
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve-run.ts');
      await serve(options, context);
    });
}
