import type { StyleName } from './avatar-traits.ts';

/**
 * Combinations that no training (or validation) drawing shows, though each of their words is trained on:
 * whether a model can draw them says whether it composes. A fixed list; changing it means another data set.
 */
export const heldOut: readonly { readonly style: StyleName; readonly words: readonly string[] }[] =
  [
    { style: 'avataaars', words: ['hair color=red', 'glasses=yes'] },
    { style: 'avataaars', words: ['hat=yes', 'facial hair=yes'] },
    { style: 'avataaars', words: ['hair color=blonde', 'clothing=hoodie'] },
    { style: 'adventurer', words: ['hair color=green', 'glasses=yes'] },
    { style: 'adventurer', words: ['hair color=purple', 'earrings=yes'] },
    { style: 'bigSmile', words: ['hair color=ginger', 'glasses=yes'] },
    { style: 'bigSmile', words: ['hair color=teal', 'hair=mohawk'] },
    { style: 'bottts', words: ['body color=red', 'top=antenna'] },
    { style: 'bottts', words: ['body color=blue', 'eyes=hearts'] },
    { style: 'personas', words: ['hair color=pink', 'glasses=yes'] },
    { style: 'personas', words: ['clothing color=green', 'hat=yes'] },
    { style: 'openPeeps', words: ['clothing color=pink', 'glasses=yes'] },
    { style: 'openPeeps', words: ['clothing color=blue', 'mask=yes'] },
    { style: 'micah', words: ['hair color=purple', 'glasses=yes'] },
    { style: 'micah', words: ['clothing color=pink', 'facial hair=yes'] },
    { style: 'toonHead', words: ['hair color=blonde', 'clothing color=red'] },
    { style: 'toonHead', words: ['clothing color=pink', 'facial hair=yes'] },
    { style: 'lorelei', words: ['expression=sad', 'glasses=yes'] },
    { style: 'lorelei', words: ['flowers=yes', 'glasses=yes'] },
    { style: 'notionists', words: ['facial hair=yes', 'glasses=yes'] },
    { style: 'notionists', words: ['gesture=yes', 'glasses=yes'] },
    { style: 'pixelArt', words: ['hair color=blue', 'glasses=yes'] },
    { style: 'pixelArt', words: ['clothing color=red', 'hat=yes'] },
    { style: 'thumbs', words: ['body color=orange', 'mouth=thumbs 3'] },
    { style: 'thumbs', words: ['body color=sky blue', 'face=thumbs 2'] },
  ];

/** Whether a drawing of `style` with these words shows a combination kept out of training. */
export function isHeldOut(style: StyleName, words: readonly string[]): boolean {
  return heldOut.some(
    (cell) => cell.style === style && cell.words.every((word) => words.includes(word)),
  );
}
