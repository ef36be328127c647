#!/usr/bin/env node
/** The command line: hands the process to cli/program.ts. */
import type { Output } from './cli/context.ts';
import { runCli } from './cli/program.ts';

const stop = new AbortController();
const interrupt = () => {
  if (stop.signal.aborted) process.exit(130); // asked twice: at once
  stop.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader such as `head` has enough; what serves, trains or draws goes on.
    if (error.code !== 'EPIPE') throw error;
  });

const output = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  columns: stream.isTTY ? stream.columns : undefined,
});
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  signal: stop.signal,
});
