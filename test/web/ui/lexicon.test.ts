/** The model's words as the page says them, against the reader of prompts and the shipped model's vocabulary. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matchWords } from '../../../prompt.ts';
import {
  accept,
  complete,
  lexiconOf,
  phraseAt,
  promptOf,
  readPrompt,
  styleAt,
  withAttribute,
  withoutPart,
} from '../../../web/ui/state/lexicon.ts';

const card = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../models/avatars/model.json'), 'utf8'),
) as { vocabulary: string[]; styles: Record<string, string[]> };
const shipped = lexiconOf(card);
const small = lexiconOf({
  vocabulary: [
    ...['style=pixel art', 'style=micah', 'hair color=red', 'hair color=blue', 'hat color=red'],
    ...['glasses=yes', 'glasses=no', 'glasses type=round', 'hair length=long'],
  ],
  styles: { 'style=micah': ['hair color=red', 'hair color=blue', 'glasses=yes', 'glasses=no'] },
});
const id = (word: string) => small.model.vocabulary.indexOf(word);

describe('phrases', () => {
  it('are read as their word, last, for every word of the shipped model', () => {
    const wrong = card.vocabulary.filter((_, word) => {
      const { matched, unmatched } = matchWords(shipped.phrases[word]!, card.vocabulary);
      return unmatched.length > 0 || matched.at(-1)?.words.at(-1) !== word;
    });
    expect(wrong).toEqual([]);
  });

  it('are what people say', () => {
    expect(small.phrases).toEqual([
      ...['pixel art', 'micah', 'red hair', 'blue hair', 'red hat'],
      ...['glasses', 'no glasses', 'round glasses', 'long hair'],
    ]);
  });
});

describe('complete', () => {
  const texts = (text: string, style?: number) =>
    complete(small, text, text.length, { style }).map((suggestion) => suggestion.text);

  it('puts what begins so first, then what has a word that begins so', () => {
    expect(texts('ha')).toEqual(['red hat', 'red hair', 'blue hair', 'long hair']);
    expect(texts('red')).toEqual(['red hat', 'red hair']);
    expect(texts('glasses ro')).toEqual(['round glasses']);
  });

  it('looks at the phrase that the caret is in, and says nothing of an empty one', () => {
    expect(texts('micah, glas')).toEqual(['glasses', 'no glasses', 'round glasses']);
    expect(texts('micah, ')).toEqual([]);
    expect(phraseAt('red hair,  blu', 14)).toEqual({ from: 11, said: 'blu' });
  });

  it('offers only what the style can draw', () => {
    expect(texts('red', id('style=micah'))).toEqual(['red hair']);
    expect(texts('round', id('style=micah'))).toEqual([]);
  });

  it('marks what was typed', () => {
    expect(complete(small, 'red', 3)[0]?.mark).toEqual([0, 3]);
    expect(complete(small, 'hat', 3)[0]?.mark).toEqual([4, 7]);
  });
});

describe('accept', () => {
  it('replaces the phrase and is ready for the next', () => {
    expect(accept('micah, re', 9, 'red hair')).toEqual({ text: 'micah, red hair, ', caret: 17 });
  });
  it('keeps what follows', () => {
    expect(accept('re, glasses', 2, 'red hair')).toEqual({ text: 'red hair, glasses', caret: 8 });
    expect(accept('reddish, glasses', 3, 'red hair').text).toBe('red hair, glasses');
  });
});

describe('readPrompt', () => {
  it('finds the style, and reports what the style cannot have', () => {
    const { style, unknown } = readPrompt(small, 'micah, round glasses');
    expect(style).toBe(id('style=micah'));
    expect(unknown.map(({ text }) => text)).toEqual(['round']);
  });
});

describe('styleAt', () => {
  it('is that of the line with the caret', () => {
    const text = 'micah, red hair\nblue hair\npixel art, red';
    const at = (caret: number) => styleAt(small, text, caret);
    const [first, second] = [text.indexOf('\n'), text.lastIndexOf('\n')];
    expect([at(0), at(first)]).toEqual([id('style=micah'), id('style=micah')]);
    expect([at(first + 1), at(second)]).toEqual([undefined, undefined]);
    expect([at(second + 1), at(text.length)]).toEqual(Array(2).fill(id('style=pixel art')));
  });
  it('is none where the line is too long to be a prompt', () => {
    const text = `pixel art, ${'red hair, '.repeat(400)}`;
    expect(() => readPrompt(small, text)).toThrow('expected');
    expect(styleAt(small, text, 4)).toBeUndefined();
  });
});

describe('withoutPart', () => {
  it('takes a part and its comma away, wherever it stands', () => {
    expect(withoutPart('red hair, glasses', 'red hair')).toBe('glasses');
    expect(withoutPart('micah, red hair, glasses', 'red hair')).toBe('micah, glasses');
    expect(withoutPart('micah, (red hair:1.3)', 'red hair')).toBe('micah');
  });
  it('does not cut words in two, nor read the part as a pattern', () => {
    expect(withoutPart('reddish hair, red', 'red')).toBe('reddish hair');
    expect(withoutPart('a.b, axb', 'a.b')).toBe('axb');
  });
});

describe('withAttribute', () => {
  it('says one thing of an attribute in place of another', () => {
    const blue = id('hair color=blue');
    expect(withAttribute(small, 'micah, red hair', 'hair color', blue)).toBe('micah, blue hair');
    expect(withAttribute(small, 'micah, red hair', 'hair color', undefined)).toBe('micah');
  });
  it('puts the style first', () => {
    const pixels = id('style=pixel art');
    expect(withAttribute(small, 'red hair', 'style', pixels)).toBe('pixel art, red hair');
    expect(withAttribute(small, 'micah, red hair', 'style', pixels)).toBe('pixel art, red hair');
  });
});

describe('promptOf', () => {
  it('is read back as the same words and weights', () => {
    const condition = ['style=pixel art', { word: 'hair color=red', weight: 1.3 }, 'glasses=no'];
    const text = promptOf(small, condition);
    expect(text).toBe('pixel art, (red hair:1.3), no glasses');
    const { matched } = matchWords(text, small.model.vocabulary);
    expect(matched.map(({ words, weight }) => [words.at(-1), weight])).toEqual([
      [id('style=pixel art'), undefined],
      [id('hair color=red'), 1.3],
      [id('glasses=no'), undefined],
    ]);
  });
});
