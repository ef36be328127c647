/** The gallery's list: loaded from its beginning, page by page, as far as someone looks. */
import { batch, signal } from '@preact/signals';
import { api, type ImagesQuery, type StoredPicture } from '../api.ts';
import { onEvent } from './facts.ts';

export const list = signal<readonly StoredPicture[]>([]);
export const total = signal<number | undefined>(undefined);
/** Pictures that were finished since the list was loaded. */
export const fresh = signal(0);
export const fault = signal<Error | undefined>(undefined);

const PAGE = 200;
const LARGE_PAGE = 500;

let query: ImagesQuery = {};
let next: string | undefined;
let loading: AbortController | undefined;
let wanted = 0;

/** Begins anew. Rows stay in sight until the first page is here. */
export async function openGallery(wants: ImagesQuery): Promise<void> {
  query = wants;
  next = undefined;
  wanted = PAGE;
  loading?.abort();
  loading = undefined;
  await load(true);
}

/** Loads on until `index` is known. */
export function want(index: number): void {
  wanted = Math.max(wanted, Math.min(index + PAGE, total.value ?? 0));
  if (!loading) void load(false);
}

async function load(isFirst: boolean): Promise<void> {
  const abort = new AbortController();
  loading = abort;
  try {
    for (let first = isFirst; first || (next !== undefined && list.value.length < wanted); ) {
      const limit = first || wanted - list.value.length <= PAGE ? PAGE : LARGE_PAGE;
      const after = first ? undefined : next;
      const page = await api.images({ ...query, limit, ...(after && { after }) }, abort.signal);
      if (abort.signal.aborted) return;
      batch(() => {
        list.value = first ? page.images : merged(list.value, page.images);
        total.value = page.total;
        fault.value = undefined;
        if (first) fresh.value = 0;
      });
      next = page.next;
      first = false;
    }
  } catch (error) {
    if (!abort.signal.aborted) fault.value = error as Error;
  } finally {
    if (loading === abort) loading = undefined;
  }
}

function merged(
  before: readonly StoredPicture[],
  after: readonly StoredPicture[],
): readonly StoredPicture[] {
  const known = new Set(before.map(({ id }) => id));
  return [...before, ...after.filter(({ id }) => !known.has(id))];
}

function drop(ids: ReadonlySet<string>): void {
  const left = list.value.filter(({ id }) => !ids.has(id));
  if (left.length === list.value.length) return;
  batch(() => {
    total.value = Math.max(0, (total.value ?? 0) - (list.value.length - left.length));
    list.value = left;
  });
}

/** Back where it was, by its time. */
function insert(picture: StoredPicture): void {
  if (list.value.some(({ id }) => id === picture.id)) return;
  const isAfter = (other: StoredPicture) =>
    query.order === 'oldest'
      ? other.createdAt > picture.createdAt
      : other.createdAt < picture.createdAt;
  const at = list.value.findIndex(isAfter);
  const place = at < 0 ? list.value.length : at;
  batch(() => {
    list.value = list.value.toSpliced(place, 0, picture);
    total.value = (total.value ?? 0) + 1;
  });
}

/** Deleted while they were in the list: an undo, here or in another window, brings them back. */
const gone = new Set<string>();

onEvent((event) => {
  if (total.value === undefined) return;
  if (event.type === 'deleted') {
    if (list.value.some(({ id }) => id === event.picture)) gone.add(event.picture);
    drop(new Set([event.picture]));
  }
  if (event.type !== 'picture' || list.value.some(({ id }) => id === event.picture.id)) return;
  if (gone.delete(event.picture.id)) insert(event.picture);
  else fresh.value++;
});
