/** Makes, shows and writes the pictures of `ropewalk generate`. */
import { readFile } from 'node:fs/promises';
import type { PositionChange } from '../encoders/positions/choose.ts';
import type { ModelCard } from '../generators/model.ts';
import type { AnyCard, TokenCard } from '../generators/token-model.ts';
import type { AnyEntry } from '../pipelines/models.ts';
import { createRenderer, type Rendered, resolveRequest } from '../pipelines/render.ts';
import { drafterDigestOf } from '../pipelines/token-decoders.ts';
import { contactSheet, halfBlocks, readRecipe } from '../png.ts';
import {
  describeMatched,
  describeUnmatched,
  type Understood,
  understand,
} from '../prompt-condition.ts';
import { type ImageRequest, parseRecipe, parseRequest, type Recipe } from '../request.ts';
import { SOLVERS } from '../sampling/diffusion/registry.ts';
import type { RowPass } from '../sampling/tokens/decoder.ts';
import { nearest } from '../tensor/nearest.ts';
import type { Engine } from '../tensor/program.ts';
import { VERSION } from '../version.ts';
import { type Context, showsPictures } from './context.ts';
import { deviceOf, openDevice } from './device.ts';
import { readPositionChange } from './extension.ts';
import { chooseAnyModel } from './files.ts';
import type { GenerateOptions } from './generate.ts';
import { checkWritable, writePicture } from './pictures.ts';
import { duration, progressLine } from './progress.ts';
import { checkUnderstood } from './prompt.ts';
import { openTrace, writeTrace } from './trace.ts';

/** Columns of pictures on a sheet. */
const COLUMNS = 6;

export async function generate(
  prompt: string | undefined,
  options: GenerateOptions,
  context: Context,
): Promise<void> {
  const start = performance.now();
  const recipe = options.from === undefined ? undefined : await recipeOf(options.from);
  const entry = await modelOf(options.model, recipe, context);
  const places = options.extend && (await readPositionChange(options.extend));
  const { request, words } = requestOf(prompt, { ...options, places }, entry, recipe);
  resolveRequest(request, entry.card);
  await checkWritable(options.out);
  const passes = options.trace === undefined ? undefined : await openTrace(options.trace, entry);
  for (const line of remarks(words, recipe, entry)) context.stderr.write(`${line}\n`);

  const device = options.device ?? (recipe ? deviceOf(recipe) : 'cpu');
  const { threads } = options;
  const engine = await openDevice(
    { device, ...(threads === undefined ? {} : { threads }) },
    context,
  );
  const rendered = await renderAll(request, { entry, engine, context, ...(passes && { passes }) });
  const paths: string[] = [];
  for (const one of rendered) paths.push(await writePicture(options.out, nameOf(one.recipe), one));
  if (passes)
    await writeTrace(options.trace!, rendered[0]!.picture, passes, entry.card as TokenCard);
  const sheet = options.grid ? await writeSheet(options.out, rendered, request) : undefined;
  const seconds = (performance.now() - start) / 1000;
  report({ rendered, paths, sheet, words, engine, seconds }, options, context);
}

async function recipeOf(path: string): Promise<Recipe> {
  const file = await readFile(path).catch(() => {
    throw new Error(`--from: expected a picture, got '${path}', which cannot be read`);
  });
  const found = readRecipe(file);
  if (found === undefined)
    throw new Error(
      `--from: expected a picture that Ropewalk made, got '${path}' without a recipe`,
    );
  return parseRecipe(found, path);
}

async function modelOf(
  wanted: string | undefined,
  recipe: Recipe | undefined,
  context: Context,
): Promise<AnyEntry> {
  const entry = await chooseAnyModel(wanted ?? recipe?.request.model, context);
  if (wanted === undefined && recipe?.digest && recipe.digest !== entry.card.digest)
    throw new Error(
      `--from: expected the weights that made the picture (SHA-256 ${recipe.digest.slice(0, 12)}...), got '${entry.id}' with ${entry.card.digest.slice(0, 12)}...; pass --model ${entry.id} to use these`,
    );
  const { drafter } = recipe ?? {};
  const own = recipe && drafterDigestOf(recipe.request.sampling, entry.card);
  if (wanted === undefined && drafter !== undefined && drafter !== own)
    throw new Error(
      `--from: expected the drafter that the picture was made with (SHA-256 ${drafter.slice(0, 12)}...), got '${entry.id}' with ${own ? `${own.slice(0, 12)}...` : 'none'}; pass --model ${entry.id} to use it as it is`,
    );
  return entry;
}

