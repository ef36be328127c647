/** A WHERE clause whose values are parameters, put together from what a query names. */

export type Conditions = ReturnType<typeof createConditions>;

export function createConditions() {
  const parts: string[] = [];
  const params: unknown[] = [];
  /** The placeholder of a value. */
  const put = (value: unknown): string => `$${params.push(value)}`;
  return {
    params,
    put,
    /** Writes each `?` as the next value's placeholder. */
    add(part: string, ...values: unknown[]): void {
      const left = [...values];
      parts.push(part.replace(/\?/g, () => put(left.shift())));
    },
    where: (): string => (parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : ''),
  };
}
