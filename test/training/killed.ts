/** The child of run.test.ts: trains into the folder it is given and says when step 7 is done. */
import { createEngine } from '../../tensor/engine.ts';
import { train } from '../../training/run.ts';
import { shapes, tinyConfig } from './tiny.ts';

await train(tinyConfig(), {
  engine: createEngine({ threads: 1 }),
  data: shapes(40),
  heldOut: shapes(16, 9),
  folder: process.argv[2]!,
  onStep: ({ step }) => {
    if (step === 7) process.send?.('step 7');
  },
});
