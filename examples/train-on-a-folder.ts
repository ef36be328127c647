/** Trains on class folders of pictures: `npx tsx examples/train-on-a-folder.ts PICTURES [RUN_FOLDER] [STEPS]`. */
import { createEngine, exportRun, openData, parseTrainingConfig, train } from '../index.ts'; // in a project of your own: 'ropewalk'

const [path = 'pictures', run = 'runs/my-pictures', steps = '2000'] = process.argv.slice(2);
const config = parseTrainingConfig(
  {
    name: 'my-pictures',
    title: 'My pictures',
    licence: 'unknown',
    data: { set: 'folder', size: 32, path },
    model: {
      preset: 'avatars',
      config: { patch: 4, width: 128, depth: 4, hidden: 352 },
      positions: { embed: 'sincos2d', rotate: { method: 'axial', base: 100 } },
    },
    objective: { prediction: 'clean', schedule: 'flow' },
    time: { mean: 1, std: 1.2 },
    optimiser: { muon: { rate: 0.02 }, adamw: { rate: 0.001, embeddings: 0.005 } },
    batch: 16,
    steps: Number(steps),
    rate: { kind: 'constant', decay: 0.3 },
    drop: { all: 0.1, some: 0.3 },
    seed: 1,
    sampling: { solver: 'euler', steps: 25, guidance: 2, shift: 1 },
    every: { checkpoint: 250, heldOut: 250, sheet: 500 },
  },
  'config',
);
const opened = await openData(config.data, { cache: 'cache' });
await train(config, {
  ...opened,
  engine: createEngine(),
  folder: run,
  onStep: ({ step, loss }) => step % 10 === 0 && console.log(`step ${step}: loss ${loss}`),
});
await exportRun(run, { to: `${run}/model`, vocabulary: opened.data.vocabulary });
console.log(`the model is in ${run}/model`);
