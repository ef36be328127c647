/** Every hook of the positions contract, seen through the diffusion transformer that calls it. */
import { afterEach, expect, it } from 'vitest';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import type { Method } from '../../encoders/positions/contract.ts';
import { pia } from '../../encoders/positions/embed/pia.ts';
import { extentOf, raster } from '../../encoders/positions/grid.ts';
import { POSITION_PRESETS } from '../../encoders/positions/presets.ts';
import { POSITION_METHODS, withMethods } from '../../encoders/positions/registry.ts';
import { compileDiT, placedConstants, placementInputs } from '../../generators/compile.ts';
import { forwardDiT } from '../../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig } from '../../generators/dit-config.ts';
import { initDiT } from '../../generators/dit-weights.ts';
import { type DiTCard, layoutOf } from '../../generators/model.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { largestDifference } from '../close.ts';
import { normals, onBothEngines } from '../encoders/positions/evaluate.ts';

/** Condition tokens join before the second block, so both kinds of block are met. */
const CONFIG: DiTConfig = {
  ...DIT_PRESETS.avatars,
  patch: 2,
  width: 32,
  depth: 2,
  heads: 2,
  hidden: 48,
  condition: { words: 5 },
  context: { tokens: 2, start: 1 },
};
const BATCH = 2;
const trained = raster(3, 4);
const shape = { width: 32, heads: 2, depth: 2, trained };

/** Plain attention, built by a score method; `wrong` gives the same weight to all. */
const scored = (wrong = false): Method => ({
  hook: 'score',
  name: 'scored',
  reducesTo: 'scaled dot products',
  score: ({ q, k, where }) => {
    const heads = (x: typeof q) => x.transpose([0, 2, 1, 3]);
    const logits = tf.matMul(heads(q), heads(k), false, true).div(Math.sqrt(where.headSize));
    return wrong ? logits.mul(0) : logits;
  },
});
/** Plain attention unless what it carries is not what the block before did: rows of weights sum to 1. */
const carried: Method = {
  ...(scored() as Extract<Method, { hook: 'score' }>),
  name: 'carried',
  score: (args) => {
    const { score } = scored() as Extract<Method, { hook: 'score' }>;
    const { carried: state, where } = args;
    if ((where.layer === 0) !== (state === undefined)) throw new Error('carried: lost');
    if (!state) return score(args);
    const off = tf.max(tf.abs(state.rows!.sub(1))).add(state.blocks!.sub(where.layer).abs());
    return score(args).mul(off.mul(-10).add(1));
  },
  carry: ({ attention, carried: state }) => ({
    rows: tf.sum(attention, -1),
    blocks: state ? state.blocks!.add(1) : tf.scalar(1),
  }),
};
/** Values are negated on the way in, and back on the way out where `back` says so. */
const negated = (back: boolean): Method => ({
  hook: 'rotate',
  name: 'negated',
  reducesTo: 'no positions',
  rotate: ({ q, k, v }) => ({ q, k, v: v.neg() }),
  ...(back ? { restore: ({ out }) => out.neg() } : {}),
});
/** Twice the heads, whose mean is taken after attention. */
const doubled: Method = {
  hook: 'rotate',
  name: 'doubled',
  reducesTo: 'no positions',
  rotate: ({ q, k, v }) => {
    const twice = (x: typeof q) => tf.concat([x, x], 2);
    return { q: twice(q), k: twice(k), v: twice(v) };
  },
  restore: ({ out, x, where }) => {
    if (x.shape[2] !== where.heads * where.headSize) throw new Error('doubled: x is lost');
    const [a, b] = tf.split(out, 2, 2);
    return a!.add(b!).div(2);
  },
};
/** Sines and cosines for queries and keys alone. */
const infused = (by: number): Method => ({
  ...pia,
  name: 'infused',
  embed: (args) => pia.embed(args).mul(by),
});
/** Coordinates of the trained range at t = 1, and their own at t = 0. */
const squeezed: Method = {
  hook: 'extend',
  name: 'squeezed',
  of: 'coordinates',
  timed: true,
  reducesTo: 'nothing at t = 0',
  extend: ({ where: { t, grid, trained: from }, ...given }) => {
    const ratio = extentOf(grid).width / extentOf(from).width;
    return { ...given, coordinates: given.coordinates.map((value) => value / ratio ** t!) };
  },
};
const sharpened = (rank: number, by: number): Method => ({
  hook: 'bias',
  name: 'sharpened',
  reducesTo: 'no positions with a factor of 1',
  logitScale: ({ where: { heads } }) => {
    if (rank === 0) return by;
    return tf.fill(rank === 3 ? [heads, 1, 1] : [BATCH, heads, 1, 1], by);
  },
});

