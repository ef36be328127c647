import { colorName } from './avatar-colors.ts';
import { type StyleName, styleNames } from './avatar-traits.ts';
import { type AvatarSpec, partWords, type StyleChoices, styleOf } from './avatars-words.ts';

type Source = {
  readonly choices: Readonly<Record<StyleName, StyleChoices>>;
  random(style: StyleName, seed: string): AvatarSpec;
  words(spec: AvatarSpec): readonly string[];
};

/** Drawings tried before words count as impossible together. */
const ATTEMPTS = 40;

/** A drawing that shows all `asked` words; what they leave open is as `seed` has it. */
export function specWithWords(source: Source, asked: readonly string[], seed: string): AvatarSpec {
  const style = askedStyle(asked);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const spec = impose(
      source,
      source.random(style, attempt === 0 ? seed : `${seed}/${attempt}`),
      asked,
    );
    const shown = source.words(spec);
    if (asked.every((word) => shown.includes(word))) return spec;
  }
  throw new RangeError(
    `avatars: expected words that one ${styleOf(style).label} drawing can show together, got ${asked.join(', ')}`,
  );
}

function askedStyle(asked: readonly string[]): StyleName {
  const style = styleNames.find((name) => asked.includes(`style=${styleOf(name).label}`));
  if (style !== undefined) return style;
  const labels = styleNames.map((name) => styleOf(name).label).join(', ');
  throw new RangeError(
    `avatars: expected one word style=..., got ${asked.join(', ') || 'none'}; styles are ${labels}`,
  );
}

/** `spec` with each option that can say an asked word set to its first variant that says all of those it can say. */
function impose({ choices }: Source, spec: AvatarSpec, asked: readonly string[]): AvatarSpec {
  const style = styleOf(spec.style);
  const parts: Record<string, string | undefined> = { ...spec.parts };
  const colors = { ...spec.colors };
  for (const [name, part] of Object.entries(style.parts)) {
    const variants = [spec.parts[name], ...choices[spec.style].parts[name]!, undefined];
    const said = (variant: string | undefined) =>
      partWords(part, variant).filter((word) => asked.includes(word)).length;
    const most = Math.max(...variants.map(said));
    if (most === 0) continue;
    parts[name] = variants.find((variant) => said(variant) === most);
    for (const [option, values] of Object.entries(part.shownWhen ?? {})) parts[option] = values[0];
  }
  for (const [option, attribute] of Object.entries(style.colors)) {
    const hexes = [spec.colors[option]!, ...choices[spec.style].colors[option]!];
    const asks = hexes.find((hex) => asked.includes(`${attribute}=${colorName(attribute, hex)}`));
    if (asks !== undefined) colors[option] = asks;
  }
  const present = Object.entries(parts).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { ...spec, parts: Object.fromEntries(present), colors };
}
