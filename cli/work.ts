/** `ropewalk work`: one more worker for the queue of a server elsewhere. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type Device, deviceOption, threadsOption } from './options.ts';

export type WorkOptions = {
  readonly data: string;
  readonly device: Device;
  readonly threads?: number;
};

export function workCommand(program: Command, context: Context): void {
  program
    .command('work')
    .description('make pictures for a server elsewhere')
    .option('--data <folder>', 'where runs and trained models are kept', 'data')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  DATABASE_URL=postgres://... REDIS_URL=redis://... STORAGE_URL=s3://... ropewalk work\n\nNeeds DATABASE_URL, and REDIS_URL and STORAGE_URL where the server has them.',
    )
    .action(async (options: WorkOptions) => {
      const { work } = await import('./work-run.ts');
      await work(options, context);
    });
}
