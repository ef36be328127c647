/** The models of the server; loaded once, and again after a training has ended. */
import { computed, signal } from '@preact/signals';
import { api, type ModelView } from '../api.ts';
import { onEvent } from './facts.ts';

export const models = signal<readonly ModelView[]>([]);
export const broken = signal<readonly string[]>([]);
export const modelsLoaded = signal(false);

export async function loadModels(): Promise<void> {
  const answer = await api.models();
  models.value = answer.models;
  broken.value = answer.broken;
  modelsLoaded.value = true;
}

export const modelById = computed(
  () => new Map(models.value.map((model) => [model.id, model] as const)),
);

onEvent((event) => {
  if (event.type === 'job' && event.job.kind === 'train' && event.job.state === 'done')
    loadModels().catch(() => {});
});
