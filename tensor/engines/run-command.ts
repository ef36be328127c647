/** Runs the programs that installing needs (npm, pip, the compiler) and keeps what they print. */
import { execFile } from 'node:child_process';

export type CommandOptions = {
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Thrown when a program is missing or fails; `output` is everything that it printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly missing: boolean;
  readonly output: string;

  constructor(command: string, cause: Error & { code?: unknown }, output: string) {
    const lines = output.split('\n').filter((line) => line.trim() !== '');
    super(`${command}: ${lines.at(-1)?.trim() ?? cause.message}`, { cause });
    this.missing = cause.code === 'ENOENT';
    this.output = output;
  }
}

/** Resolves to what the program wrote on its standard output. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd, signal }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, signal, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (signal?.aborted) reject(signal.reason);
      else reject(new CommandError(command, error, `${stdout}${stderr}`));
    });
  });
}
