import type { StyleName } from './avatar-traits.ts';

/** What this project uses of DiceBear: an SVG and its attributes from a style and options. */
export type DiceBear = {
  draw(
    style: StyleName,
    options: Readonly<Record<string, unknown>>,
  ): { svg: string; extra: Record<string, unknown> };
  /** The style's own JSON schema: its options with their choices. */
  properties(style: StyleName): Readonly<Record<string, Property>>;
};

export type Property = {
  readonly items?: { readonly enum?: readonly string[]; readonly pattern?: string };
  readonly default?: unknown;
};

/** Loads DiceBear, which only those need who train on avatars. */
export async function loadDiceBear(): Promise<DiceBear> {
  const [core, collection] = await Promise.all([
    import('@dicebear/core'),
    import('@dicebear/collection'),
  ]).catch((cause: unknown) => {
    throw new Error(
      'avatars: expected the drawings of DiceBear, got none; install @dicebear/core@9.4.3 and @dicebear/collection@9.4.3',
      { cause },
    );
  });
  return {
    draw(style, options) {
      const { svg, extra } = core
        .createAvatar<Record<string, unknown>>(collection[style], { ...options })
        .toJson();
      return { svg, extra };
    },
    properties: (style) => (collection[style].schema.properties ?? {}) as Record<string, Property>,
  };
}
