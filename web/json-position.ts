/**
 * Where a text stops being JSON (RFC 8259). JSON.parse says it in words that differ between versions of
 * Node, and often without a place; a person who wrote the file needs line and column.
 */
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/;
const TOKEN = new RegExp(
  `[{}[\\],:]|${STRING.source}|${NUMBER.source}|(?:true|false|null)(?!\\w)`,
  'y',
);
const SPACE = /[ \t\n\r]*/y;

/** Of a text that JSON.parse refuses: the index at which no JSON can go on. */
export function jsonErrorAt(text: string): number {
  const open: ('{' | '[')[] = [];
  /** What may come next. */
  let next: 'value' | 'value or ]' | 'key or }' | 'key' | ':' | ', or end' = 'value';
  for (let end = 0; ; ) {
    SPACE.lastIndex = end;
    const at = end + SPACE.exec(text)![0].length;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return at;
    end = TOKEN.lastIndex;
    const closes = (closing: '{' | '[') => open.at(-1) === closing && open.pop() !== undefined;
    switch (next) {
      case 'key or }':
      case 'key':
        if (token.startsWith('"')) next = ':';
        else if (token === '}' && next === 'key or }' && closes('{')) next = ', or end';
        else return at;
        break;
      case ':':
        if (token !== ':') return at;
        next = 'value';
        break;
      case ', or end':
        if (token === ',' && open.length > 0) next = open.at(-1) === '{' ? 'key' : 'value';
        else if (!((token === '}' && closes('{')) || (token === ']' && closes('[')))) return at;
        break;
      default:
        if (token === '{' || token === '[') {
          open.push(token);
          next = token === '{' ? 'key or }' : 'value or ]';
        } else if (token === ']' && next === 'value or ]' && closes('[')) next = ', or end';
        else if (/^[}\],:]$/.test(token)) return at;
        else next = ', or end';
    }
  }
}

/** The value, or one sentence with line and column, which begin at `firstLine` and 1. */
export function parseJson(text: string, firstLine = 1): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const at = jsonErrorAt(text);
    const before = text.slice(0, at).split('\n');
    const got = at >= text.length ? 'the end' : JSON.stringify(text.slice(at, at + 12));
    throw new TypeError(
      `line ${firstLine + before.length - 1}, column ${before.at(-1)!.length + 1}: expected JSON, got ${got}`,
    );
  }
}
