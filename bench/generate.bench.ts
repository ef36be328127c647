/** One picture of the model that ships: the command from a cold start, and a warm pipeline. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel } from '../generators/model.ts';
import { createDiffusionPipeline } from '../pipelines/diffusion.ts';
import { createEngine } from '../tensor/engine.ts';
import { time } from './machine.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODEL = join(ROOT, 'models', 'avatars-64');

/** Needs `npm run build` before it. */
export async function benchGenerate(say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-bench-'));
  const command = [
    join(ROOT, 'dist', 'cli.js'),
    ...['generate', 'avataaars, red hair, glasses', '--model', MODEL, '--out', folder],
    ...['--steps', '25', '--guidance', '2'],
  ];
  const cold = await time(async () => execFileSync('node', command, { stdio: 'ignore' }), {
    runs: 5,
    warm: 1,
  });
  say(
    `cold start of the command: best ${cold.best.toFixed(0)} ms, median ${cold.median.toFixed(0)} ms`,
  );
  say(`its peak memory: ${peakOf(command)} MB`);
  await rm(folder, { recursive: true });

  const pipeline = createDiffusionPipeline({
    engine: createEngine(),
    model: await readModel(MODEL),
  });
  const draw = () => pipeline.render({ words: [{ id: 0 }], seed: 7, steps: 25, guidance: 2 });
  const warm = await time(draw, { runs: 8, warm: 2 });
  say(`warm, one picture: best ${warm.best.toFixed(0)} ms, median ${warm.median.toFixed(0)} ms`);
  await pipeline.dispose();
}

/** Peak resident memory of a command in MB, as the operating system counts it for ended children. */
function peakOf(command: readonly string[]): number {
  const script = `import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)`;
  return Number(execFileSync('python3', ['-c', script, 'node', ...command], { encoding: 'utf8' }));
}
