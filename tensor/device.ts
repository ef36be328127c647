/** Engines by the names that users know. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine } from './engine.ts';
import { tensorflowFolder } from './engines/install-tensorflow.ts';
import { loadTensorflow } from './engines/load-tensorflow.ts';
import type { Engine, Provider } from './program.ts';

export type Device = Provider | 'tensorflow' | 'reference';
export type DeviceOptions = {
  readonly device: Device;
  /** Of the cpu. Default: one a core. */
  readonly threads?: number;
  /** The user's cache, where native TensorFlow is installed. */
  readonly cache: string;
};

export async function openDevice({ device, threads, cache }: DeviceOptions): Promise<Engine> {
  const some = threads === undefined ? {} : { threads };
  if (device === 'reference') return createEngine({ name: 'reference' });
  if (device !== 'tensorflow') {
    // Threads that wait busily win little on an idle machine and lose much on a shared one.
    return createEngine({ provider: device, spinning: false, ...some });
  }
  await loadTensorflow(installedTensorflow(cache), some);
  return createEngine({ name: 'tensorflow' });
}

/** The installation with CUDA where there is one. */
function installedTensorflow(cache: string): string {
  const gpu = tensorflowFolder(cache, { gpu: true });
  return existsSync(join(gpu, 'installed.json')) ? gpu : tensorflowFolder(cache);
}
