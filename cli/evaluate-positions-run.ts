/** Binds the analyses of positions to this process: methods of the registry, models on drawings, the protocol. */
import { join } from 'node:path';
import { POSITION_METHODS } from '../encoders/positions/registry.ts';
import { createTokenizer } from '../encoders/tokenizers/tokenizer.ts';
import { checkOfAvatars } from '../evaluation/check-avatars.ts';
import {
  analyseModel,
  checkPlaces,
  type ModelPositions,
} from '../evaluation/positions/analyse-model.ts';
import {
  canvasSide,
  type DecoderPadding,
  decoderPadding,
} from '../evaluation/positions/decoder-padding.ts';
import { tableOfMethods } from '../evaluation/positions/method-table.ts';
import { ARMS, nopeProtocol, TASKS } from '../evaluation/positions/nope-protocol.ts';
import { type PositionsReport, writePositions } from '../evaluation/positions/report.ts';
import { openAvatarDrawings } from '../evaluation/resolution/reference.ts';
import { ditCard, readModel } from '../generators/model.ts';
import { configOf, readTokenizer } from '../generators/tokenizer-card.ts';
import { checkSize } from '../pipelines/diffusion.ts';
import type { ModelEntry } from '../pipelines/models.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluatePositionsCommand } from './evaluate.ts';
import { chooseModel } from './files.ts';
import { checkWritable } from './pictures.ts';
import { type ProgressLine, progressLine } from './progress.ts';
import { tokenizerFolder } from './tokenize-run.ts';

export async function analysePositions(
  options: EvaluatePositionsCommand,
  context: Context,
): Promise<void> {
  const { out, models: names, sizes } = options;
  const entries: ModelEntry[] = [];
  for (const name of names) entries.push(await chooseModel(name, context));
  const cards = entries.map(({ card }) => ditCard(card));
  for (const card of cards)
    for (const size of sizes ?? [card.trained]) {
      checkSize(size, card);
      checkPlaces(card, size);
    }
  await checkOfAvatars(cards);
  const tokenizers: OpenedTokenizer[] = [];
  for (const name of options.tokenizers)
    tokenizers.push(checkTokenizer(await readTokenizer(tokenizerFolder(name, context))));
  const engine = await openDevice(options, context);
  await checkWritable(out);
  const line = progressLine(context.stderr, () => performance.now());
  line.show('methods');
  const methods = await tableOfMethods({ engine, registry: POSITION_METHODS });
  const models = await analyseAll(options, { entries, engine, context, line });
  const decoders = await decodersAll(options, { tokenizers, engine, context, line });
  const report: PositionsReport = {
    ...{ methods, models, decoders },
    ...(options.protocol ? { protocol: await protocol(engine, context, line) } : {}),
  };
  line.end();
  await writePositions(out, report);
  context.stdout.write(`${join(out, 'positions.html')}\n`);
}

type Given = {
  readonly entries: readonly ModelEntry[];
  readonly engine: Engine;
  readonly context: Context;
  readonly line: ProgressLine;
};

async function analyseAll(
  { cache, pictures, time, sizes }: EvaluatePositionsCommand,
  { entries, engine, context, line }: Given,
): Promise<ModelPositions[]> {
  const found: ModelPositions[] = [];
  for (const { folder, card } of entries) {
    const model = await readModel(folder);
    const all = sizes ?? [card.trained];
    const drawings = await openAvatarDrawings({ sizes: all, count: pictures, cache });
    for (const size of all) {
      context.signal.throwIfAborted();
      line.show(`${card.id} at ${size.width}x${size.height}`);
      const words = Array.from({ length: pictures }, (_, i) => drawings.words(i));
      const at = { drawings: await drawings.at(size), words, t: time };
      found.push(await analyseModel({ engine, model, ...at }));
    }
  }
  return found;
}

type OpenedTokenizer = Awaited<ReturnType<typeof readTokenizer>>;

/** Throws unless a tokenizer is one of drawings, which are squares. */
function checkTokenizer(opened: OpenedTokenizer): OpenedTokenizer {
  const { id, data, trained } = opened.card;
  if (data !== 'avatars')
    throw new RangeError(`evaluate: expected tokenizers of avatars, got '${id}' of '${data}'`);
  if (trained.width !== trained.height)
    throw new RangeError(
      `evaluate: expected tokenizers of squares, got '${id}' of ${trained.width}x${trained.height}`,
    );
  return opened;
}

async function decodersAll(
  { cache, pictures }: EvaluatePositionsCommand,
  {
    tokenizers,
    engine,
    context: { signal },
    line,
  }: Omit<Given, 'entries'> & { readonly tokenizers: readonly OpenedTokenizer[] },
): Promise<DecoderPadding[]> {
  const found: DecoderPadding[] = [];
  for (const { card, weights } of tokenizers) {
    line.show(`the decoder of ${card.id}`);
    const tokenizer = createTokenizer(engine, { config: configOf(card), weights, batch: 1 });
    const side = card.trained.width;
    const canvas = canvasSide(side, tokenizer.factor);
    const size = { height: canvas, width: canvas };
    const drawn = await openAvatarDrawings({ sizes: [size], count: pictures, cache });
    const drawings = await drawn.at(size);
    found.push(await decoderPadding({ id: card.id, tokenizer, side, drawings, signal }));
    await tokenizer.dispose();
  }
  return found;
}

function protocol(engine: Engine, { signal }: Context, line: ProgressLine) {
  let done = 0;
  return nopeProtocol({
    ...{ engine, rng: createRng(0).stream('protocol'), signal },
    onRow: ({ arm, task }) => {
      done++;
      line.show(`protocol: ${done} of ${ARMS.length * TASKS.length} trained (${task}, ${arm})`);
    },
  });
}
