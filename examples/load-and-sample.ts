/** Loads a model and draws four pictures: `npx tsx examples/load-and-sample.ts [MODEL_FOLDER] [OUT.png]`. */
import { writeFile } from 'node:fs/promises';
import {
  contactSheet,
  createDiffusionPipeline,
  createEngine,
  encodePng,
  matchWords,
  readModel,
} from '../index.ts'; // in a project of your own: 'ropewalk'

const [folder = 'models/avatars', out = 'sheet.png'] = process.argv.slice(2);
const model = await readModel(folder);
const { matched, unmatched } = matchWords('avataaars, red hair, glasses', model.card.vocabulary);
for (const { text, nearest } of unmatched) console.log(`'${text}' is unknown, near: ${nearest}`);

const pipeline = createDiffusionPipeline({ engine: createEngine(), model });
const pictures = await pipeline.render({
  words: matched.flatMap(({ words, weight }) =>
    words.map((id) => ({ id, ...(weight === undefined ? {} : { weight }) })),
  ),
  seed: 7,
  count: 4,
});
await pipeline.dispose();
await writeFile(out, await encodePng(await contactSheet(pictures, { columns: 4 })));
console.log(`${pictures.length} pictures in ${out}`);
