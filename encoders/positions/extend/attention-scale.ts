/**
 * Attention scaling: a softmax over more tokens than trained is flatter, which a factor of the logits
 * mends. It joins any extension of frequencies, and models without a rotation.
 *
 * Options: `law`, and `factor` (1), which multiplies it:
 * - 'tokens': sqrt(ln N / ln N_trained) of numbers of tokens, the proportional attention of Lumina-Next
 *   (Zhuo et al. 2024) and the default of HeadScale (bias/head-scale.ts);
 * - 'fit-side': ln(2 max(H, W)) / ln L, and 'fit-area': ln(2 H W) / ln L^2, FiT's ntk-aware-pro1 and
 *   -pro2 (Lu et al. 2024), L the trained side. Its code doubles the size, so they are above 1 on the
 *   trained grid already; kept as it is;
 * - 'none': the factor alone.
 * Ours: on grids of no more tokens than trained, 'tokens' and 'none' are 1.
 */
import type { ExtendMethod, Where } from '../contract.ts';
import { extentOf } from '../grid.ts';

type Sides = Pick<Where, 'grid' | 'trained'>;

/** sqrt(ln N / ln N_trained), 1 on grids of no more tokens than trained. */
export function tokensLaw({ grid, trained }: Sides): number {
  const [now, before] = [areaOf(grid), areaOf(trained)];
  if (now <= before) return 1;
  if (before > 1) return Math.sqrt(Math.log(now) / Math.log(before));
  throw new RangeError(
    "attention scale: expected a trained grid of more than one token for the law 'tokens', got 1",
  );
}

const areaOf = (grid: Where['grid']): number => {
  const { height, width } = extentOf(grid);
  return height * width;
};

/** FiT's proportion of a length to the trained one, which it takes twice as long. */
const proportion = (length: number, trained: number): number =>
  2 * length > trained ? Math.log(2 * length) / Math.log(trained) : 1;

const LAWS: Readonly<Record<string, (where: Sides, factor: number) => number>> = {
  tokens: (where, factor) => (larger(where) ? factor * tokensLaw(where) : 1),
  'fit-side': ({ grid, trained }, factor) => factor * proportion(longest(grid), longest(trained)),
  'fit-area': ({ grid, trained }, factor) =>
    factor * proportion(areaOf(grid), longest(trained) ** 2),
  none: (where, factor) => (larger(where) ? factor : 1),
};

const larger = ({ grid, trained }: Sides): boolean => areaOf(grid) > areaOf(trained);

const longest = (grid: Where['grid']): number => {
  const { height, width } = extentOf(grid);
  return Math.max(height, width);
};

export const attentionScale: ExtendMethod = {
  hook: 'extend',
  name: 'attention-scale',
  of: 'logits',
  timed: false,
  reducesTo: "nothing on the trained grid, but for FiT's laws",
  options: { law: ['tokens', 'fit-side', 'fit-area', 'none'], factor: 1 },
  extend: ({ where, options, frequencies, coordinates, logitScale }) => ({
    frequencies,
    coordinates,
    logitScale: logitScale * LAWS[String(options.law)]!(where, Number(options.factor)),
  }),
};
