/**
 * The text that AUTOMATIC1111's web UI writes into pictures: the prompt, a line `Negative prompt: ...`
 * that may go on, and a last line of `Key: value` pairs, where a value with a comma, a colon or a line
 * break is in JSON's quotes. The last line counts as pairs only if it holds three of them.
 */

/** By AUTOMATIC1111's names. */
export type Facts = Record<string, string>;

/** Each part is bounded or begins where the last one ended: long lines of strangers take no longer. */
const PAIR = /(?:^|,)\s?(\w[\w \-/]{0,60}):\s?("[^\\"]*(?:\\.[^\\"]*)*"|[^,]*)(?=,|$)/g;
const FEWEST_PAIRS = 3;
const MOST_PAIRS = 500;
const LONGEST = 100_000;

export function parseInfotext(text: string): Facts {
  const lines = text.slice(0, LONGEST).trim().split('\n');
  const pairs = pairsIn(lines.at(-1)!);
  const words = pairs.length < FEWEST_PAIRS ? lines : lines.slice(0, -1);
  const at = words.findIndex((line) => line.trimStart().startsWith('Negative prompt:'));
  const [prompt, negative] = at < 0 ? [words, []] : [words.slice(0, at), words.slice(at)];
  const said = {
    Prompt: prompt.join('\n').trim(),
    'Negative prompt': negative.join('\n').replace('Negative prompt:', '').trim(),
  };
  return Object.fromEntries([
    ...Object.entries(said).filter(([, value]) => value !== ''),
    ...(pairs.length < FEWEST_PAIRS ? [] : pairs),
  ]);
}

function pairsIn(line: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [, key, value] of line.matchAll(PAIR)) {
    pairs.push([key!, unquoted(value!)]);
    if (pairs.length === MOST_PAIRS) break;
  }
  return pairs;
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value.trim();
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

/** Of another program's record: the keys of `names` as text, and width and height as `Size`. */
export function factsIn(
  record: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>>,
): Facts {
  const found = Object.entries(names).flatMap(([name, key]) => {
    const value = Object.hasOwn(record, key) ? record[key] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [];
  });
  const { width, height, ...facts } = Object.fromEntries(found) as Record<string, string>;
  return { ...facts, ...(width && height && { Size: `${width}x${height}` }) };
}