onBothEngines('a diffusion transformer', (engine) => {
  afterEach(() => {
    expect(engine.open, 'programs left open').toBe(0);
    expect(tf.memory().numTensors, 'tensors left').toBe(0);
  });

  type Call = {
    extra?: readonly Method[];
    grid?: typeof trained;
    t?: number;
    weights?: HostTensors;
    x?: Float32Array;
  };
  const predict = async (
    choice: PositionConfig,
    { extra = [], grid = trained, t = 0.6, weights = {}, x }: Call = {},
  ): Promise<Float32Array> => {
    const positions = composePositions(choice, shape, withMethods(POSITION_METHODS, ...extra));
    const program = await compileDiT(engine, {
      config: CONFIG,
      positions,
      weights: { ...weightsOf(), ...positions.init(createRng(2)), ...weights },
      grid,
      batch: BATCH,
    });
    const { height, width } = grid as { height: number; width: number };
    const picture = normals('x', [BATCH, 2 * height, 2 * width, 3]);
    const out = await program.run({
      x: { ...picture, ...(x ? { data: x } : {}) },
      t: { data: Float32Array.of(t, t), shape: [BATCH] },
      condition: normals('condition', [BATCH, 5]),
      ...placementInputs(positions, grid, t),
    });
    await program.dispose();
    return out.prediction!.data as Float32Array;
  };
  /** Outputs are of size 1; both sides round differently in float32. */
  const same = (a: Float32Array, b: Float32Array) =>
    expect(largestDifference(a, b)).toBeLessThan(2e-5);
  const other = (a: Float32Array, b: Float32Array) =>
    expect(largestDifference(a, b)).toBeGreaterThan(1e-3);

  it('takes its logits from a score method, with bias and factor', async () => {
    const plain = await predict({ rotate: 'axial' });
    same(await predict({ rotate: 'axial', score: 'scored' }, { extra: [scored()] }), plain);
    other(await predict({ rotate: 'axial', score: 'scored' }, { extra: [scored(true)] }), plain);
    const bias = ['alibi', 'sharpened'];
    const extra = [scored(), sharpened(3, 2)];
    same(await predict({ bias, score: 'scored' }, { extra }), await predict({ bias }, { extra }));
  });

  it('carries a score method its state from block to block', async () => {
    same(await predict({ score: 'carried' }, { extra: [carried] }), await predict({}));
  });

  it('turns values back after attention', async () => {
    const plain = await predict({});
    same(await predict({ rotate: 'negated' }, { extra: [negated(true)] }), plain);
    other(await predict({ rotate: 'negated' }, { extra: [negated(false)] }), plain);
  });

  it('lets a rotation add heads and take them away again', async () => {
    same(await predict({ rotate: 'doubled' }, { extra: [doubled] }), await predict({}));
  });

  it('projects half of the heads where a rotation makes the others', async () => {
    const weights = { ...weightsOf(1), ...plainGains() };
    expect(weights['blocks.0.attn.qkv.weight']!.shape).toEqual([48, 32]);
    const eh = await predict({ rotate: { method: 'rope-pp', form: 'eh' } }, { weights });
    // The same with both heads projected: the second one's queries are those of the first, turned.
    const both = Object.fromEntries(
      Object.entries(weights).map(([name, tensor]) => [
        name,
        name.includes('.qkv.') ? withTurnedHead(tensor) : tensor,
      ]),
    );
    same(await predict({ rotate: 'axial' }, { weights: both }), eh);
    other(await predict({ rotate: 'axial' }, { weights: plainGains() }), eh);
  });

  it('gives each copy of the heads the bias and the factor of its original', async () => {
    const bias = ['alibi', 'sharpened'];
    const extra = [doubled, sharpened(3, 2)];
    same(await predict({ rotate: 'doubled', bias }, { extra }), await predict({ bias }, { extra }));
  });

  it('scales logits by a number, by heads, or by pictures and heads', async () => {
    const scaled = (rank: number, by: number) =>
      predict({ bias: 'sharpened' }, { extra: [sharpened(rank, by)] });
    const byNumber = await scaled(0, 3);
    other(byNumber, await predict({}));
    for (const rank of [3, 4]) same(await scaled(rank, 3), byNumber);
    same(await scaled(3, 1), await predict({}));
  });

  it('adds ALiBi to every block, and nothing with slope 0', async () => {
    const plain = await predict({});
    same(await predict({ bias: { method: 'alibi', slope: 0 } }), plain);
    other(await predict({ bias: 'alibi' }), plain);
    // Offsets only: it does not matter where the grid begins.
    same(
      await predict({ bias: 'alibi', coordinates: 'centred' }),
      await predict({ bias: 'alibi' }),
    );
  });

  it('scales single heads of single blocks, and at another size by its tokens', async () => {
    const scale = (...values: number[]) => ({
      'positions.head-scale.scale': { data: Float32Array.from(values), shape: [2, 2] },
    });
    const plain = await predict({});
    same(await predict({ bias: 'head-scale' }), plain);
    other(await predict({ bias: 'head-scale' }, { weights: scale(1, 1, 1, 3) }), plain);
    const grid = raster(6, 8);
    same(
      await predict({ bias: 'head-scale' }, { grid }),
      await predict({ extend: 'attention-scale' }, { grid }),
    );
    other(await predict({ bias: 'head-scale' }, { grid }), await predict({}, { grid }));
  });

  it('sees far offsets as nearer ones, and through windows', async () => {
    const rotate = { method: 'axial', base: 100 };
    const grid = raster(6, 8);
    const plain = await predict({ rotate }, { grid });
    for (const extend of ['string', 'lm-infinite']) {
      other(await predict({ rotate, extend }, { grid }), plain);
      same(await predict({ rotate, extend }), await predict({ rotate }));
    }
    same(await predict({ rotate, extend: { method: 'string', from: 1 } }, { grid }), plain);
  });

  it('adds PEG after its first block, where condition tokens pass by', async () => {
    const zero = {
      'positions.peg.proj.weight': { data: new Float32Array(32 * 9), shape: [32, 1, 3, 3] },
    };
    same(await predict({ embed: 'peg' }, { weights: zero }), await predict({}));
    other(await predict({ embed: 'peg' }), await predict({}));
  });

  it('adds an embedding to queries and keys but not to values', async () => {
    const plain = await predict({});
    other(await predict({ embed: 'pia' }), plain);
    same(await predict({ embed: 'infused' }, { extra: [infused(0)] }), plain);
    // With every token given the same weight, only values could tell.
    const uniform = (embed: string) =>
      predict({ embed, score: 'scored' }, { extra: [scored(true)] });
    const without = await predict({ score: 'scored' }, { extra: [scored(true)] });
    same(await uniform('pia'), without);
    other(await uniform('sincos2d'), without);
  });

  it('extends coordinates of any method, at every t', async () => {
    const grid = raster(3, 8);
    const call = { extra: [squeezed], grid };
    const alibi = (t: number, extend?: string) =>
      predict({ bias: 'alibi', ...(extend ? { extend } : {}) }, { ...call, t });
    same(await alibi(0, 'squeezed'), await alibi(0));
    other(await alibi(1, 'squeezed'), await alibi(1));
  });

  it('adds a learned table, on other grids too', async () => {
    const zero = {
      'positions.learned.table': { data: new Float32Array(12 * 32), shape: [12, 32] },
    };
    const grid = raster(5, 3);
    same(await predict({ embed: 'learned' }, { weights: zero, grid }), await predict({}, { grid }));
    other(await predict({ embed: 'learned' }, { grid }), await predict({}, { grid }));
  });

  it('turns BiPE into RoPE with tiles of one cell, and into sincos2d with one tile', async () => {
    const tiles = (tile: number): PositionConfig => ({
      coordinates: { method: 'tiles', tile },
      rotate: 'axial',
    });
    same(await predict(tiles(1)), await predict({ rotate: 'axial' }));
    const one = { ...tiles(4), embed: { method: 'within-tile', tile: 4 } };
    same(await predict(one), await predict({ embed: 'sincos2d' }));
    const two = { ...tiles(2), embed: { method: 'within-tile', tile: 2 } };
    other(await predict(two), await predict({ embed: 'sincos2d' }));
    expect(() => composePositions({ ...one, ...tiles(2) }, shape)).toThrow(
      "positions.embed: expected 'within-tile' to have the tile of 'tiles', 2, got 4; give both the same",
    );
    composePositions({ embed: 'within-tile' }, shape); // half of BiPE alone has none to match
  });

  it('cannot tell the order of patches without positions, and can by causal attention', async () => {
    // Patches 0 and 7 of the 3 x 4 are exchanged, in the picture and back in the prediction.
    const exchanged = (data: Float32Array) => {
      const out = data.slice();
      for (const picture of [0, 1])
        for (const [row, column] of [0, 1].flatMap((y) => [0, 1].map((x) => [y, x] as const))) {
          const from = 3 * (picture * 48 + row * 8 + column);
          const to = 3 * (picture * 48 + (row + 2) * 8 + column + 6);
          out.set(data.subarray(to, to + 3), from);
          out.set(data.subarray(from, from + 3), to);
        }
      return out;
    };
    const x = normals('x', [BATCH, 6, 8, 3]).data as Float32Array;
    const both = async (choice: PositionConfig) => ({
      before: await predict(choice),
      after: exchanged(await predict(choice, { x: exchanged(x) })),
    });
    const nope = await both(POSITION_PRESETS.nope);
    same(nope.after, nope.before);
    for (const choice of [POSITION_PRESETS.ledit, { bias: 'causal' }]) {
      const { before, after } = await both(choice);
      other(after, before);
    }
  });

  it('scales logits by ln N over that of the trained grid', async () => {
    const bam = { method: 'ggd-bam', scalable: true };
    same(await predict({ bias: bam }), await predict({ bias: 'ggd-bam' }));
    const grid = raster(6, 8);
    other(await predict({ bias: bam }, { grid }), await predict({ bias: 'ggd-bam' }, { grid }));
  });

  it('is given frequencies and a logit factor at every t', async () => {
    const rotate = { method: 'axial', base: 100 };
    const grid = raster(3, 8);
    const timed = (extend: string, t: number) => predict({ rotate, extend }, { grid, t });
    const plain = (t: number) => predict({ rotate }, { grid, t });
    same(await timed('dype-pi', 0), await plain(0));
    same(await timed('dype-ntk', 0), await plain(0));
    other(await timed('dype-pi', 1), await plain(1));
    // YaRN's temperature stays, even where its frequencies are the trained ones.
    const by = (0.1 * Math.log(2) + 1) ** 2;
    const warm = await predict(
      { rotate, bias: 'sharpened' },
      { grid, t: 0, extra: [sharpened(0, by)] },
    );
    same(await timed('dype-yarn', 0), warm);
    // On the trained grid nothing is extended.
    same(
      await predict({ rotate, extend: 'dype-yarn' }, { t: 1 }),
      await predict({ rotate }, { t: 1 }),
    );
  });
});

