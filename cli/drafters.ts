/** `ropewalk drafters`: what guesses a token model's tokens, put into its folder and named in its card. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type Device, deviceOption, threadsOption, whole } from './options.ts';

export type DraftersCommand = {
  readonly network?: string;
  readonly retrieval?: string;
  readonly block?: string;
  readonly slots: number;
  readonly pool: number;
  readonly steps: number;
  readonly pictures: number;
  readonly numbers: number;
  readonly device: Device;
  readonly threads?: number;
};

const HELP = `
Example:
  ropewalk drafters runs/avatars-ar/model --network runs/avatars-drafter/model
  ropewalk tokenize tokenizer-avatars-64 avatars --out tokens.safetensors
  ropewalk drafters runs/avatars-ar/model --retrieval tokens.safetensors
  ropewalk generate "bottts" --model runs/avatars-ar/model --decoder speculative:drafter=network,length=6`;

export function draftersCommand(program: Command, context: Context): void {
  program
    .command('drafters')
    .description('give a token model what guesses its tokens')
    .argument('<model>', 'a token model, or its folder')
    .option('--network <model>', 'a smaller model of the same tokenizer and words, or its folder')
    .option('--retrieval <tokens>', 'a file of `ropewalk tokenize`, whose pictures are remembered')
    .option('--pictures <n>', 'pictures of it', whole(1, 100_000), 256)
    .option('--numbers <n>', 'numbers that a hidden state is remembered by', whole(1, 4096), 32)
    .option(
      '--block <tokens>',
      'such a file, to train a network on that guesses several tokens a pass',
    )
    .option('--slots <n>', 'tokens that it guesses', whole(1, 32), 4)
    .option('--pool <n>', 'neighbours that older rows are pooled by', whole(1, 64), 4)
    .option('--steps <n>', 'steps of its training, of 32 pictures', whole(1, 1_000_000), 3000)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', HELP)
    .action(async (model: string, options: DraftersCommand) => {
      const { giveDrafters } = await import('./drafters-run.ts');
      await giveDrafters(model, options, context);
    });
}
