/** What a card says of its weights, in words. */
import type { AnyCard } from '../generators/token-model.ts';
import { parametersOf } from '../pipelines/describe.ts';

/** "7.3 million", by the shapes that the card says. */
export const millions = (card: AnyCard): string =>
  `${(parametersOf(card) / 1e6).toPrecision(2)} million`;

/** "192,000". */
export const grouped = (count: number): string => count.toLocaleString('en-US');

/** "trained on `avatars` at 64 x 64 px (192,000 pictures, 5.3 hours)"; of the last, what is known. */
export function trainedWords({ data, trained, training }: AnyCard): string {
  const hours = training?.hours === undefined ? '' : `, ${training.hours} hours`;
  const seen = training ? ` (${grouped(training.pictures)} pictures${hours})` : '';
  return `trained on \`${data}\` at ${trained.width} x ${trained.height} px${seen}`;
}
