import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { checkSchema } from '../schema.ts';

const exact = { additionalProperties: false } as const;
const LAWS = Array.from({ length: 40 }, (_, i) => `law-${String.fromCharCode(97 + i)}`);
const Schema = Type.Object(
  {
    steps: Type.Integer({ minimum: 1, maximum: 1000, default: 25 }),
    rank: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
    law: Type.Optional(Type.Union(LAWS.map((law) => Type.Literal(law)))),
    rate: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    norm: Type.Optional(Type.Union([Type.Literal('layer'), Type.Literal('rms')])),
    name: Type.Optional(Type.String({ pattern: '^[a-z]+$', description: 'lower-case letters' })),
    size: Type.Optional(Type.Object({ width: Type.Integer() }, exact)),
    words: Type.Optional(
      Type.Array(
        Type.Union([
          Type.String(),
          Type.Object({ word: Type.String(), weight: Type.Number() }, exact),
        ]),
        {
          maxItems: 3,
        },
      ),
    ),
  },
  exact,
);

describe('checkSchema', () => {
  test('fills in defaults and leaves the value as it was', () => {
    const value = { rate: 1 };
    expect(checkSchema(Schema, value, 'config')).toEqual({ rate: 1, steps: 25 });
    expect(value).toEqual({ rate: 1 });
  });

  test.each([
    [{ steps: 0 }, "'steps': expected a whole number from 1 to 1000, got 0"],
    [
      { words: ['a', { word: 'b\0', weight: 1 }] },
      '\'words.1.word\': expected text without the character NUL, got "b\\u0000"',
    ],
    [{ steps: 1.5 }, "'steps': expected a whole number from 1 to 1000, got 1.5"],
    [{ steps: '25' }, '\'steps\': expected a whole number from 1 to 1000, got "25"'],
    [{ rate: 0 }, "'rate': expected a number above 0, got 0"],
    [{ rank: 0 }, "'rank': expected a whole number of at least 1 or null, got 0"],
    [
      { law: 'law-zz' },
      `'law': expected ${LAWS.map((law) => `"${law}"`).join(' or ')}, got "law-zz"; did you mean 'law-z'?`,
    ],
    [{ norm: 'layr' }, '\'norm\': expected "layer" or "rms", got "layr"; did you mean \'layer\'?'],
    [{ norm: 'batchwise' }, '\'norm\': expected "layer" or "rms", got "batchwise"'],
    [{ name: 'A' }, '\'name\': expected lower-case letters, got "A"'],
    [{ stpes: 3 }, "the value: expected no key 'stpes'; did you mean 'steps'?"],
    [{ size: { width: 1, depth: 2 } }, "'size': expected no key 'depth'; known keys are 'width'"],
    [{ size: {} }, "'size': expected 'width', got nothing; add it"],
    [{ size: 64 }, "'size': expected an object, got 64"],
    [{ words: [3] }, "'words.0': expected text or an object, got 3"],
    [{ words: ['a', { word: 'b' }] }, "'words.1': expected 'weight', got nothing; add it"],
    [
      { words: ['a', { word: 'b', weight: 'c' }] },
      '\'words.1.weight\': expected a number, got "c"',
    ],
    [
      { words: ['a', 'b', 'c', 'd'] },
      '\'words\': expected a list of 0 to 3 entries, got ["a","b","c","d"]',
    ],
    [null, 'the value: expected an object, got null'],
    ['x'.repeat(200), `the value: expected an object, got "${'x'.repeat(56)}...`],
  ])('%j', (value, sentence) => {
    expect(() => checkSchema(Schema, value, 'config')).toThrow(
      new TypeError(`config: ${sentence}`),
    );
  });
});
