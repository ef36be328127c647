import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../../tensor/safetensors.ts';
import {
  readTokenCache,
  type TokenCache,
  writeTokenCache,
} from '../../../training/data/token-cache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokens-'));
});
afterEach(() => rm(folder, { recursive: true }));

const cache: TokenCache = {
  tokenizer: 'tiny',
  codebook: 'a'.repeat(64),
  codes: 16,
  data: 'shapes',
  height: 8,
  width: 12,
  vocabulary: ['color=red', 'style=ünïcode'],
  tokens: { data: Int32Array.from({ length: 18 }, (_, i) => i % 16), shape: [3, 2, 3] },
  words: [[0, 1], [], [1]],
};
const path = () => join(folder, 'tokens.safetensors');

test('comes back as it was written, for its own codebook', async () => {
  await writeTokenCache(path(), cache);
  expect(await readTokenCache(path(), { codebook: cache.codebook })).toEqual(cache);
  expect(await readTokenCache(path())).toEqual(cache);
  expect(await readdir(folder)).toEqual(['tokens.safetensors']);
});

test('is refused for another codebook, naming both', async () => {
  await writeTokenCache(path(), cache);
  await expect(readTokenCache(path(), { codebook: 'b'.repeat(64) })).rejects.toThrow(
    /expected tokens of the codebook bbbbbbbbbbbb, got those of 'tiny', aaaaaaaaaaaa; make them anew/,
  );
});

test('other files and damaged ones are told apart', async () => {
  await writeSafetensors(path(), { x: cache.tokens });
  await expect(readTokenCache(path())).rejects.toThrow(/expected tokens .* got another file/);
  const damage = async (change: (tensors: Record<string, TokenCache['tokens']>) => void) => {
    await writeTokenCache(path(), cache);
    const { tensors, metadata } = await readSafetensors(path());
    const changed = { ...tensors };
    change(changed);
    await writeSafetensors(path(), changed, { metadata });
    return readTokenCache(path());
  };
  const token = damage(({ tokens }) => {
    tokens!.data[4] = 16;
  });
  await expect(token).rejects.toThrow(/expected tokens from 0 to 15, got 16; the file is damaged/);
  const word = damage(({ words }) => {
    words!.data[0] = 2;
  });
  await expect(word).rejects.toThrow(/expected words from 0 to 1, got 2/);
  const starts = damage(({ starts }) => {
    starts!.data[1] = 3;
  });
  await expect(starts).rejects.toThrow(/expected tokens \[N, h, w\], words and 4 starts/);
});
