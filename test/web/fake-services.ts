/**
 * Services without networks, for tests of the server and for building the page: two models' cards, pictures
 * that show their seed as colours, trainings with a curve.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { JobHandler, Jobs, JobTask } from '../../jobs/jobs.ts';
import { encodePng, type Picture } from '../../png.ts';
import { formatParameters, type ImageRequest, type Recipe } from '../../request.ts';
import { VERSION } from '../../version.ts';
import type { ModelView, Services } from '../../web/services.ts';
import { createFakeJobs, promptOf } from './fake-jobs.ts';
import { fakeDecoding, fakeResolution, fakeTrace } from './fake-reports.ts';

const VOCABULARY = [
  ...['style=avataaars', 'style=big smile', 'style=pixel art'],
  ...['hair color=red', 'hair color=blue', 'hair color=black', 'hair length=short'],
  ...['hair length=long', 'eyes color=blue', 'eyes color=green', 'glasses=yes', 'glasses=no'],
];

const common = {
  licence: 'CC0-1.0',
  digest: '0'.repeat(64),
  parameters: 33_000_000,
  data: 'drawings',
  vocabulary: VOCABULARY,
  styles: { 'style=pixel art': VOCABULARY.filter((word) => !word.startsWith('glasses')) },
  trained: { width: 64, height: 64 },
  positions: { coordinates: 'raw', rotate: 'axial' },
  numbers: { FID: 9.5, steps: 1_000_000 },
};

export const MODELS: readonly ModelView[] = [
  {
    ...common,
    id: 'avatars',
    title: 'Avatars',
    architecture: 'dit',
    size: { multiple: 4, largestSide: 512, fixed: false, trained: { width: 64, height: 64 } },
    sampling: {
      kind: 'diffusion',
      solver: 'dpmpp-2m',
      steps: 20,
      guidance: 2,
      shift: 1,
      solvers: ['euler', 'heun', 'ddim', 'dpmpp-2m'],
      extensions: [
        { name: 'none', title: 'None', options: [] },
        {
          name: 'yarn',
          title: 'YaRN',
          options: [{ name: 'beta', kind: 'number', default: 32, minimum: 1, maximum: 64 }],
        },
      ],
    },
  },
  {
    ...common,
    id: 'avatars-tokens',
    title: 'Avatars, token by token',
    architecture: 'ar',
    size: { multiple: 16, largestSide: 64, fixed: true, trained: { width: 64, height: 64 } },
    sampling: {
      kind: 'tokens',
      decoder: 'sequential',
      temperature: 1,
      topK: 100,
      guidance: 2,
      decoders: [
        { name: 'sequential', title: 'Sequential', options: [], exactness: 'identical' },
        {
          name: 'sjd',
          title: 'Speculative Jacobi',
          options: [{ name: 'window', kind: 'integer', default: 16, minimum: 1, maximum: 64 }],
          exactness: 'lossless',
        },
        { name: 'zipar', title: 'ZipAR', options: [], exactness: 'approximate' },
      ],
    },
  },
];

export type FakeOptions = {
  /** Milliseconds of a step. */
  readonly step?: number;
  /** Waiting jobs that the queue takes. */
  readonly limit?: number;
};

export function createFakeServices({ step = 1, limit = 10_000 }: FakeOptions = {}): Services {
  const jobs = createFakeJobs({ limit });
  const working = jobs.work(
    async (task) => {
      if (task.job.input.kind === 'render') await load(task.job.input.request);
      return fakeHandler(step)(task);
    },
    { concurrency: 1 },
  );
  const kept = new Set<string>();
  const load = async ({ model }: ImageRequest) => {
    if (kept.has(model)) return;
    kept.add(model);
    const worker = await working;
    worker.loaded(model, 0.2);
    worker.keeps([...kept].map((id) => ({ id, bytes: 924_000_000 })));
  };
  const reports = [
    { id: 'sizes', kind: 'resolution', title: 'Sizes of avatars', createdAt: 1_790_000_000_000 },
    { id: 'decoders', kind: 'decoding', title: 'Decoders', createdAt: 1_790_000_000_000 },
  ] as const;
  return {
    jobs,
    models: {
      list: async () => MODELS,
      broken: async () => ["models: expected a model.json in 'half', got none"],
      check: checkByCard,
    },
    checkConfig: async (input) => {
      if (input.kind === 'train' && 'brokn' in input.config)
        throw new TypeError("request: 'config': expected no key 'brokn'; known keys are 'data'");
    },
    configs: async () => [{ name: 'avatars', config: { data: { kind: 'avatars' } } }],
    reports: {
      list: async () => reports,
      read: async (id) => (id === 'sizes' ? fakeResolution() : fakeDecoding),
      file: async (_, name) =>
        ['chart.png', 'secret.txt', 'sheet-avatars-1.png'].includes(name)
          ? picture(3, 320, 240)
          : undefined,
    },
    system: async () => ({ engine: 'onnx', provider: 'cpu', cores: 2, storage: 'memory' }),
  };
}

