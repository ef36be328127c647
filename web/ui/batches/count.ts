/** What a batch would make, asked of the server after 400 ms of quiet; nothing is started by it. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, api, type BatchBody, type BatchCount } from '../api.ts';
import { file, grid, model, source, title } from './form.ts';

const QUIET = 400;

/** What can be counted and started: a body, or the rows of a file as they are. */
export type Asked =
  | { readonly kind: 'body'; readonly body: BatchBody }
  | {
      readonly kind: 'rows';
      readonly text: string;
      readonly type: 'text/csv' | 'application/x-ndjson';
      readonly about: { readonly title: string; readonly model: string };
    };

/** From the form; a sentence where a file cannot be read, nothing where none was chosen. */
export function askedOf(): Asked | string | undefined {
  if (!model.value) return undefined;
  if (source.value === 'grid') return grid.value && { kind: 'body', body: grid.value };
  const chosen = file.value;
  if (!chosen) return undefined;
  const about = { title: title.value.trim() || chosen.name, model: model.value.id };
  if (chosen.source === 'json') return bodyOf(chosen.text, about);
  const type = chosen.source === 'csv' ? 'text/csv' : 'application/x-ndjson';
  return { kind: 'rows', text: chosen.text, type, about };
}

/** A list of drafts, or what "Save as JSON" wrote. The model chosen stands where a draft names none. */
export function bodyOf(
  text: string,
  about: { readonly title: string; readonly model: string },
): Asked | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `file: ${(error as Error).message}`;
  }
  const inner = Array.isArray(value) ? { requests: value } : (value as Record<string, unknown>);
  const { requests, grid, title: own } = inner ?? {};
  const named = { title: typeof own === 'string' && own ? own : about.title };
  if (grid !== null && typeof grid === 'object')
    return { kind: 'body', body: { ...named, grid } as BatchBody };
  if (!Array.isArray(requests))
    return "file: expected a list of requests, or an object with 'requests' or 'grid', got neither";
  const filled = requests.map((draft) => ({ model: about.model, ...draft }));
  return { kind: 'body', body: { ...named, requests: filled } };
}

const count = (asked: Asked): Promise<BatchCount> =>
  asked.kind === 'body'
    ? api.countBatch(asked.body)
    : api.countFile(asked.text, asked.type, asked.about);

export const start = (asked: Asked) =>
  asked.kind === 'body'
    ? api.batch(asked.body)
    : api.batchFile(asked.text, asked.type, asked.about);

export type Counted = {
  readonly asked?: Asked;
  readonly count?: BatchCount;
  readonly error?: { readonly message: string; readonly field?: string | undefined };
  /** The form has changed since. */
  readonly stale: boolean;
};

/** The latest count, and whether it still is that of the form. */
export function useCount(): Counted {
  const asked = askedOf();
  const key = typeof asked === 'string' ? asked : JSON.stringify(asked);
  const [known, setKnown] = useState<Counted & { key?: string | undefined }>({ stale: true });
  useEffect(() => {
    if (asked === undefined || typeof asked === 'string') return;
    let gone = false;
    const settle = (what: Omit<Counted, 'stale'>) => {
      if (!gone) setKnown({ ...what, asked, key, stale: false });
    };
    const timer = setTimeout(() => {
      count(asked).then(
        (found) => settle({ count: found }),
        (error: Error) =>
          settle({
            error: {
              message: error.message,
              field: error instanceof ApiError ? error.field : undefined,
            },
          }),
      );
    }, QUIET);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key]);
  if (typeof asked === 'string') return { error: { message: asked }, stale: false };
  if (asked === undefined) return { stale: false };
  const { key: known_, ...rest } = known;
  return { ...rest, stale: known_ !== key };
}

/** Reasons that combinations are left out for, the commonest first. */
export function droppedByReason(
  dropped: BatchCount['dropped'],
): { readonly reason: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { reason } of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count);
}
