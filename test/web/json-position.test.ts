import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonErrorAt, parseJson } from '../../web/json-position.ts';

describe('parseJson', () => {
  test.each([
    ['{"a": 1,}', 1, 9, '"}"'],
    ['{"a": 1\n "b": 2}', 2, 2, '"\\"b\\": 2}"'],
    ['[1, 2', 1, 6, 'the end'],
    ['', 1, 1, 'the end'],
    ['{"a" 1}', 1, 6, '"1}"'],
    ['{a: 1}', 1, 2, '"a: 1}"'],
    ['[1] 2', 1, 5, '"2"'],
    ['[01]', 1, 2, '"01]"'],
    ['["a\nb"]', 1, 2, '"\\"a\\nb\\"]"'],
    ['[truee]', 1, 2, '"truee]"'],
    ['{"a": [1, {"b": }]}', 1, 17, '"}]}"'],
    ['[}', 1, 2, '"}"'],
    ['{"a":1]', 1, 7, '"]"'],
  ])('places the error of %j', (text, line, column, got) => {
    expect(() => parseJson(text)).toThrow(
      `line ${line}, column ${column}: expected JSON, got ${got}`,
    );
  });

  test('counts lines from where it is told', () => {
    expect(() => parseJson('{"a"}', 7)).toThrow('line 7, column 5: expected JSON, got "}"');
  });

  test('finds no error before the place where a text was changed', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), fc.constantFrom(...'{}[],:"x1 \n'), (json, at, mark) => {
        const cut = at % (json.length + 1);
        const text = json.slice(0, cut) + mark + json.slice(cut);
        const place = isJson(text) ? cut : jsonErrorAt(text);
        // A number or word may be broken by what follows it.
        const token = /[\w.+-]*$/.exec(json.slice(0, cut))!.index;
        return place >= token && place <= text.length;
      }),
      { numRuns: 300 },
    );
  });

  test('takes deep and long texts', () => {
    const deep = '['.repeat(1_000_000);
    expect(jsonErrorAt(deep)).toBe(deep.length);
    expect(jsonErrorAt(`"${'a'.repeat(1_000_000)}`)).toBe(0);
  });
});

/** JSON without texts, in which marks mean nothing. */
const numbers = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }),
    ),
  }))
  .value.map((value) => JSON.stringify(value));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
