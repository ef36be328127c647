/**
 * LlamaGen's transformer (FoundationVision/LlamaGen): teacher-forced logits, losses and gradients, and
 * greedy generation through the cache, with and without guidance, of classes and of captions.
 */
import { Type } from 'typebox';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import { forwardAR } from '../../generators/ar.ts';
import { type ARConfig, llamaHidden } from '../../generators/ar-config.ts';
import { createARSession } from '../../generators/ar-session.ts';
import { shapesOfAR } from '../../generators/ar-weights.ts';
import { placedConstants } from '../../generators/compile.ts';
import { createCache } from '../../generators/compile-ar.ts';
import type { TokenModel } from '../../sampling/tokens/contract.ts';
import { createFilter } from '../../sampling/tokens/filters.ts';
import { guided } from '../../sampling/tokens/guided.ts';
import { checkSchema } from '../../schema.ts';
import { crossEntropy } from '../../tensor/ops/cross-entropy.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { checkTensors } from '../../tensor/safetensors.ts';
import { type Tensors, tf } from '../../tensor/tf.ts';
import type { Computed } from './compare.ts';
import { type Fixture, floatsOf, hostOf, numbersOf, outputsOf, shapeOf } from './fixture.ts';
import { evaluate, lossAndGradients } from './gradients.ts';
import { weightsOf } from './network.ts';

const Count = Type.Integer({ minimum: 1 });
const Config = Type.Object({
  dim: Count,
  n_layer: Count,
  n_head: Count,
  multiple_of: Count,
  vocab_size: Count,
  cls_token_num: Count,
  block_size: Count,
  class_dropout_prob: Type.Number(),
  num_classes: Type.Optional(Count),
  caption_dim: Type.Optional(Count),
});

function describe(fixture: Fixture) {
  const given = checkSchema(Config, fixture.config, 'config');
  const { cls_token_num: tokens, num_classes: classes, caption_dim: text } = given;
  const config: ARConfig = {
    codes: given.vocab_size,
    width: given.dim,
    depth: given.n_layer,
    heads: given.n_head,
    hidden: llamaHidden(given.dim, given.multiple_of),
    condition: classes === undefined ? { text: text!, tokens } : { classes },
  };
  const weights = weightsOf(fixture);
  checkTensors(weights, shapesOfAR(config), 'weights');
  const side = Math.sqrt(given.block_size);
  const grid = raster(side, side);
  const positions = composePositions(
    { rotate: { method: 'axial', ...AXIAL_PRESETS.llamagen } },
    { width: given.dim, heads: given.n_head, trained: grid },
  );
  return { config, weights, grid, positions, dropped: given.class_dropout_prob };
}
type Described = ReturnType<typeof describe>;

const int32 = (values: readonly number[], shape: readonly number[]): HostTensor => ({
  data: Int32Array.from(values),
  shape,
});

/** The batch of the published training step: conditions dropped where its random numbers say so. */
function batchOf(fixture: Fixture, { config, weights, dropped }: Described): HostTensors {
  const isDropped = numbersOf(fixture, 'in/drop').map((draw) => draw < dropped);
  const tokens = int32(numbersOf(fixture, 'in/idx'), shapeOf(fixture, 'in/idx'));
  const { condition: kind } = config;
  if ('classes' in kind) {
    const classes = numbersOf(fixture, 'in/y').map((y, i) => (isDropped[i] ? kind.classes : y));
    return { tokens, condition: int32(classes, [classes.length]) };
  }
  const captions = hostOf(fixture, 'in/cap');
  const none = weights['cls_embedding.uncond_embedding']!.data as Float32Array;
  for (const [i, gone] of isDropped.entries())
    if (gone) (captions.data as Float32Array).set(none, i * none.length);
  return {
    tokens,
    condition: captions,
    present: presentIn(fixture, tokens.shape[0]!, captions.shape[1]!),
    valid: hostOf(fixture, 'in/valid'),
  };
}

/** The last row of the published mask [B, 1, L, L] says which words of a caption are there. */
function presentIn(fixture: Fixture, batch: number, words: number): HostTensor {
  const mask = floatsOf(fixture, 'in/mask');
  const L = shapeOf(fixture, 'in/mask')[2]!;
  const data = new Float32Array(batch * words);
  for (let row = 0; row < batch; row++)
    data.set(mask.subarray((row + 1) * L * L - L).subarray(0, words), row * words);
  return { data, shape: [batch, words] };
}

const logitsOf = ({ config, positions, grid }: Described, weights: Tensors, inputs: Tensors) =>
  forwardAR(config, positions, weights, {
    tokens: inputs.tokens!,
    condition: inputs.condition!,
    ...(inputs.present ? { present: inputs.present } : {}),
    placed: placedConstants(positions.place(grid, 'sample')),
    grid,
  });

/** Mean over tokens of the pictures that are valid. */
function lossOf(described: Described, weights: Tensors, inputs: Tensors) {
  const logits = logitsOf(described, weights, inputs);
  const each = tf.mean(crossEntropy(logits, inputs.tokens!), 1);
  const { valid } = inputs;
  return { logits, loss: valid ? tf.sum(each.mul(valid)).div(tf.sum(valid)) : tf.mean(each) };
}

async function trained(fixture: Fixture, engine: Engine, described: Described) {
  const { logits, loss } = await evaluate(
    ({ inputs, weights }) => ({ outputs: lossOf(described, weights, inputs) }),
    { engine, inputs: batchOf(fixture, described), weights: described.weights },
  );
  return { train_logits: logits!, train_loss: loss! };
}

