/** Runs the command line in this process and keeps what it says. */
import type { Context } from '../../cli/context.ts';
import { runCli } from '../../cli/program.ts';

export type Ran = { readonly code: number; readonly out: string; readonly err: string };
export type RunOptions = {
  readonly env?: Context['env'];
  readonly columns?: number;
  /** Called with everything written to standard error. */
  readonly onErr?: (text: string, stop: AbortController) => void;
};

export async function run(
  args: readonly string[],
  { env = {}, columns, onErr }: RunOptions = {},
): Promise<Ran> {
  let [out, err] = ['', ''];
  const stop = new AbortController();
  const stdout = {
    columns,
    write(text: string) {
      out += text;
    },
  };
  const stderr = {
    write(text: string) {
      err += text;
      onErr?.(text, stop);
    },
  };
  const code = await runCli(args, { env, stdout, stderr, signal: stop.signal });
  return { code, out, err };
}
