/** A solver of one's own, beside Euler's: `npx tsx examples/custom-solver.ts [MODEL_FOLDER] [OUT.png]`. */
import { writeFile } from 'node:fs/promises';
import {
  contactSheet,
  createDiffusionPipeline,
  createEngine,
  encodePng,
  readModel,
  type Solver,
} from '../index.ts'; // in a project of your own: 'ropewalk'

/** Goes back to the clean estimate and adds the same noise again, a little less each time. */
const renoise: Solver = function* ({ start, times, schedule, gaussian }) {
  let x = start;
  const noise = gaussian('noise');
  for (let step = 0; step + 1 < times.length; step++) {
    const { clean } = yield { x, t: times[step]!, step };
    const [alpha, sigma] = [schedule.alpha(times[step + 1]!), schedule.sigma(times[step + 1]!)];
    x = clean.map((value, i) => alpha * value + sigma * noise[i]!);
  }
  return x;
};

const [folder = 'models/avatars', out = 'solvers.png'] = process.argv.slice(2);
const pipeline = createDiffusionPipeline({
  engine: createEngine(),
  model: await readModel(folder),
});
const words = [{ id: 0 }];
const pictures = [
  ...(await pipeline.render({ words, seed: 7, count: 3, solver: 'euler' })),
  ...(await pipeline.render({ words, seed: 7, count: 3, solver: renoise })),
];
await pipeline.dispose();
await writeFile(out, await encodePng(await contactSheet(pictures, { columns: 3 })));
console.log(`euler above, renoise below: ${out}`);
