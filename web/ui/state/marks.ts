/** Two pictures marked for comparing, on whatever page they were seen. */
import { go } from './router.ts';
import { stored } from './storage.ts';

export const marks = stored<readonly string[]>('marks', [], (value) =>
  Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [],
);

export const isMarked = (id: string): boolean => marks.value.includes(id);

export function toggleMark(id: string): void {
  marks.value = isMarked(id) ? marks.value.filter((other) => other !== id) : [...marks.value, id];
}

/** The key C: marks the picture; with the second mark the slider opens. */
export function markAndCompare(id: string): void {
  toggleMark(id);
  if (marks.value.length === 2) compareMarked();
}

export const compareMarked = (): void => go(`/gallery?compare=${marks.value.slice(-2).join(',')}`);
