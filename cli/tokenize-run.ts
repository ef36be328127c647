/** Runs `ropewalk tokenize`. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import { configOf, readTokenizer } from '../generators/tokenizer-card.ts';
import { nearest } from '../tensor/nearest.ts';
import { openData } from '../training/data/open.ts';
import { writeTokenCache } from '../training/data/token-cache.ts';
import { tokenizeData } from '../training/data/tokenize.ts';
import { type Context, modelFolders } from './context.ts';
import { openDevice } from './device.ts';
import { checkWritable } from './pictures.ts';
import { progressLine } from './progress.ts';
import type { TokenizeCommand } from './tokenize.ts';

const SETS = ['avatars', 'emoji'] as const;

export async function tokenize(
  wanted: string,
  name: string,
  options: TokenizeCommand,
  context: Context,
): Promise<void> {
  const model = await readTokenizer(tokenizerFolder(wanted, context));
  const { trained, config } = model.card;
  const { factor } = tokenizerParts(configOf({ config })).network;
  const size = options.size ?? trained.width;
  if (size % factor !== 0)
    throw new RangeError(
      `--size: expected a multiple of ${factor}, which is a token's side, got ${size}`,
    );
  const set = dataOf(name);
  await checkWritable(dirname(options.out));
  if (existsSync(options.out) && !statSync(options.out).isFile())
    throw new Error(`--out: expected the name of a file, got the folder '${options.out}'`);
  const engine = await openDevice(options, context);
  const line = progressLine(context.stderr, () => performance.now());
  const { count, cache } = options;
  const opened = await openData(
    { ...set, size, ...(count === undefined ? {} : { count }) },
    { cache, onProgress: (done) => line.show(`${done} pictures drawn`) },
  );
  const data = options.heldOut ? opened.heldOut : opened.data;
  const tokens = await tokenizeData({
    engine,
    model,
    data,
    signal: context.signal,
    onProgress: (done) => line.show(`${done} of ${data.length} pictures`),
  });
  line.end();
  await writeTokenCache(options.out, tokens);
  context.stdout.write(`${options.out}\n`);
}

function dataOf(name: string): Parameters<typeof openData>[0] {
  const set = SETS.find((known) => known === name);
  if (set) return { set, size: 0 };
  if (existsSync(name) && statSync(name).isDirectory())
    return { set: 'folder', size: 0, path: name };
  const [near] = nearest(name, SETS);
  throw new RangeError(
    `tokenize: expected ${SETS.join(', ')} or a folder of pictures, got '${name}'${near ? `; did you mean '${near}'?` : ''}`,
  );
}

/** A tokenizer by its id or, with a slash, its folder. */
export function tokenizerFolder(wanted: string, context: Context): string {
  if (wanted.includes('/')) return wanted;
  const folders = modelFolders(context).map((folder) => join(folder, wanted));
  const found = folders.find((folder) => existsSync(join(folder, 'tokenizer.json')));
  if (found !== undefined) return found;
  throw new RangeError(
    `tokenizer: expected one in ${folders.join(' or ')}, got none; train one with \`ropewalk train\`, or name its folder`,
  );
}
