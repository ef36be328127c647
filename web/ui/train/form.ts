/** What the form of a new run holds: the text of its configuration, which survives a reload. */
import { computed, signal } from '@preact/signals';
import { call } from '../api.ts';
import { models } from '../state/models.ts';
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

/** A copy under a name that no model has. */
export function begin(config: Config): void {
  const taken = models.value.map(({ id }) => id);
  text.value = writeConfig({ ...config, name: freshName(String(config.name ?? 'run'), taken) });
}

/** `avatars`, or where a model has that name `avatars-2`, then `avatars-3`. */
export function freshName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  const found = /^(.*)-(\d+)$/.exec(name);
  return freshName(found ? `${found[1]}-${Number(found[2]) + 1}` : `${name}-2`, taken);
}

export function change(path: string, value: unknown): void {
  if ('config' in read.value) text.value = writeConfig(withValue(read.value.config, path, value));
}
