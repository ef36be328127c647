import { describe, expect, test } from 'vitest';
import { besideRows, checkBeside } from '../../evaluation/beside.ts';
import { besideSection } from '../../evaluation/model-readme.ts';
import type { ModelCard } from '../../generators/model.ts';
import { tinyCard } from '../pipelines/tiny-model.ts';

const card = (changes: Partial<ModelCard>): ModelCard =>
  ({ ...tinyCard({ data: 'avatars' }), digest: 'a'.repeat(64), ...changes }) as ModelCard;
const mine = card({
  id: 'mine',
  training: { pictures: 192_000, hours: 5.3 },
  numbers: {
    ...{ samples: 1000, 'style relative to real': 0.996, 'attributes relative to real': 0.6436 },
    ...{ 'KID in mixed7': 0.000131, 'KID, standard error': 0.00001222, 'KID, pictures': 1000 },
  },
});
const other = card({
  id: 'other',
  training: { pictures: 802_000 },
  numbers: {
    ...{ samples: 2000, 'attributes relative to real': 0.9395 },
    'held-out combinations relative to real': 0.8881,
  },
});

describe('models side by side', () => {
  test('what their cards say, and what one of them does not', () => {
    expect(besideRows([mine, other])).toEqual([
      ['', 'mine', 'other'],
      ['weights', expect.stringMatching(/^0\.\d+ million$/), expect.stringContaining('million')],
      ['pictures of training', '192,000', '802,000'],
      ['hours of training', '5.3', 'not recorded'],
      ['style found, relative to real', '0.996', 'not recorded'],
      ['attributes found, relative to real', '0.6436', '0.9395'],
      ['held-out combinations found, relative to real', 'not recorded', '0.8881'],
      ['KID in mixed7, x 1000', '0.131 ± 0.01222 (1000 pictures)', 'not recorded'],
      ['pictures measured', '1000', '2000'],
    ]);
    const section = besideSection(mine, other);
    expect(section).toMatch(
      /^## Beside other\n\n\| {2}\| mine \| other \|\n\| --- \| --- \| --- \|\n/,
    );
    expect(section).toContain('\n| hours of training | 5.3 | not recorded |\n');
  });

  test('a distance that only the other has is there too', () => {
    const names = besideRows([other, mine]).map(([name]) => name);
    expect(names).toContain('KID in mixed7, x 1000');
  });

  test.each<[Partial<ModelCard>, string]>([
    [{ numbers: undefined as never }, '`ropewalk evaluate model --model other --record` first'],
    [{ data: 'emoji' }, "expected a model of square avatars, got 'other' of 'emoji'"],
    [{ trained: { height: 32, width: 32 } }, "of 16 px like 'mine', got 'other' of 32"],
  ])('refuses %j', (changes, said) => {
    expect(() => checkBeside(mine, { ...other, ...changes } as ModelCard)).toThrow(said);
  });
});
