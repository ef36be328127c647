/**
 * The worker's side of the process that computes. A child that dies is started again and given what it had in hand, less
 * the pictures that were kept; a job that costs several children without getting anywhere fails.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type JobTask, Unrecoverable } from '../jobs/jobs.ts';
import type { FromChild, OfModels, OfRun, Setup, ToChild } from './messages.ts';

export type ForkOptions = {
  readonly setup: Setup;
  /** The child's environment: no secrets, it speaks to nobody else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments of Node, as for sources that are not built. */
  readonly execArgv?: readonly string[];
  /** Told of models that it reads, and of all that it has in memory. */
  readonly onModels?: (news: OfModels) => void;
};
export type Forked = {
  /** Resolves with the job's result; rejects when it fails or its signal says so. */
  run(task: JobTask): Promise<unknown>;
  /** Of the child that runs now. */
  readonly pid: number | undefined;
  close(): Promise<void>;
};

/** A job in hand. */
type Held = {
  readonly task: JobTask;
  readonly kept: Set<number>;
  /** Children that died in a row while it was in hand, without a picture or a point of it. */
  deaths: number;
  /** Why a picture could not be kept, as it was thrown. */
  problem?: unknown;
  end(error: unknown, result?: unknown): void;
};

const SCRIPT = join(import.meta.dirname, `child${extname(import.meta.filename)}`);
/** Deaths in a row after which a job is taken to be their cause. */
const DEATHS = 5;
/** Milliseconds for a step to end: the worker itself has 10 s to leave; who cancels a training waits for its checkpoint. */
const PATIENCE: Readonly<Record<string, number>> = { stopped: 7000, cancelled: 60_000 };

export function forkChild({ setup, env, execArgv = [], onModels }: ForkOptions): Forked {
  const held = new Map<number, Held>();
  let runs = 0;
  let closing = false;
  let child = start();

  function start(): ChildProcess {
    const started = fork(SCRIPT, [], {
      ...{ env: env as NodeJS.ProcessEnv, execArgv: [...execArgv], serialization: 'advanced' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    started.on('message', (message: FromChild) => {
      if (message.type === 'load' || message.type === 'models') onModels?.(message);
      else void receive(message);
    });
    started.on('exit', (_, signal) => void replace(signal));
    started.on('error', () => {}); // told by 'exit'
    tell(started, { type: 'setup', setup });
    for (const [run, one] of held) tellRun(started, run, one);
    return started;
  }

  async function replace(signal: string | null): Promise<void> {
    onModels?.({ type: 'models', models: [] });
    for (const one of held.values()) {
      const { signal: stop } = one.task;
      one.deaths++;
      if (stop.aborted) one.end(new Error(String(stop.reason)));
      else if (one.deaths >= DEATHS)
        one.end(
          new Unrecoverable(
            `worker: expected a process that computes, got ${one.deaths} in a row that ended${signal ? ` (${signal})` : ''} with this job in hand`,
          ),
        );
    }
    if (closing) return;
    await delay(100); // one that cannot start does not keep the machine busy
    if (!closing) child = start();
  }

  async function receive(message: OfRun): Promise<void> {
    const one = held.get(message.run);
    if (!one) return;
    const { task } = one;
    if (message.type === 'progress') task.progress(message.progress);
    if (message.type === 'preview') task.preview(message.index, message.png);
    if (message.type === 'point') {
      one.deaths = 0;
      task.point(message.point);
    }
    if (message.type === 'picture') await keep(message, one);
    if (message.type === 'done') one.end(undefined, message.result);
    if (message.type === 'failed') one.end(one.problem ?? errorOf(message));
  }

  async function keep(
    { run, index, png, about }: Extract<OfRun, { type: 'picture' }>,
    one: Held,
  ): Promise<void> {
    try {
      await one.task.picture(index, png, about);
      one.kept.add(index);
      one.deaths = 0;
      tell(child, { type: 'kept', run, index });
    } catch (error) {
      one.problem = error;
      const problem = error instanceof Error ? error.message : String(error);
      tell(child, { type: 'kept', run, index, problem });
    }
  }

  return {
    get pid() {
      return child.pid;
    },
    run: (task) =>
      new Promise((resolve, reject) => {
        const run = runs++;
        let late: NodeJS.Timeout | undefined;
        const stop = () => {
          tell(child, { type: 'stop', run, reason: String(task.signal.reason) });
          const patience = PATIENCE[String(task.signal.reason)] ?? 0;
          late = setTimeout(() => child.kill('SIGKILL'), patience);
        };
        const one: Held = {
          ...{ task, kept: new Set(task.existing), deaths: 0 },
          end(error, result) {
            held.delete(run);
            clearTimeout(late);
            task.signal.removeEventListener('abort', stop);
            if (error === undefined) resolve(result);
            else reject(error);
          },
        };
        held.set(run, one);
        tellRun(child, run, one);
        task.signal.addEventListener('abort', stop);
        if (task.signal.aborted) stop();
      }),
    async close() {
      closing = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      if (child.connected) child.disconnect();
      const kill = setTimeout(() => child.kill('SIGKILL'), 1000);
      await gone;
      clearTimeout(kill);
    },
  };
}

function tellRun(child: ChildProcess, run: number, { task, kept }: Held): void {
  tell(child, { type: 'run', run, job: task.job, existing: [...kept] });
}

/** A child that is gone hears nothing; the next one is told all that is in hand. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => {});
}

const errorOf = ({ message, hopeless }: Extract<OfRun, { type: 'failed' }>): Error =>
  hopeless ? new Unrecoverable(message) : new Error(message);
