/** Runs `ropewalk drafters`. */
import {
  addNetwork,
  addRetrieval,
  type RetrievalFiles,
  readDrafter,
} from '../generators/token-drafters.ts';
import type { TokenCard } from '../generators/token-model.ts';
import { createRng } from '../tensor/rng.ts';
import { readTokenCache } from '../training/data/token-cache.ts';
import { buildRetrieval } from '../training/retrieval-store.ts';
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
  if (options.network === undefined && options.retrieval === undefined)
    throw new RangeError(
      'drafters: expected --network, --retrieval or both, got none; say what is to draft',
    );
  const { folder } = await tokenModel(wanted, context);
  const smaller =
    options.network === undefined ? undefined : await tokenModel(options.network, context);
  if (options.retrieval !== undefined) {
    const store = await storeOf(folder, options.retrieval, options, context);
    await addRetrieval(folder, (await readDrafter(folder)).card, store);
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