/** In the words of the toolkit's own check. */
export async function checkByCard({ model, size, condition }: ImageRequest): Promise<void> {
  const card = MODELS.find(({ id }) => id === model)!;
  for (const side of ['width', 'height'] as const)
    if (size[side] % card.size.multiple !== 0 || size[side] > card.size.largestSide)
      throw new RangeError(
        `size.${side}: expected a multiple of the patch (${card.size.multiple}) from ${card.size.multiple} to ${card.size.largestSide}, got ${size[side]}`,
      );
  const unknown = condition
    .map((word) => (typeof word === 'string' ? word : word.word))
    .find((word) => !card.vocabulary.includes(word));
  if (unknown !== undefined)
    throw new RangeError(`condition: expected a known name, got '${unknown}'`);
}

export const fakeHandler =
  (step: number): JobHandler =>
  async (task) => {
    const { input } = task.job;
    if (input.kind === 'render') return render(task, input.request, step);
    for (let k = 1; k <= 20; k++) {
      await wait(step, undefined, { signal: task.signal });
      const heldOut = k % 5 === 0 ? { heldOutLoss: 1.2 / k } : {};
      task.point({ step: k, values: { loss: 1 / k, ...heldOut } });
      if (input.kind === 'train' && k % 10 === 0) task.preview(k, await picture(k, 96, 64));
      task.progress({ step: k, steps: 20, eta: (step * (20 - k)) / 1000, done: 0 });
    }
    if (input.kind === 'train') return { model: 'new-model' };
    if (input.kind === 'evaluate' && input.what === 'trace')
      return fakeTrace(input.config.request as ImageRequest);
    return { report: 'sizes' };
  };

async function render(task: JobTask, request: ImageRequest, step: number): Promise<void> {
  const steps = 'steps' in request.sampling ? request.sampling.steps : 16;
  const { width, height } = request.size;
  let done = task.existing.size;
  for (let index = 0; index < request.count; index++) {
    if (task.existing.has(index)) continue;
    const seed = request.seed + index;
    for (let k = 1; k <= steps; k++) {
      await wait(step, undefined, { signal: task.signal });
      const eta = (step * (steps - k + steps * (request.count - index - 1))) / 1000;
      const all = { step: done * steps + k, steps: request.count * steps };
      task.progress({ ...all, eta, done });
      task.preview(index, await picture(seed, 16, 16, k / steps));
    }
    const prompt = promptOf(request.condition);
    const recipe = recipeOf({ ...request, seed, count: 1 });
    const png = await encodePng(pixels(seed, width, height), {
      recipe,
      parameters: formatParameters(recipe),
    });
    await task.picture(index, png, { model: request.model, prompt, seed, width, height, recipe });
    done++;
  }
}

const recipeOf = (request: ImageRequest): Recipe => ({
  version: 1,
  software: `ropewalk ${VERSION}`,
  engine: 'fake',
  provider: 'cpu',
  request,
});

/** Rings whose colours and centre come from the seed; paler the earlier. */
function pixels(seed: number, width: number, height: number, clear = 1): Picture {
  const hash = (k: number) => (Math.imul((seed % 2 ** 31) + 1, 2_654_435_761 + 2 * k) >>> 8) % 256;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const far = Math.hypot(x / width - hash(3) / 256, y / height - hash(4) / 256);
      const ring = 0.5 + 0.5 * Math.cos(far * (10 + (hash(5) % 20)));
      for (let c = 0; c < 3; c++)
        data[(y * width + x) * 3 + c] = 255 - clear * (255 - ring * hash(c));
    }
  return { data, width, height };
}

const picture = (seed: number, width: number, height: number, clear?: number): Promise<Buffer> =>
  encodePng(pixels(seed, width, height, clear));

/** Until a job is over. */
export async function ended(jobs: Jobs, id: string): Promise<void> {
  for (;;) {
    const job = await jobs.get(id);
    if (job?.finishedAt !== undefined) return;
    await wait(2);
  }
}
