/** `ropewalk search longrope`: factors of frequencies for a model at a size that it was not trained on. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { cacheOption, type Device, deviceOption, threadsOption, whole } from './options.ts';

export type SearchLongropeCommand = {
  readonly model?: string;
  readonly size: number;
  readonly pictures?: string;
  readonly samples: number;
  readonly population: number;
  readonly generations: number;
  readonly seed: number;
  readonly out: string;
  readonly cache: string;
  readonly device: Device;
  readonly threads?: number;
};

const HELP = `
Example:
  ropewalk search longrope --model avatars-64 --size 96 --out longrope-96.json
  ropewalk generate "bottts" --model avatars-64 --size 96 --extend longrope-96.json

The loss is that of removing noise from pictures of this size. The search begins with interpolation, NTK and YaRN, so what it
finds is no worse than these (without YaRN's temperature). Ctrl-C ends it with nothing written and code 130.`;

export function searchCommand(program: Command, context: Context): void {
  program
    .command('search')
    .description('find the best setting of a method for a model')
    .command('longrope')
    .description("find LongRoPE's factors for a model at a larger size")
    .requiredOption('--size <n>', 'side of the pictures in pixels', whole(1, 8192))
    .option('--model <id>', 'a model, or its folder (default: the first of `ropewalk models`)')
    .option(
      '--pictures <folder>',
      "pictures as the model's (default: of the set it was trained on)",
    )
    .option('--samples <n>', 'pictures that the loss is a mean of', whole(1, 6000), 64)
    .option('--population <n>', 'candidates of a generation', whole(1, 1000), 24)
    .option('--generations <n>', 'generations', whole(0, 1000), 12)
    .option('--seed <n>', 'of candidates, noise and times', whole(0), 0)
    .option('--out <file>', 'JSON file for `generate --extend`', 'longrope.json')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', HELP)
    .action(async (options: SearchLongropeCommand) => {
      const { searchFactors } = await import('./search-run.ts');
      await searchFactors(options, context);
    });
}
