/** `ropewalk tokenize`: a data set as tokens, which token models are trained on. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { cacheOption, type Device, deviceOption, threadsOption, whole } from './options.ts';

export type TokenizeCommand = {
  readonly out: string;
  readonly size?: number;
  readonly count?: number;
  readonly heldOut?: boolean;
  readonly cache: string;
  readonly device: Device;
  readonly threads?: number;
};

export function tokenizeCommand(program: Command, context: Context): void {
  program
    .command('tokenize')
    .description('write the tokens of a data set into a file')
    .argument('<tokenizer>', 'a tokenizer, or its folder')
    .argument('<data>', 'avatars, emoji or a folder of pictures')
    .requiredOption('--out <file>', 'the file to write, such as tokens.safetensors')
    .option('--size <pixels>', "side of the pictures (default: the tokenizer's)", whole(1, 4096))
    .option('--count <n>', 'pictures to draw (avatars; default: 60000)', whole(1))
    .option('--held-out', 'the pictures that are never trained on')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk tokenize tokenizer-avatars-64 avatars --out tokens.safetensors\n\nThe file names the codebook; it is refused for any other.',
    )
    .action(async (tokenizer: string, data: string, options: TokenizeCommand) => {
      const { tokenize } = await import('./tokenize-run.ts');
      await tokenize(tokenizer, data, options, context);
    });
}
