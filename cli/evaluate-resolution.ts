/** `ropewalk evaluate resolution`: models and position extensions over sizes. */
import { type Command, Option } from 'commander';
import { TOLD, type Told } from '../encoders/conditioning/micro.ts';
import type { Context } from './context.ts';
import {
  type CommonOptions,
  cacheOption,
  deviceOption,
  list,
  methods,
  real,
  size,
  threadsOption,
  whole,
} from './options.ts';

export type EvaluateResolutionCommand = CommonOptions & {
  readonly models: readonly string[];
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly extend: readonly string[];
  readonly samples: number;
  readonly seeds: number;
  readonly extendSizes?: EvaluateResolutionCommand['sizes'];
  readonly extendSeeds?: number;
  readonly sheetSizes?: EvaluateResolutionCommand['sizes'];
  readonly reference?: number;
  readonly heldOut?: number;
  readonly trained?: number;
  readonly features?: string;
  readonly steps?: number;
  readonly guidance?: number;
  readonly micro?: Told;
  readonly queue?: boolean;
  readonly data: string;
  readonly out: string;
};

export function resolutionCommand(evaluate: Command, context: Context): void {
  evaluate
    .command('resolution')
    .description('compare models and position extensions over sizes (docs/evaluation.md)')
    .requiredOption(
      '--models <ids>',
      'models, or their folders; rope=a+b+c takes trainings of one model as one',
      list((text) => text),
    )
    .requiredOption('--sizes <sizes>', 'such as 64,96,64x128 (wide x high)', list(size))
    .option(
      '--extend <methods>',
      'none, own (as its card has it), methods as `generate` has them, or coordinates:option=value of its own coordinates; + joins several',
      methods,
      ['none'],
    )
    .option('--samples <n>', 'pictures a cell', whole(1, 6000), 256)
    .option(
      '--seeds <n>',
      'sets of seeds; trainings of one model draw them in turn',
      whole(1, 100),
      1,
    )
    .option('--extend-sizes <sizes>', 'sizes of methods other than none (default: all)', list(size))
    .option(
      '--extend-seeds <n>',
      'sets of seeds of methods other than none (default: all)',
      whole(1),
    )
    .option('--sheet-sizes <sizes>', 'sizes drawn for the sheets and not measured', list(size))
    .option(
      '--reference <n>',
      'drawings to measure to (default: 512, or as many as samples)',
      whole(1, 20_000),
    )
    .option(
      '--held-out <n>',
      'further pictures a cell, of combinations that were kept out of training (default: none)',
      whole(2, 2000),
    )
    .option(
      '--trained <n>',
      'drawings that the models were trained on, to find copies of them (default: not looked for)',
      whole(1, 1_000_000),
    )
    .option('--features <file>', 'an ONNX network as the judge (default: Inception v3 of nsfwjs)')
    .option('--steps <n>', "steps of the solver (default: the model's)", whole(1, 1000))
    .option('--guidance <scale>', "guidance (default: the model's)", real(0, 100))
    .addOption(
      new Option(
        '--micro <what>',
        "what models that are told sizes are told of each (default: the model's)",
      ).choices(TOLD),
    )
    .option('--queue', 'have workers draw, by the queue in DATABASE_URL (docs/operations.md)')
    .option('--data <folder>', "with --queue: the workers' folder of data", 'data')
    .option(
      '--out <folder>',
      'where report and pictures go; what is there is used',
      'out/resolution',
    )
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk evaluate resolution --models avatars-64 --sizes 64,96,128 --extend none,yarn --out report/',
    )
    .action(async (options: EvaluateResolutionCommand) => {
      const { measureSizes } = await import('./evaluate-resolution-run.ts');
      await measureSizes(options, context);
    });
}