it('trains the weights of position methods: gradients agree between engines', async () => {
  const choice = {
    embed: [
      ...['learned', 'learned-at', 'ms-pe', 'peg', 'locality'],
      { method: 'lff', gamma: 2, features: 16, hidden: 8 },
    ],
    rotate: 'axial',
    bias: ['alibi', 'fire', 'causal', 'grape-a', { method: 'ggd-bam', scalable: true }],
    score: 'carried',
  };
  const positions = composePositions(choice, shape, withMethods(POSITION_METHODS, carried));
  const fresh = positions.init(createRng(2));
  // Ten times as steep, so that what bends its inputs has gradients well above float32's noise.
  const steep = fresh['positions.fire.mlp.2.weight']!;
  const own = {
    ...fresh,
    'positions.fire.mlp.2.weight': { ...steep, data: steep.data.map((value) => 10 * value) },
  };
  const names = Object.keys(own);
  const inputs = {
    x: normals('x', [BATCH, 6, 8, 3]),
    t: { data: Float32Array.of(0.2, 0.7), shape: [BATCH] },
    condition: normals('condition', [BATCH, 5]),
  };
  const gradients = async (engine: Engine) => {
    const program = await engine.compile(
      ({ inputs: given, weights }) => {
        const placed = placedConstants(positions.place(trained, 'train'));
        const { x, t, condition } = given as Record<keyof typeof inputs, Tensor>;
        const { grads } = tf.valueAndGrads((...values: Tensor[]) => {
          const learned = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
          const given = { x, t, condition, placed, grid: trained };
          const all = { ...weights, ...learned };
          return tf.mean(tf.square(forwardDiT(CONFIG, positions, all, given))) as tf.Scalar;
        })(names.map((name) => weights[name]!));
        return { outputs: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) };
      },
      {
        inputs: Object.fromEntries(
          Object.entries(inputs).map(([n, { shape: s }]) => [n, { shape: s }]),
        ),
        weights: { ...weightsOf(), ...own },
      },
    );
    const out = await program.run(inputs);
    await program.dispose();
    return out;
  };
  const [onnx, reference] = [
    await gradients(createEngine({ name: 'onnx', threads: 1 })),
    await gradients(createEngine({ name: 'reference' })),
  ];
  for (const name of names) {
    const data = reference[name]!.data as Float32Array;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest, name).toBeGreaterThan(1e-5);
    expect(largestDifference(onnx[name]!.data, data), name).toBeLessThan(1e-4 * largest);
  }
});

