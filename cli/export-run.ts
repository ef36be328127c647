/** `ropewalk export-run`: a training run's moving average as a model folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ModelCard } from '../generators/model.ts';
import type { Context } from './context.ts';

export function exportRunCommand(program: Command, context: Context): void {
  program
    .command('export-run')
    .description("write a run's newest checkpoint (its moving average, float16) as a model folder")
    .argument('<run>', 'folder of the run, such as runs/avatars')
    .option('--out <folder>', 'model folder to write (default: RUN/model)')
    .option('--cache <folder>', 'where drawn pictures are kept', 'cache')
    .addHelpText('after', '\nExample:\n  ropewalk export-run runs/avatars --out models/avatars')
    .action(
      async (run: string, { out = `${run}/model`, cache }: { out?: string; cache: string }) => {
        await writeRun(run, { out, cache });
        context.stdout.write(`${out}\n`);
      },
    );
}

export async function writeRun(run: string, { out, cache }: { out: string; cache: string }) {
  const { readTrainingConfig } = await import('../training/config.ts');
  const { describeData } = await import('../training/data/open.ts');
  const { exportRun } = await import('../training/export.ts');
  const { data } = await readTrainingConfig(join(run, 'config.json'));
  const card = await exportRun(run, { to: out, ...(await describeData(data, { cache })) });
  await writeModelPage(out, card);
}

/** The README.md of a model's folder, without measurements. */
export async function writeModelPage(folder: string, card: ModelCard): Promise<void> {
  const { modelReadme } = await import('../evaluation/model-readme.ts');
  await writeFile(join(folder, 'README.md'), modelReadme(card));
}
