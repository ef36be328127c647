/** A training run: its job, its points and sheets; loaded once, then kept true by events. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Point, Progress } from '../../../jobs/job.ts';
import { api, type Job, previewUrl, urls } from '../api.ts';
import { calmly } from '../state/calmly.ts';
import { jobs, onEvent, progress, takeAnswers } from '../state/facts.ts';
import { resets } from '../state/live.ts';
import { joinPoints } from './curve.ts';

/** Between two looks at new points. */
const PAUSE = 2000;
/** Sheets shown, the newest first. */
const SHEETS = 12;

export type Sheet = { readonly step: number; readonly url: string };

export type RunFacts = {
  readonly job: ReadonlySignal<Job | undefined>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  readonly points: Signal<readonly Point[]>;
  readonly sheets: ReadonlySignal<readonly Sheet[]>;
  readonly error: Signal<string | undefined>;
  close(): void;
};

export function openRun(id: string): RunFacts {
  const points = signal<readonly Point[]>([]);
  const kept = signal<readonly Sheet[]>([]);
  const seen = signal<readonly Sheet[]>([]);
  const error = signal<string | undefined>(undefined);
  let closed = false;
  const complainHere = (wrong: Error) => {
    if (!closed) error.value = wrong.message;
  };
  const look = async () => {
    const more = await api.points(id, points.peek().at(-1)?.step);
    if (!closed) points.value = joinPoints(points.peek(), more.points);
  };
  const lookAtSheets = async () => {
    const { images } = await api.images({ job: id, limit: SHEETS });
    if (!closed)
      kept.value = images.map(({ id: picture, index }) => ({
        step: index,
        url: urls.file(picture),
      }));
  };
  const soon = calmly(() => look().catch(complainHere), PAUSE);
  const stopEvents = onEvent((event) => {
    if (event.type === 'progress' && event.job === id) soon();
    if (event.type === 'job' && event.job.id === id) soon();
    if (event.type === 'preview' && event.job === id)
      seen.value = [...seen.value, { step: event.index, url: previewUrl(event.png) }];
    if (event.type === 'picture' && event.picture.job === id) lookAtSheets().catch(complainHere);
  });
  const stopResets = effect(() => {
    resets.value;
    api.job(id).then(({ job }) => takeAnswers([job]), complainHere);
    lookAtSheets().catch(complainHere);
    soon();
  });
  return {
    job: computed(() => jobs.value.get(id)),
    progress: computed(() => progress.value.get(id)),
    sheets: computed(() => newestSheets([...seen.value, ...kept.value])),
    ...{ points, error },
    close() {
      closed = true;
      stopEvents();
      stopResets();
    },
  };
}

/** One a step; what is stored comes before what was only seen. */
export function newestSheets(sheets: readonly Sheet[]): readonly Sheet[] {
  return [...new Map(sheets.map((sheet) => [sheet.step, sheet])).values()]
    .sort((a, b) => b.step - a.step)
    .slice(0, SHEETS);
}

export function useRun(id: string): RunFacts {
  const facts = useMemo(() => openRun(id), [id]);
  useEffect(() => facts.close, [facts]);
  return facts;
}
