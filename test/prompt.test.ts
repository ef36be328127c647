import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchWords } from '../prompt.ts';

const vocabulary = [
  'clothing color=gray',
  'clothing=blazer and sweater',
  'clothing=hoodie',
  'earrings=no',
  'earrings=yes',
  'expression=smile',
  'eye color=brown',
  'eye color=gray',
  'eyes=closed',
  'facial hair type=beard light',
  'facial hair type=full beard',
  'facial hair=no',
  'facial hair=yes',
  'freckles=no',
  'freckles=yes',
  'glasses color=red',
  'glasses type=round',
  'glasses type=sunglasses',
  'glasses=no',
  'glasses=yes',
  'hair color=blonde',
  'hair color=dark red',
  'hair color=red',
  'hair length=long',
  'hair=bun',
  'hair=curly',
  'hair=long',
  'hair=short',
  'mouth=smile',
  'skin color=light',
  'style=avataaars',
  'style=big smile',
  'style=pixel art',
];

/** What matched, as "text -> words", and what did not. */
function read(text: string, words: readonly string[] = vocabulary, options = {}) {
  const { matched, unmatched } = matchWords(text, words, options);
  return {
    matched: matched.map(
      (part) => `${part.text} -> ${part.words.map((id) => words[id]).join(' + ')}`,
    ),
    unmatched: unmatched.map((part) => part.text),
  };
}

describe('a phrase', () => {
  test.each([
    ['avataaars', 'style=avataaars'],
    ['Avataaar', 'style=avataaars'],
    ['avataaars style', 'style=avataaars'],
    ['style: Big-Smile', 'style=big smile'],
    ['bigSmile', 'style=big smile'],
    ['pixelart', 'style=pixel art'],
    ['PIXEL_ART', 'style=pixel art'],
    ['red hair', 'hair color=red'],
    ['hair red', 'hair color=red'],
    ['red hair color', 'hair color=red'],
    ['hair colour red', 'hair color=red'],
    ['red-haired', 'hair color=red'],
    ['dark red hair', 'hair color=dark red'],
    ['blond hair', 'hair color=blonde'],
    ['hair color=red', 'hair color=red'],
    ['Hair Color = RED', 'hair color=red'],
    ['glasses=yes', 'glasses=yes'],
    ['glasses', 'glasses=yes'],
    ['Glasses.', 'glasses=yes'],
    ['no glasses', 'glasses=no'],
    ['without any glasses', 'glasses=no'],
    ['not a dragon glasses', undefined],
    ['no dragon glasses', undefined],
    ['without glasses', 'glasses=no'],
    ['glasses=no', 'glasses=no'],
    ['no beard', 'facial hair=no'],
    ['round glasses', 'glasses=yes + glasses type=round'],
    ['sunglasses', 'glasses=yes + glasses type=sunglasses'],
    ['red glasses', 'glasses=yes + glasses color=red'],
    ['full beard', 'facial hair=yes + facial hair type=full beard'],
    ['beard', 'facial hair=yes + facial hair type=beard light'],
    ['bearded', 'facial hair=yes + facial hair type=beard light'],
    ['a sweater', 'clothing=blazer and sweater'],
    ['blazer and sweater', 'clothing=blazer and sweater'],
    ['grey clothing', 'clothing color=gray'],
    ['freckle', 'freckles=yes'],
    ['long hair', 'hair=long'],
    ['Frisur=kurz', undefined],
    ['hair', undefined], // which of colour, length and cut?
    ['red', undefined], // of what?
    ['light', undefined],
    ['smiley', undefined],
    ['dragon', undefined],
  ])('%j is %j', (text, expected) => {
    const { matched } = read(text);
    expect(matched.map((part) => part.split(' -> ')[1])).toEqual(
      expected === undefined ? [] : [expected],
    );
  });
});

