/** Engines by the names that users know. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine } from '../tensor/engine.ts';
import { tensorflowFolder } from '../tensor/engines/install-tensorflow.ts';
import { loadTensorflow } from '../tensor/engines/load-tensorflow.ts';
import type { Engine } from '../tensor/program.ts';
import { type Context, userCache } from './context.ts';
import { DEVICES, type Device } from './options.ts';

export type DeviceOptions = { readonly device: Device; readonly threads?: number };

export async function openDevice(
  { device, threads }: DeviceOptions,
  context: Pick<Context, 'env'>,
): Promise<Engine> {
  const some = threads === undefined ? {} : { threads };
  if (device === 'reference') return createEngine({ name: 'reference' });
  if (device !== 'tensorflow') {
    // Threads that wait busily win little on an idle machine and lose much on a shared one.
    return createEngine({ provider: device, spinning: false, ...some });
  }
  await loadTensorflow(installedTensorflow(context), some);
  return createEngine({ name: 'tensorflow' });
}

/** The installation with CUDA where there is one. */
function installedTensorflow(context: Pick<Context, 'env'>): string {
  const gpu = tensorflowFolder(userCache(context), { gpu: true });
  return existsSync(join(gpu, 'installed.json')) ? gpu : tensorflowFolder(userCache(context));
}

/** The device on which a recipe's picture was made. */
export function deviceOf(recipe: { readonly engine: string; readonly provider: string }): Device {
  const name = recipe.engine === 'onnx' ? recipe.provider : recipe.engine;
  const device = DEVICES.find((known) => known === name);
  if (device) return device;
  throw new RangeError(
    `recipe: expected an engine of this version, got '${recipe.engine}' on '${recipe.provider}'; choose one with --device`,
  );
}
