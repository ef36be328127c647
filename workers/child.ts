/**
 * The process that computes: told what to run by messages (fork.ts), it says what comes of it. It leaves when its worker
 * does, however that ended; signals for the whole group are the worker's to understand.
 */
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { isHopeless, type JobTask, type KeptModel } from '../jobs/jobs.ts';
import { withoutFolders } from '../pipelines/models.ts';
import { openDevice } from '../tensor/device.ts';
import type { FromChild, Setup, ToChild } from './messages.ts';
import { createRunner } from './runner.ts';

type Running = {
  readonly stop: AbortController;
  /** Pictures that were handed over and are not kept yet. */
  readonly unkept: Map<number, (problem?: string) => void>;
};

const running = new Map<number, Running>();
let runner: Promise<ReturnType<typeof createRunner>> | undefined;
/** Where models and data are. */
let folders: readonly string[] = [];

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (message: ToChild) => {
  if (message.type === 'setup') {
    runner = open(message.setup);
    runner.catch(() => {}); // every run says so
  }
  if (message.type === 'run') void run(message);
  if (message.type === 'stop') running.get(message.run)?.stop.abort(new Error(message.reason));
  if (message.type === 'kept')
    running.get(message.run)?.unkept.get(message.index)?.(message.problem);
});

/** A worker that was killed hears nothing; 'disconnect' tells of it. */
function say(message: FromChild): void {
  if (process.connected) process.send!(message, () => {});
}

/** A line in the server's log, in its form: where a file is that clients are told of by its name. */
function log(job: string, msg: string): void {
  const line = { level: 50, time: Date.now(), pid: process.pid, job, msg };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

async function open({ device, nice, ...places }: Setup) {
  folders = [...places.models, join(places.data, 'models'), places.data];
  if (nice !== undefined) setPriority(nice); // before there are threads, which inherit it
  const engine = await openDevice(device);
  const watch = {
    onLoad: (model: string, seconds: number) => say({ type: 'load', model, seconds }),
    onKept: (models: readonly KeptModel[]) => say({ type: 'models', models }),
  };
  return createRunner({ engine, ...places, watch, now: () => performance.now() });
}

async function run({ run: number, job, existing }: Extract<ToChild, { type: 'run' }>) {
  const one: Running = { stop: new AbortController(), unkept: new Map() };
  running.set(number, one);
  const task: JobTask = {
    ...{ job, existing: new Set(existing), signal: one.stop.signal },
    progress: (progress) => say({ type: 'progress', run: number, progress }),
    preview: (index, png) => say({ type: 'preview', run: number, index, png }),
    point: (point) => say({ type: 'point', run: number, point }),
    picture: (index, png, about) => {
      say({ type: 'picture', run: number, index, png, about });
      return new Promise((resolve, reject) => {
        one.unkept.set(index, (problem) => {
          one.unkept.delete(index);
          if (problem === undefined) resolve();
          else reject(new Error(problem));
        });
      });
    },
  };
  try {
    const result = await (await runner!).run(task);
    say({ type: 'done', run: number, result });
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    const message = withoutFolders(sentence, folders);
    if (message !== sentence) log(job.id, sentence);
    say({ type: 'failed', run: number, message, hopeless: isHopeless(error) });
  } finally {
    running.delete(number);
    // A job that was stopped hears of its pictures no more: who waits for them, with others of their batch, goes on.
    for (const settle of one.unkept.values()) settle('the job has ended');
  }
}
