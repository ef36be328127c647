/** `ropewalk start`, what `npm start` runs: a sheet of pictures by the first model that is found. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type Device, deviceOption, threadsOption, whole } from './options.ts';

export type StartOptions = {
  readonly model?: string;
  readonly out: string;
  readonly seed: number;
  readonly device: Device;
  readonly threads?: number;
};

export function startCommand(program: Command, context: Context): void {
  program
    .command('start')
    .description('draw a sheet of pictures with the model that ships')
    .option('--model <id>', 'another model than the first of `ropewalk models`')
    .option('--out <folder>', 'where the sheet goes', 'out')
    .option('--seed <n>', 'of the first picture', whole(0), 1)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', '\nExample:\n  ropewalk start --seed 5')
    .action(async (options: StartOptions) => {
      const { start } = await import('./start-run.ts');
      await start(options, context);
    });
}
