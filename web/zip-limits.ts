/** What one archive of the gallery holds; the page says so before it asks. */

/** Pictures of a search. */
export const MOST_PICTURES = 10_000;
/** Pictures by their ids, which stand in an address of at most 16 KiB. */
export const MOST_IDS = 200;
