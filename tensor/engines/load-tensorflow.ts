/** Registers native TensorFlow, installed by install-tensorflow.ts, as the tfjs backend 'tensorflow'. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import util from 'node:util';
import { tf } from '../tf.ts';
import type { Installed } from './install-tensorflow.ts';
import { completeKernels } from './tensorflow-kernels.ts';

export type LoadedTensorflow = { readonly version: string; readonly device: 'cpu' | 'gpu' };

/** The parts of tfjs-node's backend that tell what it runs on. */
type NativeBackend = {
  readonly binding: { readonly TF_Version: string };
  readonly isUsingGpuDevice: boolean;
};

export type LoadOptions = {
  /** Threads inside one op. Default: one a core. Only the first load in a process can choose. */
  readonly threads?: number;
};

/** Loads once a process; the backend that was current stays current. */
export async function loadTensorflow(
  folder: string,
  { threads }: LoadOptions = {},
): Promise<LoadedTensorflow> {
  if (!tf.engine().registryFactory.tensorflow) {
    const installed = await readInstalled(folder);
    setDefaults(threads);
    requireTensorflow(resolve(folder), installed);
  }
  const { binding, isUsingGpuDevice } = tf
    .engine()
    .findBackend('tensorflow') as unknown as NativeBackend;
  return { version: binding.TF_Version, device: isUsingGpuDevice ? 'gpu' : 'cpu' };
}

/** What is installed in `folder`; throws when nothing is. */
export async function readInstalled(folder: string): Promise<Installed> {
  try {
    return JSON.parse(await readFile(join(folder, 'installed.json'), 'utf8'));
  } catch (error) {
    throw new Error(
      `loadTensorflow: expected native TensorFlow in ${folder}, found none; run \`ropewalk doctor --install tensorflow\``,
      { cause: error },
    );
  }
}

/** TensorFlow reads its settings from the environment, and only when its library is loaded. */
function setDefaults(threads: number | undefined): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // Otherwise it greets on standard error.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // Otherwise it takes the whole GPU.
  if (threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS = String(threads);
}

function requireTensorflow(folder: string, installed: Installed): void {
  restoreUtil();
  const before = tf.getBackend();
  const shared = globalThis as { [key: symbol]: unknown };
  // The package in the folder that stands for @tensorflow/tfjs exports what it finds here.
  shared[Symbol.for('ropewalk.tfjs')] = tf;
  try {
    createRequire(join(folder, 'package.json'))(installed.package);
    completeKernels();
  } catch (error) {
    throw new Error(
      `loadTensorflow: TensorFlow ${installed.tensorflow} in ${folder} does not load (${error instanceof Error ? error.message.split('\n')[0] : error}); install it again with \`ropewalk doctor --install tensorflow\``,
      { cause: error },
    );
  } finally {
    void tf.setBackend(before); // tfjs-node makes itself the current backend.
  }
}

/** Node 23 removed two functions of util that tfjs-node 4.22 calls. */
function restoreUtil(): void {
  const functions = {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  for (const [name, value] of Object.entries(functions)) {
    if (!(name in util)) Object.defineProperty(util, name, { value });
  }
}
