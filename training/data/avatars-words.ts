import { colorName } from './avatar-colors.ts';
import { type Part, type Style, type StyleName, styleNames, styles } from './avatar-traits.ts';

/** One drawing, exactly: `parts` and `colors` (hex) by the style's own option names. What is not named here comes from `seed`. */
export type AvatarSpec = {
  readonly style: StyleName;
  readonly seed: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly colors: Readonly<Record<string, string>>;
};

/** The choices of one style, read from its schema: variants by part, hex values by colour option. */
export type StyleChoices = {
  readonly parts: Readonly<Record<string, readonly string[]>>;
  readonly colors: Readonly<Record<string, readonly string[]>>;
};

export const styleOf = (name: StyleName): Style => styles[name];

/** 'straight01' -> 'straight 1', 'smileLOL' -> 'smile lol', 'shirtVNeck' -> 'shirt v neck'. */
export function readable(variant: string): string {
  return variant
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/([A-Za-z])0*(\d)/g, '$1 $2')
    .toLowerCase();
}

/** Words of one variant of a part, flags included; `undefined` is a part that is not there. */
export function partWords(part: Part, variant: string | undefined): readonly string[] {
  const said = variant === undefined ? [] : (part.words?.[variant] ?? namedWords(part, variant));
  const absent = (part.flags ?? [])
    .filter((flag) => !said.includes(`${flag}=yes`))
    .map((flag) => `${flag}=no`);
  return [...new Set([...said, ...absent])];
}

function namedWords(part: Part, variant: string): readonly string[] {
  const { attribute, numbered } = part;
  const flag = part.flags?.find((name) => attribute === `${name} type`);
  const presence = flag === undefined ? [] : [`${flag}=yes`];
  const sized = /^variant(\d+)W(\d+)$/.exec(variant); // eyes of thumbs: a shape and a width
  if (sized) return [`${attribute}=${numbered} ${sized[1]}`, `eye width=${sized[2]}`];

  const name = readable(variant);
  if (numbered === undefined) return [...presence, `${attribute}=${name}`];
  const [kind, number] = name.split(' ');
  if (kind === 'variant') return [...presence, `${attribute}=${numbered} ${number}`];
  const group = part.group === undefined ? [] : [`${part.group}=${kind}`];
  return [...presence, ...group, `${attribute}=${numbered} ${name}`];
}

type Conditions = Pick<Part, 'shownWhen' | 'hiddenBy'>;

/** Whether something is to be seen: shown by the options it depends on and not covered by another part. */
export function isSeen(spec: AvatarSpec, { shownWhen = {}, hiddenBy = {} }: Conditions): boolean {
  const has = ([option, values]: [string, readonly string[]]) =>
    values.includes(spec.parts[option] ?? spec.colors[option] ?? '');
  return Object.entries(shownWhen).every(has) && !Object.entries(hiddenBy).some(has);
}

/** What is to be seen in a drawing, in words, sorted. `painted` names the colour options that the drawing uses. */
export function wordsOf(spec: AvatarSpec, painted: readonly string[]): readonly string[] {
  const style = styleOf(spec.style);
  const words = [`style=${style.label}`];
  for (const [name, part] of Object.entries(style.parts)) {
    if (isSeen(spec, part)) words.push(...partWords(part, spec.parts[name]));
  }
  for (const [name, attribute] of Object.entries(style.colors)) {
    const hex = spec.colors[name];
    const seen =
      painted.includes(name) && isSeen(spec, { hiddenBy: style.hiddenColors?.[name] ?? {} });
    if (hex !== undefined && seen) words.push(`${attribute}=${colorName(attribute, hex)}`);
  }
  return [...new Set(words)].sort();
}

/** Every word that some drawing (of these styles) can carry, from the schemas and not from a sample; sorted by code unit. */
export function vocabularyOf(
  choices: Readonly<Record<StyleName, StyleChoices>>,
  names: readonly StyleName[] = styleNames,
): readonly string[] {
  const words = new Set<string>();
  for (const name of names) {
    const style = styleOf(name);
    words.add(`style=${style.label}`);
    for (const [option, part] of Object.entries(style.parts)) {
      for (const variant of [undefined, ...choices[name].parts[option]!]) {
        for (const word of partWords(part, variant)) words.add(word);
      }
    }
    for (const [option, attribute] of Object.entries(style.colors)) {
      for (const hex of choices[name].colors[option]!)
        words.add(`${attribute}=${colorName(attribute, hex)}`);
    }
  }
  return [...words].sort();
}
