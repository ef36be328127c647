/** Names close to a misspelt one, for error messages. */

/**
 * Edit distance with transpositions of neighbours (Damerau 1964; Levenshtein 1966), in the restricted
 * form in which no part is edited twice.
 */
export function editDistance(a: string, b: string): number {
  const [m, n] = [a.length, b.length];
  let [older, old, row] = [0, 0, 0].map(() => new Uint16Array(n + 1)) as [
    Uint16Array,
    Uint16Array,
    Uint16Array,
  ];
  for (let j = 0; j <= n; j++) row[j] = j;
  for (let i = 1; i <= m; i++) {
    [older, old, row] = [old, row, older];
    row[0] = i;
    for (let j = 1; j <= n; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(old[j]! + 1, row[j - 1]! + 1, old[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, older[j - 2]! + 1);
      row[j] = best;
    }
  }
  return row[n]!;
}

/**
 * Up to `count` of `names`, nearest first, ties in the order given. Letter case, spaces, hyphens and
 * underscores do not count; a name that needs more than a third of its letters changed is not near.
 */
export function nearest(name: string, names: readonly string[], { count = 3 } = {}): string[] {
  const plain = (text: string) => text.toLowerCase().replace(/[\s_-]+/g, '');
  const wanted = plain(name.slice(0, 100));
  return names
    .map((candidate) => {
      const other = plain(candidate);
      const limit = Math.ceil(Math.max(wanted.length, other.length) / 3);
      const hopeless = Math.abs(wanted.length - other.length) > limit;
      const distance = hopeless ? Number.POSITIVE_INFINITY : editDistance(wanted, other);
      return { candidate, distance, limit };
    })
    .filter(({ distance, limit }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}