describe('a prompt', () => {
  test('is cut at commas, semicolons and lines', () => {
    expect(read('avataaars, red hair;glasses\nfreckles,,')).toEqual({
      matched: [
        'avataaars -> style=avataaars',
        'red hair -> hair color=red',
        'glasses -> glasses=yes',
        'freckles -> freckles=yes',
      ],
      unmatched: [],
    });
  });

  test('may be a sentence', () => {
    expect(read('an avataaars woman with red hair, wearing round glasses and a hoodie')).toEqual({
      matched: [
        'avataaars -> style=avataaars',
        'red hair -> hair color=red',
        'round glasses -> glasses=yes + glasses type=round',
        'hoodie -> clothing=hoodie',
      ],
      unmatched: ['woman'],
    });
  });

  test('adjectives share a noun', () => {
    expect(read('short curly dark red hair').matched).toEqual([
      'short curly dark red hair -> hair=short + hair=curly + hair color=dark red',
    ]);
    expect(read('polka-dot glasses')).toEqual({
      matched: ['glasses -> glasses=yes'],
      unmatched: ['polka-dot'],
    });
  });

  test('a noun takes the adjective before it, not the one after', () => {
    expect(read('glasses red hair').matched).toEqual([
      'glasses -> glasses=yes',
      'red hair -> hair color=red',
    ]);
  });

  test('"no" reaches as far as its noun', () => {
    expect(read('no glasses no earrings red hair').matched).toEqual([
      'no glasses -> glasses=no',
      'no earrings -> earrings=no',
      'red hair -> hair color=red',
    ]);
  });

  test('brackets give a weight', () => {
    const { matched } = matchWords('avataaars, (red hair, glasses:1.3), (freckles:-1)', vocabulary);
    expect(matched.map(({ text, weight }) => [text, weight])).toEqual([
      ['avataaars', undefined],
      ['red hair', 1.3],
      ['glasses', 1.3],
      ['freckles', -1],
    ]);
  });

  test('nothing is nothing', () => {
    expect(read('')).toEqual({ matched: [], unmatched: [] });
    expect(read(' , ;\n. - ')).toEqual({ matched: [], unmatched: [] });
  });

  test('a very long one is refused', () => {
    expect(() => matchWords('x'.repeat(4001), vocabulary)).toThrow(
      'prompt: expected at most 4000 characters, got 4001',
    );
  });

  test('whatever is said, each part is either matched or not, and comes from the text', () => {
    const token = fc.constantFrom(
      'red',
      'hair',
      'glasses',
      'no',
      'and',
      ',',
      'x',
      'big',
      '(a:2)',
      '=',
      'long',
      'é',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join(' ');
        const { matched, unmatched } = matchWords(text, vocabulary);
        for (const part of [...matched, ...unmatched]) expect(text).toContain(part.text);
        for (const { words } of matched) expect(words.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('words that do not fit the style', () => {
  const id = (word: string) => vocabulary.indexOf(word);
  const fits = (word: number, style: number) =>
    style !== id('style=pixel art') ||
    !['hair=long', 'hair=curly'].some((other) => id(other) === word);

  test('another word of the same meaning is taken', () => {
    expect(read('pixel art, long hair', vocabulary, { fits }).matched[1]).toBe(
      'long hair -> hair length=long',
    );
    expect(read('long hair, pixel art', vocabulary, { fits }).matched[0]).toBe(
      'long hair -> hair length=long',
    );
    expect(read('avataaars, long hair', vocabulary, { fits }).matched[1]).toBe(
      'long hair -> hair=long',
    );
  });

  test('or none', () => {
    expect(read('pixel art, curly hair', vocabulary, { fits }).unmatched).toEqual(['curly hair']);
  });
});

describe('what is near', () => {
  test.each([
    ['glases', 'glasses=yes'],
    ['frekles', 'freckles=yes'],
    ['avatars', 'style=avataaars'],
    ['hair color=redd', 'hair color=red'],
    ['blue hair', 'hair=bun'],
    ['red', 'glasses color=red'],
    ['hair', 'hair color=blonde'],
    ['red eyes', 'eye color=brown'],
  ])('%j suggests %j', (text, first) => {
    const { unmatched } = matchWords(text, vocabulary);
    expect(unmatched[0]!.nearest[0]).toBe(first);
    expect(unmatched[0]!.nearest.length).toBeLessThanOrEqual(3);
  });

  test('nothing, where nothing is', () => {
    expect(matchWords('photograph', vocabulary).unmatched).toEqual([
      { text: 'photograph', nearest: [] },
    ]);
  });
});

describe('other vocabularies', () => {
  test('without yes and no: the only attribute of a noun takes its first value, "no" its none', () => {
    const words = ['glasses=none', 'glasses=round', 'glasses=square'];
    expect(read('glasses', words).matched).toEqual(['glasses -> glasses=round']);
    expect(read('no glasses', words).matched).toEqual(['no glasses -> glasses=none']);
    expect(read('square glasses', words).matched).toEqual(['square glasses -> glasses=square']);
  });

  test('of plain words', () => {
    expect(read('grinning face, cat', ['grinning face', 'cat', 'dog']).matched).toEqual([
      'grinning face -> grinning face',
      'cat -> cat',
    ]);
  });

  test('with an equals sign or a strange name in a value', () => {
    expect(read('sum=a=b', ['sum=a=b', '__proto__=x']).matched).toEqual(['sum=a=b -> sum=a=b']);
    expect(read('x', ['sum=a=b', '__proto__=x']).matched).toEqual(['x -> __proto__=x']);
  });

  test('empty', () => {
    expect(matchWords('red hair', [])).toEqual({
      matched: [],
      unmatched: [{ text: 'red hair', nearest: [] }],
    });
  });
});

describe('words that differ by one letter', () => {
  test('are told apart where they are spelt out', () => {
    const vocabulary = ['gesture=wave long arm', 'gesture=wave long arms'];
    for (const [id, word] of vocabulary.entries())
      expect(matchWords(word, vocabulary).matched).toEqual([{ text: word, words: [id] }]);
  });
});
