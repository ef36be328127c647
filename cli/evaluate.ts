/** `ropewalk evaluate`: how good a model's pictures are, and the network that judges them. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type EvaluateResolutionCommand, resolutionCommand } from './evaluate-resolution.ts';
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

export type EvaluateModelCommand = CommonOptions & {
  readonly model?: string;
  readonly reader?: string;
  readonly samples: number;
  readonly heldOut: number;
  readonly trained: number;
  readonly out: string;
  readonly record?: boolean;
  readonly beside?: string;
};
export type EvaluateTokenizerCommand = CommonOptions & {
  readonly model: string;
  readonly pictures: number;
  readonly size?: number;
  readonly kid: boolean;
  readonly out: string;
  readonly record?: boolean;
};
export type EvaluateDecodingCommand = CommonOptions & {
  readonly model?: string;
  readonly decoders: readonly string[];
  readonly pictures: number;
  readonly batch: number;
  readonly kid?: boolean;
  readonly json?: boolean;
  readonly chart?: string;
};
export type EvaluateReaderCommand = CommonOptions & {
  readonly runs: string;
  readonly out?: string;
};
export type EvaluatePositionsCommand = CommonOptions & {
  readonly models: readonly string[];
  readonly tokenizers: readonly string[];
  readonly sizes?: EvaluateResolutionCommand['sizes'];
  readonly pictures: number;
  readonly time: number;
  readonly protocol?: boolean;
  readonly out: string;
};

export function evaluateCommand(program: Command, context: Context): void {
  const evaluate = program
    .command('evaluate')
    .description('measure a model, compare models over sizes, or train the reader that measures')
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
    .option('--beside <id>', 'with --record: a model whose recorded numbers the README has beside')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', '\nExample:\n  ropewalk evaluate model --model avatars --samples 500')
    .action(async (options: EvaluateModelCommand) => {
      const { measure } = await import('./evaluate-run.ts');
      await measure(options, context);
    });
  evaluate
    .command('tokenizer')
    .description('measure what a tokenizer trained on avatars makes of held-out drawings')
    .requiredOption('--model <id>', 'a tokenizer, or its folder')
    .option('--pictures <n>', 'drawings', whole(20, 6000), 600)
    .option('--size <pixels>', "side of the drawings (default: the tokenizer's)", whole(16, 1024))
    .option('--no-kid', 'leave out KID, which needs the package nsfwjs')
    .option('--out <folder>', 'where numbers and a sheet go', 'out/tokenizer')
    .option('--record', "write the numbers into the tokenizer's card and README")
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk evaluate tokenizer --model runs/avatars-tokenizer/tokenizer\n\nExit code 1 when a bar is missed.',
    )
    .action(async (options: EvaluateTokenizerCommand) => {
      const { measureTokenizer } = await import('./evaluate-tokenizer-run.ts');
      await measureTokenizer(options, context);
    });
  evaluate
    .command('decoding')
    .description('compare the decoders of a token model (docs/decoding.md)')
    .option('--model <id>', 'a token model, or its folder')
    .option(
      '--decoders <names>',
      'separated by commas, with options as `generate --decoder` has them (default: all)',
      methods,
      [],
    )
    .option('--pictures <n>', 'pictures', whole(1, 2000), 4)
    .option('--batch <n>', 'pictures that are decoded together', whole(1, 64), 1)
    .option('--kid', 'also the kernel distance from real drawings (20 pictures at least)')
    .option('--json', 'print the numbers as JSON')
    .option('--chart <file>', 'also as a chart, SVG or PNG')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk evaluate decoding --decoders fixed-noise,zipar,speculative:drafter=network',
    )
    .action(async (options: EvaluateDecodingCommand) => {
      const { compare } = await import('./evaluate-decoding-run.ts');
      await compare(options, context);
    });
  evaluate
    .command('reader')
    .description('train the network that reads attributes off pictures')
    .argument('<config>', 'configuration, such as evaluation/configs/reader-avatars.json')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--out <folder>', 'reader folder to write (default: RUNS/ID/reader)')
    .addOption(cacheOption())
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
  resolutionCommand(evaluate, context);
  positionsCommand(evaluate, context);
}

function positionsCommand(evaluate: Command, context: Context): void {
  evaluate
    .command('positions')
    .description('what position methods offer, and what models make of places (docs/evaluation.md)')
    .option(
      '--models <ids>',
      'models, or their folders (default: methods only)',
      list((text) => text),
      [],
    )
    .option(
      '--tokenizers <ids>',
      'tokenizers, or their folders: what padding tells their decoders',
      list((text) => text),
      [],
    )
    .option('--sizes <sizes>', 'such as 64,96 (default: as trained)', list(size))
    .option('--pictures <n>', 'drawings that models are looked at with', whole(2, 256), 16)
    .option('--time <t>', 'how noisy drawings are made; 1 is pure noise', real(0, 1), 0.5)
    .option('--protocol', 'train small networks on small grids and test them on larger ones')
    .option('--out <folder>', 'where the report goes', 'out/positions')
    .addOption(cacheOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk evaluate positions --models avatars --sizes 64,96 --out positions/',
    )
    .action(async (options: EvaluatePositionsCommand) => {
      const { analysePositions } = await import('./evaluate-positions-run.ts');
      await analysePositions(options, context);
    });
}