/** 'gen_cfg2_int3' -> scale 2, up to three tokens after the first; no guidance is scale 1. */
function guidanceIn(name: string): { scale: number; until: number } {
  const [, scale = '1', until] = /^gen_(?:nocfg|cfg([\d.]+)(?:_int(\d+))?)$/.exec(name) ?? [];
  return {
    scale: Number(scale),
    until: until === undefined ? Number.POSITIVE_INFINITY : Number(until),
  };
}

/** Every greedy generation that the fixture has an output of: its tokens, and its logits. */
async function generated(fixture: Fixture, engine: Engine, described: Described) {
  const computed: Record<string, Computed> = {};
  const names = outputsOf(fixture).filter((name) => /^gen_.*(?<!_logits)$/.test(name));
  for (const name of names) {
    const { scale, until } = guidanceIn(name);
    const asked = conditionsOf(fixture, described, scale !== 1);
    const batch = asked.condition.shape[0]!;
    const shape = { ...described, batch };
    const session = createARSession(engine, { ...shape, cache: createCache(engine, shape) });
    session.condition(asked.condition, asked.present);
    // Its steps count from the second token on, and guidance ends after step `until`.
    const model =
      scale === 1 ? session : guided(session, (place) => (place - 1 > until ? 1 : scale));
    const { tokens, logits } = await greedy(model);
    await session.dispose();
    Object.assign(computed, { [name]: tokens, [`${name}_logits`]: logits });
  }
  return computed;
}

/** The conditions of a generation, with as many null ones behind them for guidance. */
function conditionsOf(
  fixture: Fixture,
  { config, weights }: Described,
  withNull: boolean,
): { condition: HostTensor; present?: HostTensor } {
  const { condition: kind } = config;
  if ('classes' in kind) {
    const classes = numbersOf(fixture, 'in/gen_y');
    const all = [...classes, ...(withNull ? classes.map(() => kind.classes) : [])];
    return { condition: int32(all, [all.length]) };
  }
  const words = numbersOf(fixture, 'in/emb_masks');
  const [batch, P, W] = shapeOf(fixture, 'in/cap') as [number, number, number];
  const captions = floatsOf(fixture, 'in/cap').map((v, i) => v * words[Math.floor(i / W)]!);
  const none = weights['cls_embedding.uncond_embedding']!.data as Float32Array;
  const rows = withNull ? 2 * batch : batch;
  const data = new Float32Array(rows * P * W);
  data.set(captions);
  for (let row = batch; row < rows; row++) data.set(none, row * P * W);
  // The published code masks null captions as it does those that they stand for.
  const present = Float32Array.from({ length: rows * P }, (_, i) => words[i % words.length]!);
  return { condition: { data, shape: [rows, P, W] }, present: { data: present, shape: [rows, P] } };
}

/** The likeliest token at every place: tokens [B, T] and logits [B, T, V]. */
async function greedy(model: TokenModel): Promise<{ tokens: number[]; logits: Float32Array }> {
  const { batch, length, vocabulary } = model;
  const tokens = new Array<number>(batch * length);
  const logits = new Float32Array(batch * length * vocabulary);
  let said = await model.start();
  for (let place = 0; place < length; place++) {
    const rows = Array.from({ length: batch }, (_, row) => {
      const own = said.subarray(row * vocabulary, (row + 1) * vocabulary);
      logits.set(own, (row * length + place) * vocabulary);
      const token = own.indexOf(Math.max(...own));
      tokens[row * length + place] = token;
      return { tokens: [token] };
    });
    if (place === length - 1) break;
    said = (await model.forward(rows)).logits;
    for (let row = 0; row < batch; row++) model.commit(row, 1);
  }
  return { tokens, logits };
}

export async function gpt(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const described = describe(fixture);
  return {
    ...(await trained(fixture, engine, described)),
    ...(await generated(fixture, engine, described)),
    ...filtered(fixture),
  };
}

/** 'probs_k5_p1.0_t0.8': the law after temperature, top-k (0: all) and top-p of every row of logits. */
function filtered(fixture: Fixture): Record<string, Computed> {
  const pattern = /^probs_k(\d+)_p([\d.]+)_t([\d.]+)$/;
  const found = outputsOf(fixture).flatMap((name) => {
    const [, topK, topP, temperature] = (pattern.exec(name) ?? []).map(Number);
    return topK === undefined ? [] : [{ name, topK, topP: topP!, temperature: temperature! }];
  });
  return Object.fromEntries(
    found.map(({ name, topK, ...filters }) => {
      const logits = floatsOf(fixture, 'in/filt');
      const size = shapeOf(fixture, 'in/filt')[1]!;
      const filter = createFilter(topK === 0 ? filters : { ...filters, topK }, size);
      const rows = Array.from({ length: logits.length / size }, (_, row) =>
        filter(logits.subarray(row * size, (row + 1) * size)),
      );
      return [name, rows.flatMap((law) => [...law])];
    }),
  );
}

export async function gptGradients(
  fixture: Fixture,
  engine: Engine,
): Promise<Record<string, Computed>> {
  const described = describe(fixture);
  return lossAndGradients(({ weights, inputs }) => lossOf(described, weights, inputs).loss, {
    engine,
    inputs: batchOf(fixture, described),
    weights: described.weights,
  });
}
