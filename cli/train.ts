/** `ropewalk train` and `ropewalk curve`: runs from a configuration, and what became of them. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { cacheOption, type Device, deviceOption, threadsOption } from './options.ts';

export type TrainCommandOptions = {
  readonly runs: string;
  readonly init?: string;
  readonly cache: string;
  readonly device: Device;
  readonly threads?: number;
};

export function trainCommand(program: Command, context: Context): void {
  program
    .command('train')
    .description('train a model; a run that was stopped goes on where it was')
    .argument('<config>', 'configuration, such as training/configs/avatars-64.json')
    .option('--init <model>', 'start from the weights of a model (id or folder) where they fit')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk train training/configs/avatars-64.json\n\nWrites runs/<name>/: config.json, metrics.jsonl, curve.svg, sheets/, step-N/ and, at the end, model/.\nCtrl-C saves and exits with code 130.',
    )
    .action(async (config: string, options: TrainCommandOptions) => {
      const { trainRun } = await import('./train-run.ts');
      await trainRun(config, options, context);
    });
}

export function curveCommand(program: Command, context: Context): void {
  program
    .command('curve')
    .description("draw a run's losses")
    .argument('<run>', 'folder of the run, such as runs/avatars')
    .option('--out <file>', 'an .svg or .png file (default: RUN/curve.svg)')
    .addHelpText('after', '\nExample:\n  ropewalk curve runs/avatars --out curve.png')
    .action(async (run: string, { out = `${run}/curve.svg` }: { out?: string }) => {
      const { writeCurve } = await import('../training/curve-file.ts');
      await writeCurve(run, out);
      context.stdout.write(`${out}\n`);
    });
}
