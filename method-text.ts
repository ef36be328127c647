/** Options of a method as people write them: 'option=value,option=value'. A list goes on after a comma: 'gamma=16,2'. */
export type OptionValue = number | boolean | string;

/** The values; undefined where the text is none of this form, or says an option twice. */
export function readOptions(text: string): Record<string, OptionValue | OptionValue[]> | undefined {
  const given = new Map<string, OptionValue[]>();
  let last = '';
  for (const part of text.split(',')) {
    const [, option, value = ''] = /^\s*([\w-]+)=(.*)$/.exec(part) ?? [];
    if (option === undefined && given.has(last)) given.get(last)!.push(scalar(part));
    else if (option !== undefined && !given.has(option)) given.set(option, [scalar(value)]);
    else return undefined;
    last = option ?? last;
  }
  const values = [...given].map(([option, list]) => [option, list.length > 1 ? list : list[0]!]);
  return Object.fromEntries(values);
}

function scalar(text: string): OptionValue {
  const value = text.trim();
  if (value === 'true' || value === 'false') return value === 'true';
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}
