/** The token networks that are measured: LlamaGen-B, and the shape of the model that ships. Weights are random. */
import { composePositions, type PositionConfig } from '../encoders/positions/compose.ts';
import { raster } from '../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../encoders/positions/rotate/axial.ts';
import { AR_PRESETS, type ARConfig } from '../generators/ar-config.ts';
import { createARSession } from '../generators/ar-session.ts';
import { shapesOfAR } from '../generators/ar-weights.ts';
import { createCache } from '../generators/compile-ar.ts';
import type { TokenNetwork } from '../pipelines/sessions.ts';
import { guided } from '../sampling/tokens/guided.ts';
import { sequential } from '../sampling/tokens/sequential.ts';
import type { Engine, HostTensor, HostTensors, Precision } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { sizeOf } from '../tensor/shape.ts';

export type NamedNetwork = TokenNetwork & { readonly name: 'gpt-b' | 'avatars-ar' };
type Rows = { readonly batch: number; readonly precision?: Precision };

const GRID = raster(16, 16);
const GUIDANCE = 2;

export function createTokenNetworks(): NamedNetwork[] {
  const shipped: ARConfig = { ...AR_PRESETS['avatars-ar'], condition: { words: 1198, tokens: 16 } };
  const llamagen = { rotate: { method: 'axial', ...AXIAL_PRESETS.llamagen } };
  return [
    network('gpt-b', AR_PRESETS['gpt-b'], llamagen),
    network('avatars-ar', shipped, { rotate: { method: 'axial', base: 100 } }),
  ];
}

function network(
  name: NamedNetwork['name'],
  config: ARConfig,
  methods: PositionConfig,
): NamedNetwork {
  const { width, heads } = config;
  const positions = composePositions(methods, { width, heads, trained: GRID });
  return { name, config, positions, grid: GRID, weights: someWeights(config) };
}

/** Values do not matter to the time, but no two matrices may be alike: constants that are equal are kept once. */
function someWeights(config: ARConfig): HostTensors {
  const rng = createRng(0);
  return Object.fromEntries(
    Object.entries(shapesOfAR(config)).map(([name, shape]) => {
      const data = new Float32Array(sizeOf(shape));
      const start = rng.uint32() % 2003;
      for (let i = 0; i < data.length; i++)
        data[i] = 0.02 * (((start + i * 7919) % 2003) / 1000 - 1);
      return [name, { data, shape }];
    }),
  );
}

/** A session of `batch` rows that has conditions and was started. */
export async function openSession(
  engine: Engine,
  network: TokenNetwork,
  { batch, precision }: Rows,
) {
  const shape = { ...network, batch };
  const cache = createCache(engine, shape);
  const session = createARSession(engine, {
    ...shape,
    cache,
    ...(precision === undefined ? {} : { precision }),
  });
  session.condition(conditionOf(network.config, batch));
  await session.start();
  return session;
}

function conditionOf({ condition }: ARConfig, batch: number): HostTensor {
  if ('classes' in condition) return { data: new Int32Array(batch).fill(7), shape: [batch] };
  const size = 'words' in condition ? condition.words : condition.tokens * condition.text;
  return { data: new Float32Array(batch * size).fill(0.1), shape: [batch, size] };
}

/** Draws all tokens of `count` guided pictures, one place a pass. */
export async function openDrawing(
  engine: Engine,
  network: TokenNetwork,
  { count, precision }: { readonly count: number; readonly precision?: Precision },
) {
  const session = await openSession(engine, network, {
    batch: 2 * count,
    ...(precision === undefined ? {} : { precision }),
  });
  const model = guided(session, GUIDANCE);
  const rngs = Array.from({ length: count }, (_, i) => createRng(i));
  const tokens = Array.from({ length: 2 * count }, () => ({ tokens: [0] }));
  for (let i = 0; i < 3; i++) await session.forward(tokens); // the passes that decoding takes
  return {
    cache: session.cache,
    draw: () => sequential().decode(model, { rngs }),
    dispose: () => session.dispose(),
  };
}
