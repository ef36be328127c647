/** `ropewalk generate`: pictures from words, or again from a picture's own recipe. */
import { type Command, Option } from 'commander';
import { TOLD, type Told } from '../encoders/conditioning/micro.ts';
import type { Context } from './context.ts';
import {
  crop,
  type DecoderChoice,
  type Device,
  decoder,
  deviceOption,
  interval,
  real,
  size,
  threadsOption,
  whole,
} from './options.ts';

export type GenerateOptions = {
  readonly model?: string;
  readonly negative?: string;
  readonly seed?: number;
  readonly count?: number;
  readonly size?: { readonly width: number; readonly height: number };
  readonly steps?: number;
  readonly guidance?: number;
  readonly guidanceSchedule?: string;
  readonly interval?: { readonly from: number; readonly to: number };
  readonly solver?: string;
  readonly decoder?: DecoderChoice;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly extend?: readonly string[];
  readonly micro?: Told;
  readonly originalSize?: { readonly width: number; readonly height: number };
  readonly crop?: { readonly top: number; readonly left: number };
  readonly from?: string;
  readonly out: string;
  readonly grid?: boolean;
  readonly trace?: string;
  readonly skipUnknown?: boolean;
  readonly device?: Device;
  readonly threads?: number;
  readonly json?: boolean;
};

const EXAMPLE = `
Example:
  ropewalk generate "avataaars, red hair, glasses" --seed 7 --count 4 --size 64 --steps 25 --guidance 2 --solver dpmpp-2m --out out/
  ropewalk generate "bottts" --model avatars-64 --size 96 --extend vision-yarn --extend attention-scale

A word may carry a weight: "(red hair:1.5)". The words of a model are in \`ropewalk models --json\`.`;

export function generateCommand(program: Command, context: Context): void {
  program
    .command('generate')
    .description('make pictures from words')
    .argument('[words...]', 'styles and attributes, separated by commas; none: whatever comes')
    .option('--model <id>', 'a model, or its folder (default: the first of `ropewalk models`)')
    .option('--negative <words>', 'what to lead away from')
    .option('--seed <n>', 'of the first picture; each further one adds 1 (default: 0)', whole(0))
    .option('--count <n>', 'number of pictures (default: 1)', whole(1, 10_000))
    .option('--size <size>', 'side in pixels, or WIDTHxHEIGHT (default: as trained)', size)
    .option('--steps <n>', "steps of the solver (default: the model's)", whole(1, 1000))
    .option('--guidance <scale>', "1 is none (default: the model's)", real(0, 100))
    .option(
      '--interval <from,to>',
      'guide between these times only; 1 is noise; of a token model: these parts of its tokens (default: 0,1)',
      interval,
    )
    .option(
      '--guidance-schedule <name>',
      'of a token model: constant, or growing from 1 at the first token, linear or cosine (default: constant)',
    )
    .option('--solver <name>', "how to walk from noise to picture (default: the model's)")
    .option(
      '--decoder <name>',
      "how a token model draws its tokens, as 'sjd' or 'speculative:drafter=ngram,length=6' (default: the model's)",
      decoder,
    )
    .option(
      '--temperature <t>',
      "of a token model; 0 is the likeliest (default: the model's)",
      real(0, 100),
    )
    .option('--top-k <n>', 'of a token model: only the n likeliest tokens', whole(1))
    .option('--top-p <share>', 'only the likeliest that together have this share', real(0, 1))
    .option(
      '--min-p <share>',
      'only those at least this share as likely as the likeliest',
      real(0, 1),
    )
    .option(
      '--extend <method>',
      "position extension for a size never trained, as 'vision-yarn', 'yarn:alpha=0.25,beta=2', a JSON file or 'none', or options of the model's own coordinates, as 'coordinates:inference=contiguous'; again for another (default: the model's)",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .addOption(
      new Option(
        '--micro <what>',
        "what a model that is told sizes is told of this one: a whole picture of it (asked) or of the trained size (trained), or nothing (default: the model's)",
      ).choices(TOLD),
    )
    .option(
      '--original-size <size>',
      'or the size of the picture that this one is a cut of (default: --size)',
      size,
    )
    .option('--crop <top,left>', 'and where in it the cut begins, in pixels (default: 0,0)', crop)
    .option('--from <picture>', 'take all that is not given from the recipe in this picture')
    .option('--out <folder>', 'where pictures go', 'out')
    .option('--grid', 'also write all pictures as one sheet')
    .option('--trace <file>', 'of a token model: also write its passes as an animated GIF')
    .option('--skip-unknown', 'go on without words that the model does not know')
    .addOption(deviceOption().default(undefined, 'cpu'))
    .addOption(threadsOption())
    .option('--json', 'print what was made as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (words: readonly string[], options: GenerateOptions) => {
      const { generate } = await import('./generate-run.ts');
      // Without quotes the shell hands them over one by one.
      await generate(words.length > 0 ? words.join(' ') : undefined, options, context);
    });
}
