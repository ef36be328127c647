/** How far a batch is, for each size of its pictures. */
import type { Job } from '../api.ts';

export function bySize(
  children: Iterable<Pick<Job, 'input' | 'done'>>,
): { readonly size: string; readonly done: number; readonly total: number }[] {
  const rows = new Map<string, { size: string; pixels: number; done: number; total: number }>();
  for (const { input, done } of children) {
    if (input.kind !== 'render') continue;
    const { size, count } = input.request;
    const { width, height } = size;
    const name = width === height ? `${width} px` : `${width} × ${height}`;
    const row = rows.get(name) ?? { size: name, pixels: width * height, done: 0, total: 0 };
    row.done += done;
    row.total += count;
    rows.set(name, row);
  }
  return [...rows.values()]
    .sort((a, b) => a.pixels - b.pixels)
    .map(({ size, done, total }) => ({ size, done, total }));
}
