/**
 * What is made for one token model to draft its tokens, found through its card: a smaller model
 * (`drafter` inside, or beside under its id), a store of what followed its hidden states
 * (`retrieval.safetensors`) and a network that guesses several tokens a pass (`block.safetensors`). Nothing is read before it is asked for.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSchema } from '../schema.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import { checkTensors, readSafetensors, writeSafetensors } from '../tensor/safetensors.ts';
import type { ARConfig } from './ar-config.ts';
import { shapesOfAR } from './ar-weights.ts';
import { type BlockConfig, BlockSchema, shapesOfBlock } from './block-drafter.ts';
import { checkDigest, digestOf, readCardFile } from './model.ts';
import { type Drafters, TokenCard } from './token-model.ts';

export type NetworkFiles = { readonly card: TokenCard; readonly weights: HostTensors };
/** Pictures as a store: `matrix` [C, r], `keys` [N, T - 1, r] of the states before tokens 1 ... of `tokens` [N, T]. */
export type RetrievalFiles = Readonly<Record<'matrix' | 'keys' | 'tokens', HostTensor>>;
export type DrafterFiles = {
  readonly network?: () => Promise<NetworkFiles>;
  readonly retrieval?: () => Promise<RetrievalFiles>;
  readonly block?: () => Promise<BlockFiles>;
};
export type BlockFiles = { readonly config: BlockConfig; readonly weights: HostTensors };

const RETRIEVAL = 'retrieval.safetensors';
const BLOCK = 'block.safetensors';

/** The drafters that a model's card names. */
export function drafterFiles(folder: string, card: TokenCard): DrafterFiles {
  const { network, retrieval, block } = card.drafters ?? {};
  return {
    ...(network ? { network: () => readNetwork(folder, card, network) } : {}),
    ...(retrieval ? { retrieval: () => readRetrieval(folder, card, retrieval) } : {}),
    ...(block ? { block: () => readBlock(folder, card, block) } : {}),
  };
}

async function readNetwork(
  folder: string,
  model: TokenCard,
  { id, digest }: NonNullable<Drafters['network']>,
): Promise<NetworkFiles> {
  const places = [join(folder, 'drafter'), join(folder, '..', id)];
  const found = places.find((place) => existsSync(join(place, 'model.json')));
  if (found === undefined)
    throw new Error(
      `model '${model.id}': expected its drafter '${id}' in ${places.join(' or ')}, got none; put it there, or take another drafter`,
    );
  const drafter = await readDrafter(found);
  if (drafter.card.digest !== digest)
    throw new Error(
      `model '${model.id}': expected a drafter with SHA-256 ${digest.slice(0, 12)}..., got '${drafter.card.id}' with ${drafter.card.digest.slice(0, 12)}...`,
    );
  checkDrafter(drafter.card, model);
  return drafter;
}

/** A token model without its tokenizer. */
export async function readDrafter(folder: string): Promise<NetworkFiles> {
  const card = checkSchema(TokenCard, await readCardFile(folder), join(folder, 'model.json'));
  const path = join(folder, 'model.safetensors');
  await checkDigest(path, card.digest);
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, shapesOfAR(card.config as ARConfig), path);
  return { card, weights: tensors };
}

/** Throws unless a drafter's tokens and words mean what the model's mean. */
export function checkDrafter(drafter: TokenCard, model: TokenCard): void {
  const where = `drafter '${drafter.id}'`;
  if (drafter.tokenizer.digest !== model.tokenizer.digest)
    throw new RangeError(
      `${where}: expected the codes of '${model.tokenizer.id}' (SHA-256 ${model.tokenizer.digest.slice(0, 12)}...) as '${model.id}' has them, got those of '${drafter.tokenizer.id}' (${drafter.tokenizer.digest.slice(0, 12)}...)`,
    );
  const sizeOf = ({ trained: { width, height } }: TokenCard) => `${width}x${height}`;
  if (sizeOf(drafter) !== sizeOf(model))
    throw new RangeError(
      `${where}: expected pictures of ${sizeOf(model)} as '${model.id}' draws them, got ${sizeOf(drafter)}`,
    );
  if (drafter.vocabulary.join('\n') !== model.vocabulary.join('\n'))
    throw new RangeError(
      `${where}: expected the ${model.vocabulary.length} words of '${model.id}', got ${drafter.vocabulary.length}, or others; train both on the same data`,
    );
}

