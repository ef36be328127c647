/** What is refused of a placement once it is made, in one sentence. */
import type { Chosen } from './choose.ts';
import type { EmbedMethod, Extension } from './contract.ts';
import type { Grid } from './grid.ts';

/** Options far from sense, such as a period of 0, would make pictures of nothing. */
export function finite(name: string, extended: Extension): Extension {
  const { frequencies, coordinates, logitScale } = extended;
  const all = [...frequencies.y, ...frequencies.x, ...coordinates, logitScale];
  const wrong = all.find((value) => !Number.isFinite(value));
  if (wrong === undefined) return extended;
  throw new RangeError(
    `positions.extend '${name}': expected options that give finite frequencies, places and scale, got ${wrong}; change its options`,
  );
}

/** A table of vectors says nothing of places that it has none for. */
export function checkRange(
  { method, options }: Chosen<EmbedMethod>,
  points: Float64Array,
  trained: Grid,
): void {
  const range = method.range?.(trained, options);
  if (!range) return;
  const { height, width } = range;
  const beyond = points.findIndex((at, i) => !(at >= 0 && at < (i % 2 === 0 ? height : width)));
  if (beyond < 0) return;
  throw new RangeError(
    `positions.embed '${method.name}': expected places from 0 to below ${height} for rows and ${width} for columns, the entries of its table, got ${beyond % 2 === 0 ? 'row' : 'column'} ${points[beyond]}; with neighbours 1 apart the largest possible grid is ${height} x ${width}`,
  );
}
