import { expect, test, vi } from 'vitest';
import { readPackaged } from '../../../training/data/emoji.ts';

test('without DiceBear the sentence names both packages', async () => {
  vi.doMock('@dicebear/core', () => {
    throw new Error('Cannot find package');
  });
  const { loadDiceBear } = await import('../../../training/data/dicebear.ts');
  await expect(loadDiceBear()).rejects.toThrow(
    'avatars: expected the drawings of DiceBear, got none; install @dicebear/core@9.4.3 and @dicebear/collection@9.4.3',
  );
});

test('without an emoji set the sentence names its package', async () => {
  await expect(
    readPackaged('@iconify-json/not-there/icons.json', '@iconify-json/not-there@1.0.0'),
  ).rejects.toThrow(
    'emoji: expected the package of @iconify-json/not-there/icons.json, got none; install @iconify-json/not-there@1.0.0',
  );
});
