/** The command line's grammar: commands in files of their own, errors as one sentence and an exit code. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import { type Context, Exit } from './context.ts';
import { doctorCommand } from './doctor.ts';
import { draftersCommand } from './drafters.ts';
import { evaluateCommand } from './evaluate.ts';
import { exportRunCommand } from './export-run.ts';
import { generateCommand } from './generate.ts';
import { modelsCommand } from './models.ts';
import { searchCommand } from './search.ts';
import { serveCommand } from './serve.ts';
import { startCommand } from './start.ts';
import { tokenizeCommand } from './tokenize.ts';
import { curveCommand, trainCommand } from './train.ts';
import { verifyCommand } from './verify.ts';
import { workCommand } from './work.ts';

const BAD_INPUT = 2;
const INTERRUPTED = 130;

/** Runs one command; returns the exit code: 0, 1 (a check failed), 2 (bad input) or 130 (Ctrl-C). */
export async function runCli(args: readonly string[], context: Context): Promise<number> {
  const sentences: string[] = [];
  const program = new Command('ropewalk')
    .description('Train and sample image generators.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => sentences.push(text),
    })
    .configureHelp({ showGlobalOptions: false });
  const commands = [
    generateCommand,
    trainCommand,
    curveCommand,
    exportRunCommand,
    tokenizeCommand,
    draftersCommand,
    evaluateCommand,
    searchCommand,
    modelsCommand,
    verifyCommand,
    doctorCommand,
    startCommand,
    serveCommand,
    workCommand,
  ];
  for (const add of commands) add(program, context);
  try {
    if (args.length === 0) {
      context.stdout.write(program.helpInformation());
      return 0;
    }
    await program.parseAsync([...args], { from: 'user' });
    return context.signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    return failed(error, sentences, context);
  }
}

function failed(error: unknown, sentences: readonly string[], context: Context): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help, --version
  const aborted = context.signal.aborted && !(error instanceof Exit);
  const code = error instanceof Exit ? error.code : aborted ? INTERRUPTED : BAD_INPUT;
  const said = error instanceof CommanderError ? sentences.join(' ') : messageOf(error);
  const sentence = aborted
    ? 'stopped'
    : said
        .replace(/^error: /, '')
        .replaceAll(/\s*\n\s*/g, ' ')
        .trim();
  if (sentence !== '') context.stderr.write(`ropewalk: ${sentence}\n`);
  if (context.env.ROPEWALK_DEBUG && error instanceof Error)
    context.stderr.write(`${error.stack}\n`);
  return code;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