function requestOf(
  prompt: string | undefined,
  options: GenerateOptions & { readonly places: PositionChange | undefined },
  { card }: AnyEntry,
  recipe: Recipe | undefined,
): { request: ImageRequest; words: readonly Understood[] } {
  const before = recipe?.request;
  const read = (where: string, text: string) => {
    const understood = understand(text, card);
    if (!options.skipUnknown) checkUnderstood(where, understood);
    return understood;
  };
  const asked = prompt === undefined ? undefined : read('words', prompt);
  const negative =
    options.negative === undefined ? undefined : read('--negative', options.negative);
  const away = negative?.condition ?? before?.negative;
  const position = positionOf(options, before);
  const request = {
    version: 1,
    model: card.id,
    condition: asked?.condition ?? before?.condition ?? [],
    ...(away ? { negative: away } : {}),
    seed: options.seed ?? before?.seed ?? 0,
    count: options.count ?? before?.count ?? 1,
    size: options.size ??
      before?.size ?? { width: card.trained.width, height: card.trained.height },
    ...(position ? { position } : {}),
    sampling:
      card.architecture === 'ar'
        ? tokenSampling(options, card, before)
        : diffusionSampling(options, card, before),
  };
  const words = [asked, negative].filter((one) => one !== undefined);
  return { request: parseRequest(request, 'generate'), words };
}

type Micro = NonNullable<ImageRequest['position']>['micro'];

/** Extensions and options of coordinates, all of them asked for anew, and what a model with micro-conditioning is told. */
function positionOf(
  { places, ...told }: ToldOptions & { readonly places: PositionChange | undefined },
  before: ImageRequest | undefined,
) {
  const { micro: toldBefore, ...placesBefore } = before?.position ?? {};
  const micro = microOf(told, toldBefore);
  const position = { ...(places ?? placesBefore), ...(micro === undefined ? {} : { micro }) };
  return Object.keys(position).length > 0 ? position : undefined;
}

type ToldOptions = Pick<GenerateOptions, 'micro' | 'originalSize' | 'crop'>;

function microOf({ micro, originalSize, crop: cut }: ToldOptions, before: Micro): Micro {
  if (micro !== undefined && (originalSize || cut))
    throw new RangeError(
      `--micro: expected none with --original-size or --crop, which say what is told, got '${micro}'; leave one out`,
    );
  if (micro !== undefined) return micro;
  if (typeof before === 'string' && !originalSize && !cut) return before;
  const was = typeof before === 'object' ? before : {};
  const [original, crop] = [originalSize ?? was.original, cut ?? was.crop];
  if (!original && !crop) return undefined;
  return { ...(original ? { original } : {}), ...(crop ? { crop } : {}) };
}

type Sampled = Pick<
  GenerateOptions,
  | 'solver'
  | 'steps'
  | 'guidance'
  | 'guidanceSchedule'
  | 'interval'
  | 'decoder'
  | 'temperature'
  | 'topK'
  | 'topP'
  | 'minP'
>;

function diffusionSampling(
  options: Sampled,
  card: ModelCard,
  before: ImageRequest | undefined,
): unknown {
  const ofTokens = ['decoder', 'temperature', 'topK', 'topP', 'minP', 'guidanceSchedule'] as const;
  checkUnused(options, ofTokens, card);
  const was = before?.sampling.kind === 'diffusion' ? before.sampling : undefined;
  const between = options.interval ?? was?.guidance;
  return {
    kind: 'diffusion',
    solver: solverOf(options.solver) ?? was?.solver ?? card.sampling.solver,
    steps: options.steps ?? was?.steps ?? card.sampling.steps,
    scheduleOptions: was?.scheduleOptions ?? { shift: card.sampling.shift },
    guidance: {
      scale: options.guidance ?? was?.guidance?.scale ?? card.sampling.guidance,
      ...(between?.from === undefined ? {} : { from: between.from }),
      ...(between?.to === undefined ? {} : { to: between.to }),
    },
  };
}

/** What the card would decide is written out, so that the recipe holds it. */
function tokenSampling(
  options: Sampled,
  card: TokenCard,
  recipe: ImageRequest | undefined,
): unknown {
  checkUnused(options, ['solver', 'steps'], card);
  const was = recipe?.sampling.kind === 'tokens' ? recipe.sampling : card.sampling;
  const { decoder, temperature, topK, topP, minP, guidance } = options;
  const asked = { temperature, topK, topP, minP, guidance };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  // Options belong to their decoder: another one has its own, or none.
  const none = { decoderOptions: undefined, guidanceOptions: undefined };
  const { decoder: name, decoderOptions, guidanceOptions, ...before } = { ...none, ...was };
  const drawn = decoder ?? { name, options: decoderOptions ?? {} };
  const guided = {
    ...{ ...guidanceOptions, ...options.interval },
    ...(options.guidanceSchedule === undefined ? {} : { schedule: options.guidanceSchedule }),
  };
  return {
    ...{ kind: 'tokens', ...before, decoder: drawn.name },
    ...(Object.keys(drawn.options).length > 0 ? { decoderOptions: drawn.options } : {}),
    ...(Object.keys(guided).length > 0 ? { guidanceOptions: guided } : {}),
    ...Object.fromEntries(given),
  };
}

