/** What the form of a new batch holds; it survives a reload. Files do not: a page may not read them again. */
import { computed, effect, signal } from '@preact/signals';
import { modelById, models } from '../state/models.ts';
import { stored } from '../state/storage.ts';
import { type AxisName, type AxisValues, axesOf, type GridBody, gridOf } from './axes.ts';

export type Source = 'grid' | 'csv' | 'jsonl' | 'json';

const isSource = (value: unknown): value is Source =>
  ['grid', 'csv', 'jsonl', 'json'].includes(value as string);
const text = (value: unknown) => (typeof value === 'string' ? value : '');

export const source = stored<Source>('batch.source', 'grid', (value) =>
  isSource(value) ? value : 'grid',
);
export const title = stored('batch.title', '', text);
export const negative = stored('batch.negative', '', text);
const modelName = stored('batch.model', '', text);

/** Values by model and axis: what was chosen for one model means nothing to another. */
const chosen = stored<Readonly<Record<string, AxisValues>>>('batch.values', {}, (value) =>
  value !== null && typeof value === 'object' ? (value as Record<string, AxisValues>) : {},
);

export const model = computed(() => modelById.value.get(modelName.value) ?? models.value[0]);
export const chooseModel = (id: string): void => {
  modelName.value = id;
};

export const values = computed((): AxisValues => {
  if (!model.value) return {};
  const first = Object.fromEntries(axesOf(model.value).map((axis) => [axis.name, axis.first]));
  return { ...first, ...chosen.value[model.value.id] };
});

export function setValues(axis: AxisName, next: readonly string[]): void {
  if (!model.value) return;
  const { id } = model.value;
  chosen.value = { ...chosen.value, [id]: { ...chosen.value[id], [axis]: [...new Set(next)] } };
}

export const clearValues = (): void => {
  if (model.value) chosen.value = { ...chosen.value, [model.value.id]: {} };
};

export const grid = computed((): GridBody | undefined =>
  model.value
    ? gridOf(model.value, values.value, { title: title.value, negative: negative.value.trim() })
    : undefined,
);

/** A file that was chosen or dropped. */
export type ChosenFile = { readonly name: string; readonly text: string; readonly source: Source };
export const file = signal<ChosenFile | undefined>(undefined);

effect(() => {
  if (source.value === 'grid') file.value = undefined;
});

/** By the name's ending, or what is in it. */
export function sourceOf(name: string, content: string): Source {
  const ending = /\.(csv|jsonl|ndjson|json)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === 'csv' || ending === 'json') return ending;
  if (ending) return 'jsonl';
  const begin = content.trimStart()[0];
  if (begin === '[') return 'json';
  if (begin === '{') return /\}\s*\n\s*\{/.test(content) ? 'jsonl' : 'json';
  return 'csv';
}
