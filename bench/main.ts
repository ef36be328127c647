/** `npm run bench [-- NAME]`: prints the machine, the commit and one part's measurements, or all parts'. */
import { describeMachine } from './machine.ts';

const PARTS: Record<string, (say: (line: string) => void) => Promise<void>> = {
  engine: async (say) => (await import('./engine.bench.ts')).benchEngine(say),
  tensorflow: async (say) => (await import('./engine.bench.ts')).benchTensorflow(say),
  generate: async (say) => (await import('./generate.bench.ts')).benchGenerate(say),
  /** Needs a Python with bench/peers/requirements.txt: PEER_PYTHON, or python3. */
  peers: async (say) => (await import('./peers.bench.ts')).benchPeers(say, process.env.PEER_PYTHON),
  scaling: async (say) => (await import('./scaling.bench.ts')).benchScaling(say),
  positions: async (say) => (await import('./positions.bench.ts')).benchPositions(say),
  /** Takes some minutes. */
  evaluate: async (say) => (await import('./evaluate.bench.ts')).benchEvaluate(say),
  tokens: async (say) => (await import('./tokens.bench.ts')).benchTokens(say),
  serve: async (say) => (await import('./serve.bench.ts')).benchServe(say),
  memory: async (say) => (await import('./memory.bench.ts')).benchMemory(say),
};

const [name] = process.argv.slice(2);
if (name !== undefined && !PARTS[name]) {
  console.error(`bench: expected one of ${Object.keys(PARTS).join(', ')}, got '${name}'`);
  process.exit(2);
}
console.log(describeMachine());
for (const [part, run] of Object.entries(PARTS)) {
  if (name !== undefined && part !== name) continue;
  console.log(`\n${part}`);
  await run((line) => console.log(line));
}
