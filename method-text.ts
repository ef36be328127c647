/** Options of a method as people write them: 'option=value,option=value'. A list goes on after a comma: 'gamma=16,2'. */
export type OptionValue = number | boolean | string;

/** The values of each option, in the order written; undefined where the text is none of this form, or says one twice. */
export function readOptions(
  text: string,
): (readonly [option: string, values: readonly OptionValue[]])[] | undefined {
  const given = new Map<string, OptionValue[]>();
  let last = '';
  for (const part of text.split(',')) {
    const [, option, value = ''] = /^\s*([\w-]+)=(.*)$/.exec(part) ?? [];
    if (option === undefined && given.has(last)) given.get(last)!.push(scalar(part));
    else if (option !== undefined && !given.has(option)) given.set(option, [scalar(value)]);
    else return undefined;
    last = option ?? last;
  }
  return [...given];
}

/** The same as an object: one value of an option stands alone. */
export function readOptionValues(
  text: string,
): Record<string, OptionValue | OptionValue[]> | undefined {
  const given = readOptions(text);
  return (
    given &&
    Object.fromEntries(
      given.map(([option, [first, ...more]]) => [
        option,
        more.length > 0 ? [first!, ...more] : first!,
      ]),
    )
  );
}

function scalar(text: string): OptionValue {
  const value = text.trim();
  if (value === 'true' || value === 'false') return value === 'true';
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}
