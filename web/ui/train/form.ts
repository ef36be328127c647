/** What the form of a new run holds: the text of its configuration, which survives a reload. */
import { computed, signal } from '@preact/signals';
import { call } from '../api.ts';
import { stored } from '../state/storage.ts';
import { type Config, readConfig, withValue, writeConfig } from './config.ts';

const asText = (value: unknown) => (typeof value === 'string' ? value : '');

export const text = stored('train.text', '', asText);
/** A model whose weights the run begins from; empty: fresh ones. */
export const init = stored('train.init', '', asText);
export const read = computed(() => readConfig(text.value));

export type Shipped = { readonly name: string; readonly config: Config };
export const shipped = signal<readonly Shipped[]>([]);

/** Also begins with the first one where nothing was written yet. */
export async function loadShipped(): Promise<void> {
  const { configs } = await call<{ configs: readonly Shipped[] }>('GET', '/train/configs');
  shipped.value = configs;
  if (text.value === '' && configs[0]) begin(configs[0].config);
}

/** A copy under a name of its own, so that it does not go on with the run that it was taken from. */
export function begin(config: Config): void {
  text.value = writeConfig({ ...config, name: freshName(String(config.name ?? 'run')) });
}

/** `avatars` becomes `avatars-2`, that `avatars-3`. */
export function freshName(name: string): string {
  const found = /^(.*)-(\d+)$/.exec(name);
  return found ? `${found[1]}-${Number(found[2]) + 1}` : `${name}-2`;
}

export function change(path: string, value: unknown): void {
  if ('config' in read.value) text.value = writeConfig(withValue(read.value.config, path, value));
}