async function readRetrieval(
  folder: string,
  { id, digest: model, config, tokenizer, trained }: TokenCard,
  { digest }: NonNullable<Drafters['retrieval']>,
): Promise<RetrievalFiles> {
  const path = join(folder, RETRIEVAL);
  if (!existsSync(path))
    throw new Error(
      `model '${id}': expected its store ${path}, got none; make it with \`ropewalk drafters\`, or take another drafter`,
    );
  await checkDigest(path, digest);
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.model !== model)
    throw new Error(
      `${path}: expected hidden states of the weights ${model.slice(0, 12)}..., got those of ${metadata.model?.slice(0, 12)}...; make it anew with \`ropewalk drafters\``,
    );
  const T = (trained.height / tokenizer.factor) * (trained.width / tokenizer.factor);
  const [N, r] = [tensors.tokens?.shape[0] ?? 0, tensors.matrix?.shape[1] ?? 0];
  checkTensors(tensors, { matrix: [config.width, r], keys: [N, T - 1, r], tokens: [N, T] }, path);
  const { matrix, keys, tokens } = tensors as RetrievalFiles;
  return { matrix, keys, tokens };
}

async function readBlock(
  folder: string,
  { id, tokenizer, vocabulary }: TokenCard,
  { digest }: NonNullable<Drafters['block']>,
): Promise<BlockFiles> {
  const path = join(folder, BLOCK);
  if (!existsSync(path))
    throw new Error(
      `model '${id}': expected its block drafter ${path}, got none; train it with \`ropewalk drafters\`, or take another drafter`,
    );
  await checkDigest(path, digest);
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.codebook !== tokenizer.digest)
    throw new Error(
      `${path}: expected a drafter of the codebook ${tokenizer.digest.slice(0, 12)}..., got one of ${metadata.codebook?.slice(0, 12)}...`,
    );
  const config = checkSchema(BlockSchema, JSON.parse(metadata.config ?? 'null'), path);
  if (config.words !== vocabulary.length)
    throw new RangeError(
      `${path}: expected the ${vocabulary.length} words of '${id}', got ${config.words}`,
    );
  checkTensors(tensors, shapesOfBlock(config), path);
  return { config, weights: tensors };
}

/** Puts a smaller model inside of a model's folder and names it in its card. */
export async function addNetwork(folder: string, card: TokenCard, from: string): Promise<void> {
  const drafter = (await readDrafter(from)).card;
  checkDrafter(drafter, card);
  const to = join(folder, 'drafter');
  await mkdir(to, { recursive: true });
  for (const file of ['model.safetensors', 'model.json'])
    await cp(join(from, file), join(to, file));
  const { id, digest } = drafter;
  await writeCard(folder, { ...card, drafters: { ...card.drafters, network: { id, digest } } });
}

/** Puts a store into a model's folder and names it in its card. */
export async function addRetrieval(
  folder: string,
  card: TokenCard,
  store: RetrievalFiles,
): Promise<void> {
  const path = join(folder, RETRIEVAL);
  const metadata = { model: card.digest };
  await writeSafetensors(path, store, { dtype: 'F16', metadata });
  const retrieval = { digest: await digestOf(path) };
  await writeCard(folder, { ...card, drafters: { ...card.drafters, retrieval } });
}

/** Puts a block drafter into a model's folder and names it in its card. */
export async function addBlock(
  folder: string,
  card: TokenCard,
  { config, weights }: BlockFiles,
): Promise<void> {
  const path = join(folder, BLOCK);
  const metadata = { codebook: card.tokenizer.digest, config: JSON.stringify(config) };
  await writeSafetensors(path, weights, { dtype: 'F16', metadata });
  const block = { digest: await digestOf(path) };
  await writeCard(folder, { ...card, drafters: { ...card.drafters, block } });
}

const writeCard = (folder: string, card: TokenCard): Promise<void> =>
  replaceFile(join(folder, 'model.json'), (file) =>
    writeFully(file, new TextEncoder().encode(`${JSON.stringify(card, null, 2)}\n`)),
  );
