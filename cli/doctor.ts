/** `ropewalk doctor`: what this machine has, what is missing and what to do; installs native TensorFlow. */
import { type Command, Option } from 'commander';
import { type Context, Exit, modelFolders, userCache } from './context.ts';

type DoctorOptions = {
  readonly install?: 'tensorflow';
  readonly gpu?: boolean;
  readonly wheel?: string;
  readonly json?: boolean;
};

export function doctorCommand(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('examine this machine, or install what is optional')
    .addOption(
      new Option('--install <what>', 'install native TensorFlow (says what it downloads)').choices([
        'tensorflow',
      ]),
    )
    .option('--gpu', 'with --install: for NVIDIA GPUs, with CUDA')
    .option('--wheel <file>', 'with --install: a TensorFlow wheel that is already here')
    .option('--json', 'print findings as JSON')
    .addHelpText('after', '\nExample:\n  ropewalk doctor --install tensorflow')
    .action(async (options: DoctorOptions) => {
      if (!options.install && (options.gpu || options.wheel !== undefined))
        throw new Error(
          `doctor: expected --install tensorflow with ${options.gpu ? '--gpu' : '--wheel'}, got it alone; add it`,
        );
      await (options.install ? install(options, context) : examine(options, context));
    });
}

async function install({ gpu = false, wheel }: DoctorOptions, context: Context): Promise<void> {
  const { installTensorflow, tensorflowFolder } = await import(
    '../tensor/engines/install-tensorflow.ts'
  );
  await installTensorflow({
    folder: tensorflowFolder(userCache(context), { gpu }),
    gpu,
    wheel,
    say: (line) => context.stdout.write(`${line}\n`),
    signal: context.signal,
  });
}

async function examine({ json }: DoctorOptions, context: Context): Promise<void> {
  const { examine: find } = await import('../doctor.ts');
  const { tensorflowFolder } = await import('../tensor/engines/install-tensorflow.ts');
  const findings = await find({
    models: modelFolders(context),
    tensorflow: tensorflowFolder(userCache(context)),
  });
  if (json) context.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else
    for (const { name, ok, optional, detail, advice } of findings) {
      const mark = ok ? 'ok' : optional ? '--' : 'NO';
      context.stdout.write(`${mark}  ${name.padEnd(12)} ${detail}\n`);
      if (advice !== undefined) context.stdout.write(`${' '.repeat(17)}${advice}\n`);
    }
  if (findings.some(({ ok, optional }) => !ok && !optional)) throw new Exit(1);
}
