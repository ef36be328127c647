/** Devices as options and recipes name them. */
import { openDevice as open } from '../tensor/device.ts';
import type { Engine } from '../tensor/program.ts';
import { type Context, userCache } from './context.ts';
import { DEVICES, type Device } from './options.ts';

export type DeviceOptions = { readonly device: Device; readonly threads?: number };

export const openDevice = (
  { device, threads }: DeviceOptions,
  context: Pick<Context, 'env'>,
): Promise<Engine> =>
  open({
    ...{ device, cache: userCache(context) },
    ...(threads === undefined ? {} : { threads }),
  });

/** The device on which a recipe's picture was made. */
export function deviceOf(recipe: { readonly engine: string; readonly provider: string }): Device {
  const name = recipe.engine === 'onnx' ? recipe.provider : recipe.engine;
  const device = DEVICES.find((known) => known === name);
  if (device) return device;
  throw new RangeError(
    `recipe: expected an engine of this version, got '${recipe.engine}' on '${recipe.provider}'; choose one with --device`,
  );
}
