/** Runs `ropewalk drafters`. */
import {
  addBlock,
  addNetwork,
  addRetrieval,
  type BlockFiles,
  type RetrievalFiles,
  readDrafter,
} from '../generators/token-drafters.ts';
import type { TokenCard } from '../generators/token-model.ts';
import { createRng } from '../tensor/rng.ts';
import { trainBlock } from '../training/block-training.ts';
import { readTokenCache } from '../training/data/token-cache.ts';
import { buildRetrieval, checkTokens } from '../training/retrieval-store.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import type { DraftersCommand } from './drafters.ts';
import { chooseAnyModel } from './files.ts';
import { progressLine } from './progress.ts';

export async function giveDrafters(
  wanted: string,
  options: DraftersCommand,
  context: Context,
): Promise<void> {
  const { network, retrieval, block } = options;
  if (network === undefined && retrieval === undefined && block === undefined)
    throw new RangeError(
      'drafters: expected --network, --retrieval or --block, got none; say what is to draft',
    );
  const { folder } = await tokenModel(wanted, context);
  const smaller = network === undefined ? undefined : await tokenModel(network, context);
  if (retrieval !== undefined) {
    const store = await storeOf(folder, retrieval, options, context);
    await addRetrieval(folder, (await readDrafter(folder)).card, store);
  }
  if (block !== undefined) {
    const trained = await blockOf(folder, block, options, context);
    await addBlock(folder, (await readDrafter(folder)).card, trained);
  }
  if (smaller) await addNetwork(folder, (await readDrafter(folder)).card, smaller.folder);
  context.stdout.write(`${folder}\n`);
}

async function tokenModel(
  wanted: string,
  context: Context,
): Promise<{ readonly folder: string; readonly card: TokenCard }> {
  const { id, folder, card } = await chooseAnyModel(wanted, context);
  if (card.architecture === 'ar') return { folder, card };
  throw new RangeError(`drafters: expected a token model, got '${id}', which has no tokens`);
}

async function storeOf(
  folder: string,
  path: string,
  { pictures, numbers, ...device }: DraftersCommand,
  context: Context,
): Promise<RetrievalFiles> {
  const model = await readDrafter(folder);
  const data = await readTokenCache(path, { codebook: model.card.tokenizer.digest });
  const engine = await openDevice(device, context);
  const line = progressLine(context.stderr, () => performance.now());
  try {
    return await buildRetrieval({
      ...{ engine, model, data, pictures, reduced: numbers, signal: context.signal },
      rng: createRng(0).stream('retrieval'),
      onProgress: (done) => line.show(`${done} of ${pictures} pictures read`),
    });
  } finally {
    line.end();
  }
}

/** Half as wide as the model, two blocks deep. */
async function blockOf(
  folder: string,
  path: string,
  { slots, pool, steps, ...device }: DraftersCommand,
  context: Context,
): Promise<BlockFiles> {
  const { card } = await readDrafter(folder);
  const data = await readTokenCache(path, { codebook: card.tokenizer.digest });
  checkTokens('block drafter', card, data);
  const heads = Math.max(1, Math.floor(card.config.heads / 2));
  const width = 4 * heads * Math.ceil(card.config.width / (8 * heads));
  const config = {
    ...{ codes: card.config.codes, words: card.vocabulary.length, width, depth: 2, heads },
    ...{ hidden: 3 * width, slots, rows: Math.min(2, data.tokens.shape[1]!), pool },
  };
  const engine = await openDevice(device, context);
  const line = progressLine(context.stderr, () => performance.now());
  try {
    const weights = await trainBlock({
      ...{ engine, config, data, steps, batch: 32, rate: 2e-3, signal: context.signal },
      rng: createRng(0).stream('block'),
      onStep: ({ step, loss }) => line.show(`step ${step} of ${steps}: loss ${loss.toFixed(4)}`),
    });
    return { config, weights };
  } finally {
    line.end();
  }
}