it("finds methods of one's own for a model card", () => {
  const card = {
    architecture: 'dit',
    config: CONFIG,
    positions: { score: 'scored' },
    trained: { height: 6, width: 8 },
  } as Pick<DiTCard, 'architecture' | 'config' | 'positions' | 'trained'>;
  const registry = withMethods(POSITION_METHODS, scored());
  expect(layoutOf(card, registry).positions.headSize).toBe(16);
  expect(() => layoutOf(card)).toThrow(/positions\.score: expected one of \(none\), got 'scored'/);
});

/** Initial weights hide all blocks behind zeros, so small numbers are added. */
function weightsOf(projectedHeads = CONFIG.heads): HostTensors {
  return Object.fromEntries(
    Object.entries(initDiT(CONFIG, createRng(1), projectedHeads)).map(
      ([name, { data, shape: size }]) => {
        const noise = normals(name, size).data;
        return [
          name,
          { data: Float32Array.from(data, (v, i) => v + 0.1 * noise[i]!), shape: size },
        ];
      },
    ),
  );
}

/** Queries' norms that weigh all channels alike. */
const plainGains = (): HostTensors =>
  Object.fromEntries(
    [0, 1].map((i) => [
      `blocks.${i}.attn.q_norm.weight`,
      { data: new Float32Array(16).fill(1), shape: [16] },
    ]),
  );

/** Rows of q, k and v of one head [48, ..] -> of two [96, ..], the second with queries a quarter turn back. */
function withTurnedHead({ data, shape: [, ...columns] }: HostTensor): HostTensor {
  const size = columns[0] ?? 1;
  const row = (i: number) => Array.from(data.subarray(i * size, (i + 1) * size));
  const rows = Array.from({ length: 96 }, (_, i) => {
    const [part, head, c] = [Math.floor(i / 32), (i >> 4) % 2, i % 16];
    if (part > 0 || head === 0) return row(16 * part + c);
    return c % 2 === 0 ? row(c + 1) : row(c - 1).map((value) => -value);
  });
  return { data: Float32Array.from(rows.flat()), shape: [96, ...columns] };
}
