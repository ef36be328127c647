/** Which drawing of which set shows which emoji: joined on code points, then names, then names without spaces. */

export type IconSet = {
  readonly name: string;
  readonly icons: Readonly<
    Record<string, { readonly body: string; readonly hidden?: boolean } & Partial<Box>>
  >;
  readonly aliases?: Readonly<Record<string, { readonly parent: string }>>;
  /** Names by code points ("1f468-200d-1f9b0"); empty in sets that carry none. */
  readonly chars: Readonly<Record<string, string>>;
} & Partial<Box>;

type Box = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

export type Concept = {
  readonly label: string;
  readonly group: string;
  readonly codePoints: string;
};
export type EmojiDrawing = {
  readonly set: string;
  readonly concept: Concept;
  readonly svg: (side: number) => string;
};

/** 'Man’s shoe' -> 'mans-shoe', as icon sets name their drawings. */
export function slug(label: string): string {
  return label
    .normalize('NFD')
    .replace(/[\u0300-\u036f'’.“”!()]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9#*]+/g, '-')
    .replace(/^-|-$/g, '');
}

const unspaced = (name: string) => name.replaceAll('-', '');

/** Every (set, concept) with a drawing, sets in order, concepts in theirs; a drawing is used at most once. */
export function joinEmoji(
  sets: readonly IconSet[],
  concepts: readonly Concept[],
): readonly EmojiDrawing[] {
  const named = new Map<string, string[]>(); // code points -> every name that some set gives them
  for (const { chars } of sets) {
    for (const [points, name] of Object.entries(chars))
      named.set(points, [...(named.get(points) ?? []), name]);
  }
  return sets.flatMap((set) => {
    const byUnspaced = new Map(Object.keys(set.icons).map((name) => [unspaced(name), name]));
    const used = new Set<string>();
    return concepts.flatMap((concept) => {
      const names = [slug(concept.label), ...(named.get(concept.codePoints) ?? [])];
      const own = set.chars[concept.codePoints];
      const candidates = [
        ...(own === undefined ? [] : [own]),
        ...names,
        ...names.map((name) => byUnspaced.get(unspaced(name)) ?? ''),
      ];
      const found = candidates
        .map((name) => resolved(set, name))
        .find((name) => name !== undefined);
      if (found === undefined || used.has(found)) return [];
      used.add(found);
      return [{ set: set.name, concept, svg: svgOf(set, found) }];
    });
  });
}

/** The icon's own name, through at most one alias; hidden (withdrawn) icons do not count. */
function resolved(set: IconSet, name: string): string | undefined {
  const own = set.icons[name] ? name : (set.aliases?.[name]?.parent ?? '');
  const icon = set.icons[own];
  return icon === undefined || icon.hidden ? undefined : own;
}

function svgOf(set: IconSet, name: string): (side: number) => string {
  const icon = set.icons[name]!;
  const side = (key: keyof Box, fallback: number) => icon[key] ?? set[key] ?? fallback;
  const box = [side('left', 0), side('top', 0), side('width', 16), side('height', 16)].join(' ');
  return (size) =>
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${size}" height="${size}" viewBox="${box}">${icon.body}</svg>`;
}
