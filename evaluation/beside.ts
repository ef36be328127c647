/** What two models' cards say of their training and of what was measured, side by side. */
import type { AnyCard } from '../generators/token-model.ts';
import { grouped, millions } from './card-words.ts';
import { checkAvatars } from './model-session.ts';

/** Throws unless the other model's numbers are of the same pictures as this one's will be. */
export function checkBeside(card: AnyCard, other: AnyCard): void {
  checkAvatars(other);
  if (other.numbers === undefined)
    throw new RangeError(
      `beside: expected a model with recorded numbers, got '${other.id}' without; run \`ropewalk evaluate model --model ${other.id} --record\` first`,
    );
  if (other.trained.width !== card.trained.width)
    throw new RangeError(
      `beside: expected a model of ${card.trained.width} px like '${card.id}', got '${other.id}' of ${other.trained.width}; their numbers are of other drawings`,
    );
}

/** Rows of a table: a name and a cell a card, the first row with the models' ids. */
export function besideRows(cards: readonly AnyCard[]): string[][] {
  const row = (name: string, cell: (card: AnyCard) => number | string | undefined): string[] => [
    name,
    ...cards.map((card) => `${cell(card) ?? 'not recorded'}`),
  ];
  const recorded = (name: string, key: string) => row(name, ({ numbers }) => numbers?.[key]);
  const distances = cards.flatMap(({ numbers = {} }) =>
    Object.keys(numbers).filter((key) => key.startsWith('KID in ')),
  );
  return [
    row('', ({ id }) => id),
    row('weights', millions),
    row('pictures of training', ({ training }) => training && grouped(training.pictures)),
    row('hours of training', ({ training }) => training?.hours),
    recorded('style found, relative to real', 'style relative to real'),
    recorded('attributes found, relative to real', 'attributes relative to real'),
    recorded('held-out combinations found, relative to real', HELD_OUT),
    ...[...new Set(distances)].map((key) => row(`${key}, x 1000`, (card) => distance(card, key))),
    recorded('pictures measured', 'samples'),
  ];
}
const HELD_OUT = 'held-out combinations relative to real';

/** Times 1000, with its standard error and the number of pictures that it is of. */
function distance({ numbers = {} }: AnyCard, key: string): string | undefined {
  const value = numbers[key];
  if (typeof value !== 'number') return undefined;
  const times = (x: number | string | undefined) => Number((1000 * Number(x)).toPrecision(4));
  return `${times(value)} ± ${times(numbers['KID, standard error'])} (${numbers['KID, pictures']} pictures)`;
}
