/** Tokens by decoders that have no name in requests: `npx tsx examples/own-decoding.ts [MODEL_FOLDER] [OUT.png]`. */
import { writeFile } from 'node:fs/promises';
import * as ropewalk from '../index.ts'; // in a project of your own: 'ropewalk'

const [folder = 'models/avatars-ar', out = 'decoding.png'] = process.argv.slice(2);
const card = (await ropewalk.readAnyCard(folder)) as ropewalk.TokenCard;
const model = await ropewalk.readTokenGenerator(folder, card);
const pipeline = ropewalk.createTokenPipeline({ engine: ropewalk.createEngine(), model });
const asked = [7, 8, 9].map((seed) => ({ words: [{ id: 0 }], seed }));
const rngs = asked.map(({ seed }) => ropewalk.createRng(seed));

// Only every second code (a mask); as few different codes as can be (a reward).
const mask = Array.from({ length: card.config.codes }, (_, code) => (code + 1) % 2);
const even = ropewalk.constrained({ constraint: { mask } });
const reward = (tokens: readonly number[]) => 1 - new Set(tokens).size / tokens.length;
const plain = ropewalk.cards({ reward, target: 1, temperature: 0.1, entropy: 2, tries: 4 });

// Lengths chosen by EXP3; drafts judged by LANTERN++.
const drafter = ropewalk.createDrafter('uniform', { width: 16 });
const arms = [1, 3, 7].map((length) => ({ drafter, length }));
const choose = (n: number, most: number) => ropewalk.exp3(n, ropewalk.createRng(1), { most });
const rule = ropewalk.lantern({ lambda: 2, nearest: await pipeline.nearestCodes(8) });
const bandit = ropewalk.speculative(() => ropewalk.banditPlan(arms, choose), rule);

const pictures: ropewalk.Picture[] = [];
for (const decoder of [even, plain, bandit]) {
  const tokenModel = await pipeline.open(asked, { guidanceOptions: { schedule: 'cosine' } });
  const { tokens } = await decoder.decode(tokenModel, { rngs });
  const points = (await ropewalk.encode(tokenModel, tokens)).map(({ low }) => low);
  const again = await ropewalk.arithmetic({ points }).decode(tokenModel, { rngs }); // the same tokens
  pictures.push(...(await pipeline.paint(again.tokens)));
}
await pipeline.dispose();
await writeFile(
  out,
  await ropewalk.encodePng(await ropewalk.contactSheet(pictures, { columns: 3 })),
);
console.log(`a mask, a reward, a bandit with LANTERN++: ${out}`);
