/** Generate as it stands: the form, the renders asked for here, the one in view, and the picture chosen in it. */
import { batch, computed, signal } from '@preact/signals';
import { isEnded } from '../../../jobs/state.ts';
import { ApiError, api, type Draft, type Job, type StoredPicture } from '../api.ts';
import { draftOf } from './draft.ts';
import { jobs, onEvent, picturesOf, progress, take, takeAnswers, takePictures } from './facts.ts';
import { afterRender, anySeed, type Form, formFor, readForm } from './form.ts';
import { lexiconOf, type Reading, readPrompt } from './lexicon.ts';
import { loaded } from './live.ts';
import { modelById, models } from './models.ts';
import { problemsOf } from './problems.ts';
import { stored } from './storage.ts';
import { announce, toast } from './toasts.ts';
import { duration, plural } from './words.ts';

const kept = stored<unknown>('form', undefined, (value) => value);
const keptModel = computed(() => (kept.value as Partial<Form> | undefined)?.model);
export const model = computed(() => modelById.value.get(keptModel.value ?? '') ?? models.value[0]);
export const form = computed(() => model.value && readForm(kept.value, model.value));

export function change(part: Partial<Form>): void {
  if (form.value) kept.value = { ...form.value, ...part };
}
export function setForm(next: Form): void {
  kept.value = next;
}
export function chooseModel(id: string): void {
  const next = modelById.value.get(id);
  if (next) kept.value = formFor(next, form.value);
}

/** What the model makes of the prompts. */
export const reading = computed(() => read((now) => now.prompt));
export const negativeReading = computed(() => read((now) => now.negative));
function read(text: (form: Form) => string): Reading | { readonly fault: string } {
  if (!form.value || !model.value) return { chips: [], unknown: [] };
  try {
    return readPrompt(lexiconOf(model.value), text(form.value));
  } catch (error) {
    return { fault: (error as Error).message };
  }
}
export const style = computed(() => ('fault' in reading.value ? undefined : reading.value.style));
export const problems = computed(() =>
  form.value && model.value ? problemsOf(form.value, model.value) : [],
);
/** The prompt says something that the model has no word for. */
export const isUnclear = computed(() =>
  [reading.value, negativeReading.value].some((now) => 'fault' in now || now.unknown.length > 0),
);

/** Ids of renders asked for in this browser, oldest first. */
export const renders = stored<readonly string[]>('renders', [], (value) =>
  Array.isArray(value) ? value.filter((id) => typeof id === 'string').slice(-MOST_RENDERS) : [],
);
const MOST_RENDERS = 30;
const viewId = stored<string>('render', '', (value) => String(value));
/** Index of the chosen picture; none while the picture being drawn is shown. */
export const chosen = stored<number | undefined>('chosen', undefined, (value) =>
  typeof value === 'number' ? value : undefined,
);

export const viewed = computed<Job | undefined>(() => jobs.value.get(viewId.value));
export const viewedPictures = computed(() => (viewed.value ? picturesOf(viewed.value.id) : []));
export const viewedProgress = computed(() => progress.value.get(viewId.value));
export const shownPicture = computed<StoredPicture | undefined>(() => {
  const list = viewedPictures.value;
  const pick = list.find(({ index }) => index === chosen.value);
  const isRunning = viewed.value?.state === 'running';
  return pick ?? (isRunning ? undefined : list[0]);
});
/** What was refused, to be shown until the next try. */
export const refusal = signal<ApiError | undefined>(undefined);
export const sending = signal(false);

export function view(id: string): void {
  batch(() => {
    viewId.value = id;
    chosen.value = undefined;
  });
}

/** Loads what the render in view has; called when it changes and after events were missed. */
export async function loadViewed(): Promise<void> {
  if (!loaded.value) return;
  const id = viewId.value || renderOfServer()?.id;
  if (!id) return;
  viewId.value = id;
  try {
    const [answer, page] = await Promise.all([api.job(id), api.images({ job: id, limit: 200 })]);
    batch(() => {
      takeAnswers([answer.job]);
      takePictures(page.images);
      if (answer.progress && answer.job.state === 'running')
        take([{ type: 'progress', job: id, progress: answer.progress }]);
    });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) viewId.value = '';
    else throw error;
  }
}

/** A visitor without a memory of this page sees the render that is going on, or the last one. */
function renderOfServer(): Job | undefined {
  const list = [...jobs.value.values()].filter(({ kind }) => kind === 'render');
  const newest = list.sort((a, b) => b.createdAt - a.createdAt);
  return newest.find(({ state }) => state === 'running') ?? newest[0];
}

/** Sends the form, or says what is wrong with it. A running render is not disturbed: this one queues. */
export async function generate(): Promise<void> {
  if (!form.value || !model.value || sending.value) return;
  if (problems.value.length > 0 || isUnclear.value) {
    announce('Not sent: a setting needs your attention.');
    return;
  }
  if (form.value.next === 'random') change({ seed: anySeed() });
  const sent = form.value;
  await send(draftOf(sent, model.value));
  if (!refusal.value) setForm(afterRender(sent));
}

export async function send(draft: Draft): Promise<void> {
  batch(() => {
    sending.value = true;
    refusal.value = undefined;
  });
  try {
    const { job } = await api.render(draft);
    const isBusy = viewed.value?.state === 'running' || viewed.value?.state === 'waiting';
    batch(() => {
      takeAnswers([job]);
      renders.value = [...renders.value.filter((id) => id !== job.id), job.id].slice(-MOST_RENDERS);
      if (!isBusy) view(job.id);
    });
    if (isBusy)
      toast(`Queued: ${plural(job.total, 'picture')} after this render.`, {
        action: { label: 'Show', run: () => view(job.id) },
      });
  } catch (error) {
    refusal.value = error instanceof ApiError ? error : new ApiError(String(error));
  } finally {
    sending.value = false;
  }
}

/** A render that ended hands the view to the next one asked for here, unless a picture was chosen. */
onEvent((event) => {
  if (event.type !== 'job' || event.job.id !== viewId.value || !isEnded(event.job.state)) return;
  const { job } = event;
  if (job.state === 'done') {
    const seconds = ((job.finishedAt ?? Date.now()) - (job.startedAt ?? job.createdAt)) / 1000;
    announce(`${plural(job.done, 'picture')} done in ${duration(seconds)}`);
  }
  const next = renders.value[renders.value.indexOf(job.id) + 1];
  if (next !== undefined && chosen.value === undefined && job.state === 'done') view(next);
});

/** Seconds that the form's render takes, by the last one like it; unknown without one. */
export const estimate = computed(() => {
  const now = form.value;
  if (!now) return undefined;
  const alike = [...jobs.value.values()].findLast(({ state, input }) => {
    if (state !== 'done' || input.kind !== 'render') return false;
    const { model: id, size, sampling } = input.request;
    return (
      id === now.model &&
      size.width * size.height === now.width * now.height &&
      (sampling.kind === 'diffusion'
        ? sampling.solver === now.solver && sampling.steps === now.steps
        : sampling.decoder === now.decoder)
    );
  });
  if (!alike?.startedAt || !alike.finishedAt || alike.done === 0) return undefined;
  return ((alike.finishedAt - alike.startedAt) / 1000 / alike.done) * now.count;
});
