/** `ropewalk export-run`: a training run's moving average as a model folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ModelCard } from '../generators/model.ts';
import type { TokenCard } from '../generators/token-model.ts';
import type { TokenizerCard } from '../generators/tokenizer-card.ts';
import type { Context } from './context.ts';

export function exportRunCommand(program: Command, context: Context): void {
  program
    .command('export-run')
    .description("write a run's newest checkpoint (its moving average, float16) as a model folder")
    .argument('<run>', 'folder of the run, such as runs/avatars')
    .option('--out <folder>', 'folder to write (default: RUN/model, RUN/tokenizer)')
    .option('--cache <folder>', 'where drawn pictures are kept', 'cache')
    .addHelpText('after', '\nExample:\n  ropewalk export-run runs/avatars --out models/avatars')
    .action(async (run: string, options: { out?: string; cache: string }) => {
      context.stdout.write(`${await writeAny(run, options)}\n`);
    });
}

/** Writes the folder that a run of this kind makes; returns its path. */
async function writeAny(run: string, { out, cache }: { out?: string; cache: string }) {
  const { readConfigFile } = await import('../training/config.ts');
  const { isTokenizerTraining } = await import('../training/tokenizer-config.ts');
  const { isTokenTraining } = await import('../training/token-config.ts');
  const { isPackedTraining } = await import('../training/packed-config.ts');
  const config = await readConfigFile(join(run, 'config.json'));
  if (isTokenTraining(config)) {
    const to = out ?? join(run, 'model');
    await writeTokenRun(run, { out: to, cache });
    return to;
  }
  if (isPackedTraining(config))
    throw new RangeError(
      `export-run: expected a run of a diffusion transformer, tokenizer or token model, got '${run}' on packed pictures; its network is for programs (docs/training.md)`,
    );
  if (!isTokenizerTraining(config)) {
    const to = out ?? join(run, 'model');
    await writeRun(run, { out: to, cache });
    return to;
  }
  const { exportTokenizer } = await import('../training/tokenizer-export.ts');
  const to = out ?? join(run, 'tokenizer');
  await writeTokenizerPage(to, await exportTokenizer(run, to));
  return to;
}

export async function writeRun(run: string, { out, cache }: { out: string; cache: string }) {
  const { readTrainingConfig } = await import('../training/config.ts');
  const { describeData } = await import('../training/data/open.ts');
  const { exportRun } = await import('../training/export.ts');
  const { data } = await readTrainingConfig(join(run, 'config.json'));
  const card = await exportRun(run, { to: out, ...(await describeData(data, { cache })) });
  await writeModelPage(out, card);
}

async function writeTokenRun(run: string, { out, cache }: { out: string; cache: string }) {
  const { readTokenTraining } = await import('../training/token-config.ts');
  const { describeData } = await import('../training/data/open.ts');
  const { exportTokenModel } = await import('../training/token-export.ts');
  const { data } = await readTokenTraining(join(run, 'config.json'));
  const about = await describeData(data, { cache });
  await writeTokenModelPage(out, await exportTokenModel(run, { to: out, ...about }));
}

/** The README.md of a model's folder, without measurements. */
export async function writeModelPage(folder: string, card: ModelCard): Promise<void> {
  const { modelReadme } = await import('../evaluation/model-readme.ts');
  await writeFile(join(folder, 'README.md'), modelReadme(card));
}

/** The README.md of a token model's folder, without measurements. */
export async function writeTokenModelPage(folder: string, card: TokenCard): Promise<void> {
  const { tokenModelReadme } = await import('../evaluation/model-readme.ts');
  await writeFile(join(folder, 'README.md'), tokenModelReadme(card));
}

/** The README.md of a tokenizer's folder, without measurements. */
export async function writeTokenizerPage(folder: string, card: TokenizerCard): Promise<void> {
  const { tokenizerReadme } = await import('../evaluation/tokenizer-report.ts');
  await writeFile(join(folder, 'README.md'), tokenizerReadme(card));
}
