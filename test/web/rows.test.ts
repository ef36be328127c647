/** Files of requests, as spreadsheets and scripts write them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsv, parseJsonLines, type Row, requestOfRow } from '../../web/rows.ts';
import { checkByCard, MODELS } from './fake-services.ts';

const csv = (text: string) => parseCsv(Buffer.from(text));
const lines = (text: string) => parseJsonLines(Buffer.from(text));
const models = { list: async () => MODELS, broken: async () => [], check: checkByCard };
const requests = (rows: readonly Row[]) =>
  Promise.all(rows.map((row) => requestOfRow(row, MODELS, models)));

describe('CSV', () => {
  test('fills a request from the columns of a row', async () => {
    const [first, second, third] = await requests(
      csv(
        'prompt,seed,count,width,height,steps,guidance,solver,extension\n' +
          '"red hair, glasses",7,2,96,64,12,3.5,heun,yarn:beta=16\n' +
          'blue hair,8,,,,,,,none\n' +
          'blue hair,9,,,,,,,ntk + coordinates:inference=contiguous\n',
      ),
    );
    expect(third!.position).toEqual({
      extend: 'ntk',
      coordinates: { inference: 'contiguous' },
    });
    expect(first).toEqual({
      version: 1,
      model: 'avatars',
      condition: ['hair color=red', 'glasses=yes'],
      seed: 7,
      count: 2,
      size: { width: 96, height: 64 },
      position: { extend: { method: 'yarn', beta: 16 } },
      sampling: {
        ...{ kind: 'diffusion', solver: 'heun', steps: 12, guidance: { scale: 3.5 } },
        scheduleOptions: { shift: 1 },
      },
    });
    expect(second).toMatchObject({
      condition: ['hair color=blue'],
      seed: 8,
      count: 1,
      size: { width: 64, height: 64 },
      position: { extend: [] },
      sampling: { solver: 'dpmpp-2m', steps: 20, guidance: { scale: 2 } },
    });
  });

  test('fills a request of a token model, and knows names of other programs', async () => {
    const [row] = await requests(
      csv(
        'Model,Negative prompt,decoder,temperature,top_k,top-p,CFG scale\n' +
          'avatars-tokens,glasses,"sjd:window=8",0.9,50,0.95,1.5\n',
      ),
    );
    expect(row).toMatchObject({
      negative: ['glasses=yes'],
      sampling: {
        kind: 'tokens',
        decoder: 'sjd',
        decoderOptions: { window: 8 },
        temperature: 0.9,
        topK: 50,
        topP: 0.95,
        guidance: 1.5,
      },
    });
  });

  const wanted = [
    {
      where: 'line 2',
      cells: [
        ['prompt', 'red hair\nglasses'],
        ['guidance', '3.5'],
      ],
      draft: {},
    },
    { where: 'line 5', cells: [['guidance', '4']], draft: {} },
  ];
  test.each([
    ['plain', 'prompt,guidance\n"red hair\nglasses",3.5\n\n,4\n'],
    ['Windows', 'prompt,guidance\r\n"red hair\r\nglasses",3.5\r\n\r\n,4\r\n'],
    ['old Mac', 'prompt,guidance\r"red hair\rglasses",3.5\r\r,4\r'],
    ['with a byte order mark', '\ufeffprompt,guidance\n"red hair\nglasses",3.5\n\n,4'],
    ["Excel's semicolons and commas", 'prompt;guidance\r\n"red hair\nglasses";3,5\r\n\r\n;4\r\n'],
    ['tabs', 'prompt\tguidance\n"red hair\nglasses"\t3.5\n\n\t4\n'],
    ['an empty row of separators', 'prompt;guidance\n"red hair\nglasses";3,5\n;\n;4\n'],
    ['spaces', 'prompt , guidance\n "red hair\nglasses" , 3.5\n\n , 4 \n'],
  ])('is read the same: %s', (_, text) => {
    expect(csv(text)).toEqual(wanted);
  });

  test('is read from UTF-16, and after a line that names the separator', () => {
    const text = 'prompt\tguidance\r\n"red hair\nglasses"\t3,5\r\n\r\n\t4\r\n';
    expect(parseCsv(Buffer.from(`\ufeff${text}`, 'utf16le'))).toEqual(wanted);
    const rows = csv('sep=;\r\nprompt;guidance\r\nred;1\r\n');
    expect(rows.map(({ where }) => where)).toEqual(['line 3']);
  });

  test('keeps every text that a spreadsheet can hold', () => {
    const cell = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\r|\0/g, ''));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), (texts) => {
        const kept = texts.filter((text) => text !== '');
        fc.pre(kept.length > 0);
        const rows = csv(`prompt,seed\n${texts.map((text) => `${quoted(text)},1`).join('\n')}\n`);
        expect(rows.map(({ cells }) => cells.find(([name]) => name === 'prompt')?.[1])).toEqual(
          texts.map((text) => (text === '' ? undefined : text)),
        );
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['prompt,seed\na,1\nb\n', "line 3, column 'seed': expected 2 values, got 1"],
    ['prompt\nred hair, glasses\n', 'line 2, column 2: expected 1 values, got 2; text with'],
    ['prompt,seed\na,1\n"b\nc,2\nd,3\n', "line 3, column 'prompt': expected a closing quote"],
    ['prompt,seed\na,"1"x\n', "line 2, column 'seed': expected quotes around the whole value"],
    ['prompt,seed\na"b,1\n', "line 2, column 'prompt': expected quotes around the whole value"],
    ['prompt,sede\na,1\n', 'line 1, column 2: the value: expected'],
    ['prompt,seed,Prompt\na,1,b\n', "line 1, column 3: expected each column once, got 'prompt'"],
    ['prompt,seed\n', 'line 1: expected names of columns and rows below, got none'],
    ['', 'line 1: expected names of columns and rows below, got none'],
  ])('is refused with its place: %j', (text, message) => {
    expect(() => csv(text)).toThrow(message);
  });

  test('is refused where it is too large', () => {
    expect(() => csv(`prompt,seed\n"${'a'.repeat(100_001)}",1\n`)).toThrow(
      'line 2: expected at most 100000 characters a row, got more',
    );
    expect(() => csv(`seed\n${'1\n'.repeat(10_001)}`)).toThrow(
      'file: expected at most 10000 rows, got 10001',
    );
  });

  test('is refused in another encoding than Unicode', () => {
    const latin = Buffer.from('prompt\nblack hair\nl\xfcgt\n', 'latin1');
    expect(() => parseCsv(latin)).toThrow('line 3, column 2: expected text in UTF-8');
  });

  test.each([
    ['seed\n1\n1.5\n', "line 3, column 'seed': expected a whole number, got '1.5'"],
    ['seed\n1,2E+9\n', 'line 2, column 2: expected 1 values'],
    ['seed\n-1\n', "line 2, column 'seed': expected a whole number from 0 to"],
    ['size\n64by64\n', "line 2, column 'size': expected a size such as 64x96, got '64by64'"],
    ['width,steps\n64,\n0,\n', "line 3, column 'width': expected a whole number from 1 to 8192"],
    ['prompt,steps\n,5000\n', "line 2, column 'steps': expected a whole number from 1 to 1000"],
    ['guidance\nhigh\n', "line 2, column 'guidance': expected a number, got 'high'"],
    ['guidance\n101\n', "line 2, column 'guidance': expected a number from 0 to 100, got 101"],
    ['decoder\nsjd\n', "line 2, column 'decoder': expected no decoder for a model of diffusion"],
    [
      'model\navatar\n',
      'line 2, column \'model\': expected "avatars" or "avatars-tokens", got "avatar"; did you',
    ],
    ['prompt\npurple horse\n', "line 2, column 'prompt': expected words of 'avatars', got 'purple"],
    ['negative\nhorse\n', "line 2, column 'negative': expected words of 'avatars', got 'horse'"],
    ['promt\na\n', 'line 1, column 1: the value: expected "model" or "prompt" or "negative" or'],
    ['promt\na\n', "did you mean 'prompt'?"],
    ['solver\nheun:x\n', "line 2, column 'solver': expected options such as"],
    ['extension\ncoordinates\n', "expected options such as 'coordinates:option=value', once"],
    [
      'extension\ncoordinates:seed=1 + coordinates:seed=2\n',
      "line 2, column 'extension': expected options such as 'coordinates:option=value', once",
    ],
    ['size\n64\n66\n', "line 3, column 'size': expected a multiple of the patch (4) from 4 to 512"],
    ['height,width\n64,6\n', "line 2, column 'width': expected a multiple of the patch"],
    ['style\nquiff\n', "line 2, column 'style': expected a known name, got 'style=quiff'"],
  ])('names line and column of a value that is wrong: %j', async (text, message) => {
    await expect((async () => requests(csv(text)))()).rejects.toThrow(message);
  });
});

describe('JSON lines', () => {
  test('are drafts, in which names of columns are understood too', async () => {
    const [draft, flat] = await requests(
      lines(
        '\ufeff{"model":"avatars","condition":["glasses=yes"],"size":{"width":96},"sampling":{"steps":5}}\r\n\r\n' +
          '{"prompt":"red hair","seed":3,"size":"32x64","cfg":1.5,"solver":"euler"}',
      ),
    );
    expect(draft).toMatchObject({
      condition: ['glasses=yes'],
      size: { width: 96, height: 64 },
      sampling: { steps: 5, solver: 'dpmpp-2m' },
    });
    expect(flat).toMatchObject({
      condition: ['hair color=red'],
      seed: 3,
      size: { width: 32, height: 64 },
      sampling: { solver: 'euler', guidance: { scale: 1.5 } },
    });
  });

  test.each([
    ['{"seed":1}\n{"seed":1,}\n', 'line 2, column 11: expected JSON, got "}"'],
    ['{"seed":1}\n\n[1]\n', 'line 3: expected a JSON object, got [1]'],
    ['\n', 'line 1: expected a JSON object a line, got none'],
  ])('are refused with their place: %j', (text, message) => {
    expect(() => lines(text)).toThrow(message);
  });

  test.each([
    ['{"seed":1.5}', "line 1, column 'seed': expected a whole number, got '1.5'"],
    ['{"sede":1}', "line 1: the value: expected no key 'sede'; did you mean 'seed'?"],
    ['{"size":{"width":"a"}}', "line 1: 'size.width': expected a whole number from 1 to 8192"],
    ['{"model":{}}', "line 1: 'model': expected"],
  ])('name what is wrong: %j', async (text, message) => {
    await expect((async () => requests(lines(text)))()).rejects.toThrow(message);
  });

  test('and tables hold no text that a database refuses', async () => {
    const refused = "line 2, column 'prompt': expected text without the character NUL";
    await expect(requests(csv('prompt\nred hair\0\n'))).rejects.toThrow(refused);
    const line = JSON.stringify({ prompt: 'red hair\0' });
    await expect(requests(lines(line))).rejects.toThrow('without the character NUL');
  });

  test('do not reach the prototype of objects', async () => {
    const [request] = await requests(lines('{"__proto__":{"seed":1},"seed":2}'));
    expect(request!.seed).toBe(2);
    expect(({} as { seed?: number }).seed).toBeUndefined();
  });
});
