/** `ropewalk export-run`: a training run's moving average as a model folder. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { cacheOption } from './options.ts';

export function exportRunCommand(program: Command, context: Context): void {
  program
    .command('export-run')
    .description("write a run's newest checkpoint (its moving average, float16) as a model folder")
    .argument('<run>', 'folder of the run, such as runs/avatars')
    .option('--out <folder>', 'folder to write (default: RUN/model, RUN/tokenizer)')
    .addOption(cacheOption())
    .addHelpText(
      'after',
      '\nExample:\n  ropewalk export-run runs/avatars-64 --out models/avatars-64',
    )
    .action(async (run: string, options: { out?: string; cache: string }) => {
      context.stdout.write(`${await writeAny(run, options)}\n`);
    });
}

/** Writes the folder that a run of this kind makes; returns its path. */
async function writeAny(run: string, { out, cache }: { out?: string; cache: string }) {
  const { readConfigFile } = await import('../training/config.ts');
  const { isTokenizerTraining } = await import('../training/tokenizer-config.ts');
  const { isTokenTraining } = await import('../training/token-config.ts');
  const config = await readConfigFile(join(run, 'config.json'));
  if (isTokenTraining(config)) {
    const to = out ?? join(run, 'model');
    await writeTokenRun(run, { out: to, cache });
    return to;
  }
  if (!isTokenizerTraining(config)) {
    const to = out ?? join(run, 'model');
    await writeRun(run, { out: to, cache });
    return to;
  }
  const { exportTokenizer } = await import('../training/tokenizer-export.ts');
  const { writeTokenizerPage } = await import('../evaluation/model-pages.ts');
  const to = out ?? join(run, 'tokenizer');
  await writeTokenizerPage(to, await exportTokenizer(run, to));
  return to;
}

export async function writeRun(run: string, { out, cache }: { out: string; cache: string }) {
  const { readDiffusionTraining } = await import('../training/packed-config.ts');
  const { describeData } = await import('../training/data/open.ts');
  const { exportRun } = await import('../training/export.ts');
  const { writeModelPage } = await import('../evaluation/model-pages.ts');
  const { data } = await readDiffusionTraining(join(run, 'config.json'));
  const card = await exportRun(run, { to: out, ...(await describeData(data, { cache })) });
  await writeModelPage(out, card);
}

async function writeTokenRun(run: string, { out, cache }: { out: string; cache: string }) {
  const { readTokenTraining } = await import('../training/token-config.ts');
  const { describeData } = await import('../training/data/open.ts');
  const { exportTokenModel } = await import('../training/token-export.ts');
  const { writeTokenModelPage } = await import('../evaluation/model-pages.ts');
  const { data } = await readTokenTraining(join(run, 'config.json'));
  const about = await describeData(data, { cache });
  await writeTokenModelPage(out, await exportTokenModel(run, { to: out, ...about }));
}
