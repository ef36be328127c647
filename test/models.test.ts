/** What must hold for every model that ships. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { microRows, wholePicture } from '../encoders/conditioning/micro.ts';
import { besideSection, modelReadme, tokenModelReadme } from '../evaluation/model-readme.ts';
import { compileDiT } from '../generators/compile.ts';
import { gridOf, layoutOf, readModel } from '../generators/model.ts';
import { readAnyCard } from '../generators/token-model.ts';
import { createEngine } from '../tensor/engine.ts';
import { createRng } from '../tensor/rng.ts';

const ROOT = join(import.meta.dirname, '../models');
/** Folders with a model that draws; readers and tokenizers have cards of their own. */
const folders = readdirSync(ROOT).filter((name) => {
  const path = join(ROOT, name, 'model.json');
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).architecture === 'dit';
});
const LARGEST = 64;

test('models ship, and all of them stay small', () => {
  expect(folders).toContain('avatars');
  const files = readdirSync(ROOT, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  );
  expect(bytes).toBeLessThan(120e6);
});

test.each([
  ['avatars-ar/model.safetensors', 20e6],
  ['avatars-ar/drafter/model.safetensors', 3e6],
  ['tokenizer-avatars-64/tokenizer.safetensors', 8e6],
])('%s ships and has at most %d bytes', (path, most) => {
  const { size } = statSync(join(ROOT, path));
  expect(size).toBeGreaterThan(0);
  expect(size).toBeLessThanOrEqual(most);
});

test.each(readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, 'model.json'))))(
  '%s has a page that says what its card says',
  async (id) => {
    const card = await readAnyCard(join(ROOT, id));
    const page = readFileSync(join(ROOT, id, 'README.md'), 'utf8');
    const unmeasured = card.architecture === 'ar' ? tokenModelReadme(card) : modelReadme(card);
    const [said] = unmeasured.split('Not measured yet');
    expect(page.startsWith(said!)).toBe(true);
    expect(card.training?.pictures).toBeGreaterThan(0);
    for (const name of ['style', 'attributes'])
      expect(page).toContain(
        `| ${name}, relative to real | ${Number(card.numbers![`${name} relative to real`]).toFixed(4)} |`,
      );
  },
);

test('the page of the token model has the diffusion model beside it', async () => {
  const [tokens, diffusion] = await Promise.all(
    ['avatars-ar', 'avatars-64'].map((id) => readAnyCard(join(ROOT, id))),
  );
  const page = readFileSync(join(ROOT, 'avatars-ar/README.md'), 'utf8');
  expect(page.endsWith(besideSection(tokens!, diffusion!))).toBe(true);
});

describe.each(folders)('%s', (id) => {
  test('a row has the same bits in any batch and on any number of threads', async () => {
    const { card, weights, positions } = await open(id);
    const { height, width } = card.trained;
    const { channels } = card.config;
    const rng = createRng(11);
    const length = height * width * channels;
    const x = rng.normals(LARGEST * length);
    const t = Float32Array.from({ length: LARGEST }, () => rng.uniform());
    const words = card.vocabulary.length;
    const bags = Float32Array.from({ length: LARGEST * words }, () =>
      rng.uniform() < 12 / words ? 1 : 0,
    );
    let expected: Float32Array | undefined;
    for (const [threads, batch] of [
      [2, LARGEST],
      [1, 1],
      [2, 1],
      [1, 3],
      [2, 8],
      [1, LARGEST],
    ] as const) {
      const engine = createEngine({ threads });
      const grid = gridOf(card.config, card.trained);
      const program = await compileDiT(engine, {
        config: card.config,
        positions,
        weights,
        grid,
        batch,
      });
      const { prediction } = await program.run({
        x: { data: x.slice(0, batch * length), shape: [batch, height, width, channels] },
        t: { data: t.slice(0, batch), shape: [batch] },
        condition: { data: bags.slice(0, batch * words), shape: [batch, words] },
        ...(card.config.micro
          ? { micro: microRows(Array.from({ length: batch }, () => wholePicture(height, width))) }
          : {}),
      });
      const found = prediction!.data as Float32Array;
      expected ??= found;
      expect(
        Buffer.compare(bytes(found), bytes(expected.subarray(0, found.length))),
        `${batch} on ${threads}`,
      ).toBe(0);
      await program.dispose();
    }
  });
});

const bytes = (array: Float32Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

async function open(id: string) {
  const { card, weights } = await readModel(join(ROOT, id));
  return {
    card: { ...card, config: card.config as Parameters<typeof compileDiT>[1]['config'] },
    weights,
    positions: layoutOf(card).positions,
  };
}
