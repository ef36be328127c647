/** Sum of weight * array, accumulated in float64 and rounded once; a weight of 0 hides its array. */
export function weightedSum(
  ...terms: readonly (readonly [weight: number, values: Float32Array])[]
): Float32Array {
  const used = terms.filter(([weight]) => weight !== 0);
  const length = terms[0]?.[1].length ?? 0;
  const sum = new Float64Array(length);
  for (const [weight, values] of used) {
    if (values.length !== length)
      throw new RangeError(`weightedSum: expected ${length} values, got ${values.length}`);
    for (let i = 0; i < length; i++) sum[i] = sum[i]! + weight * values[i]!;
  }
  return Float32Array.from(sum);
}
