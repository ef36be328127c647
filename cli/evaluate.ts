/** `ropewalk evaluate`: how good a model's pictures are, and the network that judges them. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type Device, deviceOption, threadsOption, whole } from './options.ts';

type Common = { readonly cache: string; readonly device: Device; readonly threads?: number };
export type EvaluateModelCommand = Common & {
  readonly model?: string;
  readonly reader?: string;
  readonly samples: number;
  readonly heldOut: number;
  readonly trained: number;
  readonly out: string;
  readonly record?: boolean;
};
export type EvaluateReaderCommand = Common & { readonly runs: string; readonly out?: string };

export function evaluateCommand(program: Command, context: Context): void {
  const evaluate = program
    .command('evaluate')
    .description('measure a model, or train the reader that measures')
    .addHelpText('after', '\nExample:\n  ropewalk evaluate model --samples 2000');
  evaluate
    .command('model')
    .description('measure a model trained on avatars against real drawings (docs/evaluation.md)')
    .option('--model <id>', 'a model, or its folder (default: the first of `ropewalk models`)')
    .option(
      '--reader <folder>',
      'reader of attributes (default: reader-avatars-SIZE beside a model)',
    )
    .option('--samples <n>', 'pictures', whole(2, 6000), 2000)
    .option('--held-out <n>', 'pictures of combinations that were kept out', whole(2, 2000), 500)
    .option('--trained <n>', 'drawings the model was trained on', whole(1), 60_000)
    .option('--out <folder>', 'where numbers and sheets go', 'out/evaluation')
    .option('--record', "write the numbers into the model's card and README")
    .option('--cache <folder>', 'where drawn pictures are kept', 'cache')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', '\nExample:\n  ropewalk evaluate model --model avatars --samples 500')
    .action(async (options: EvaluateModelCommand) => {
      const { measure } = await import('./evaluate-run.ts');
      await measure(options, context);
    });
  evaluate
    .command('reader')
    .description('train the network that reads attributes off pictures')
    .argument('<config>', 'configuration, such as evaluation/configs/reader-avatars.json')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--out <folder>', 'reader folder to write (default: RUNS/ID/reader)')
    .option('--cache <folder>', 'where drawn pictures are kept', 'cache')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk evaluate reader evaluation/configs/reader-avatars.json',
    )
    .action(async (config: string, options: EvaluateReaderCommand) => {
      const { trainReaderRun } = await import('./evaluate-run.ts');
      await trainReaderRun(config, options, context);
    });
}
