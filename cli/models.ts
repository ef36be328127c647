/** `ropewalk models`: what can be generated with. */
import type { Command } from 'commander';
import type { AnyCard } from '../generators/token-model.ts';
import { type Context, modelFolders } from './context.ts';

export function modelsCommand(program: Command, context: Context): void {
  program
    .command('models')
    .description('list the models that can be generated with')
    .option('--json', 'print the cards as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk models\n\nLooked for in ./models, the folders of ROPEWALK_MODELS and the package.',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { listModels } = await import('../pipelines/models.ts');
      const { models, broken } = await listModels(modelFolders(context));
      for (const { folder, reason } of broken)
        context.stderr.write(`${folder} cannot be used: ${reason}\n`);
      if (json) {
        const cards = models.map(({ folder, card }) => ({ folder, ...card }));
        context.stdout.write(`${JSON.stringify(cards, null, 2)}\n`);
        return;
      }
      if (models.length === 0)
        throw new Error(
          'models: expected some, found none; train one with `ropewalk train CONFIG`, or name their folder in ROPEWALK_MODELS',
        );
      for (const { id, folder, card } of models)
        context.stdout.write(
          `${id}\n  ${card.title}; ${card.licence}\n  sizes: ${sizesOf(card)}${trainingOf(card)}\n  default: ${defaultsOf(card)}\n` +
            `  words: ${card.vocabulary.length}${stylesOf(card.vocabulary)}\n  in ${folder}\n`,
        );
    });
}

function sizesOf(card: AnyCard): string {
  const { width, height } = card.trained;
  if (card.architecture === 'ar') return `${width}x${height}, ${card.tokenizer.factor} px a token`;
  const { config, largestSide } = card;
  return `trained at ${width}x${height}, multiples of ${config.patch} up to ${largestSide}`;
}

function trainingOf({ training }: AnyCard): string {
  if (!training) return '';
  const hours = training.hours === undefined ? '' : `, ${training.hours} hours`;
  return `\n  training: ${training.pictures.toLocaleString('en-US')} pictures${hours}`;
}

function defaultsOf(card: AnyCard): string {
  const { guidance } = card.sampling;
  if (card.architecture === 'ar')
    return `${card.sampling.decoder}, temperature ${card.sampling.temperature}, guidance ${guidance}`;
  return `${card.sampling.solver}, ${card.sampling.steps} steps, guidance ${guidance}`;
}

function stylesOf(vocabulary: readonly string[]): string {
  const styles = vocabulary.flatMap((word) => (word.startsWith('style=') ? [word.slice(6)] : []));
  return styles.length > 0 ? `; styles: ${styles.join(', ')}` : '';
}
