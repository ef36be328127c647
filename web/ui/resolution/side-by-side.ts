/** One seed with every method beside each other: the grid that is asked for. */
import type { ModelView } from '../../services.ts';
import type { BatchBody } from '../api.ts';
import { readSize, sizeTitle } from '../batches/axes.ts';

export type Asked = {
  readonly model: ModelView;
  readonly prompt: string;
  readonly seed: number;
  /** Such as `128x128`. */
  readonly size: string;
};

/** `none` first, then every extension of the model. */
export const methodsOf = ({ sampling }: ModelView): string[] =>
  sampling.kind === 'diffusion'
    ? ['none', ...sampling.extensions.map(({ name }) => name).filter((name) => name !== 'none')]
    : [];

export function sideBySide({ model, prompt, seed, size }: Asked): BatchBody {
  const sides = readSize(size);
  if (!sides) throw new RangeError(`size: expected sides like 128x128, got '${size}'`);
  return {
    title: `every method at ${sizeTitle(sides)} px, seed ${seed}`,
    grid: {
      base: { model: model.id, seed, size: sides, ...(prompt.trim() !== '' && { prompt }) },
      axes: [{ name: 'extension', values: methodsOf(model) }],
    },
  };
}