function checkUnused(options: Sampled, names: readonly (keyof Sampled)[], card: AnyCard): void {
  const name = names.find((one) => options[one] !== undefined);
  if (name === undefined) return;
  const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new RangeError(
    `--${option}: expected none, as '${card.id}' does not sample so, got ${JSON.stringify(options[name])}; leave it out`,
  );
}

function solverOf(name: string | undefined): string | undefined {
  if (name === undefined || name in SOLVERS) return name;
  const near = nearest(name, Object.keys(SOLVERS));
  throw new RangeError(
    `--solver: expected ${Object.keys(SOLVERS).join(', ')}, got '${name}'${near.length > 0 ? `; nearest: ${near.join(', ')}` : ''}`,
  );
}

function remarks(
  words: readonly Understood[],
  recipe: Recipe | undefined,
  { card }: AnyEntry,
): string[] {
  const lines = words.flatMap((one) => [
    ...(one.matched.length > 0 ? [`matched ${describeMatched(one)}`] : []),
    ...(one.unmatched.length > 0 ? [`not matched ${describeUnmatched(one)}`] : []),
  ]);
  const software = `ropewalk ${VERSION}`;
  if (recipe && recipe.software !== software)
    lines.push(
      `the picture was made by ${recipe.software}, this is ${software}: pixels may differ`,
    );
  if (recipe?.digest && recipe.digest !== card.digest)
    lines.push('the picture was made by other weights: pixels will differ');
  return lines;
}

async function renderAll(
  request: ImageRequest,
  {
    entry,
    engine,
    context,
    passes,
  }: { entry: AnyEntry; engine: Engine; context: Context; passes?: RowPass[] },
): Promise<Rendered[]> {
  const renderer = createRenderer({ engine, models: { models: [entry], broken: [] } });
  const line = progressLine(context.stderr, () => performance.now());
  const start = performance.now();
  try {
    return await renderer.render(request, {
      signal: context.signal,
      onPass: (pass, first) => {
        if (first === 0) passes?.push(pass[0]!);
      },
      onStep: ({ step, steps }) => {
        const left = ((performance.now() - start) / 1000 / step) * (steps - step);
        line.show(`step ${step} of ${steps}, ${duration(left)} left`);
      },
    });
  } finally {
    line.end();
    await renderer.dispose();
  }
}

const nameOf = ({ request: { model, seed, size } }: Recipe): string =>
  `${model}-${size.width}x${size.height}-seed-${seed}`;

async function writeSheet(out: string, rendered: readonly Rendered[], request: ImageRequest) {
  const pictures = rendered.map(({ picture }) => picture);
  const columns = Math.min(COLUMNS, Math.ceil(Math.sqrt(pictures.length)));
  const recipe = { ...rendered[0]!.recipe, request };
  const picture = await contactSheet(pictures, { columns });
  return writePicture(out, `${nameOf(recipe)}-sheet`, { picture, recipe });
}

type Report = {
  readonly rendered: readonly Rendered[];
  readonly paths: readonly string[];
  readonly sheet: string | undefined;
  readonly words: readonly Understood[];
  readonly engine: Engine;
  readonly seconds: number;
};

function report(
  { rendered, paths, sheet, words, engine, seconds }: Report,
  { json }: GenerateOptions,
  context: Context,
): void {
  const { stdout } = context;
  if (json) {
    const found = {
      pictures: rendered.map(({ recipe }, i) => ({ path: paths[i], recipe })),
      ...(sheet === undefined ? {} : { sheet }),
      matched: words.flatMap(({ matched }) => matched),
      unmatched: words.flatMap(({ unmatched }) => unmatched),
      engine: engine.name,
      provider: engine.provider,
      seconds,
    };
    stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  if (showsPictures(context))
    stdout.write(halfBlocks(rendered[0]!.picture, Math.min(64, stdout.columns!)));
  for (const path of [...paths, ...(sheet === undefined ? [] : [sheet])]) stdout.write(`${path}\n`);
}
