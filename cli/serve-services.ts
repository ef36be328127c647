/** What the server is given besides the queue: models, configurations, reports, and what this machine is. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Jobs } from '../jobs/jobs.ts';
import { describeModel } from '../pipelines/describe.ts';
import { findModel, watchModels, withoutFolders } from '../pipelines/models.ts';
import { resolveRequest } from '../pipelines/render.ts';
import { readConfigFile } from '../training/config.ts';
import type { ModelView, ReportView, Services } from '../web/services.ts';
import { type Context, packageFolder } from './context.ts';
import type { ServeOptions } from './serve.ts';
import { allModelFolders } from './worker.ts';

export function createServices(jobs: Jobs, options: ServeOptions, context: Context): Services {
  const folders = allModelFolders(options, context).map((folder) => resolve(folder));
  const told = (sentence: string) => withoutFolders(sentence, [...folders, resolve(options.data)]);
  const models = watchModels(folders);
  const views = new WeakMap<object, ModelView>();
  const viewOf = (card: Parameters<typeof describeModel>[0]): ModelView => {
    const view = views.get(card) ?? describeModel(card);
    views.set(card, view);
    return view;
  };
  return {
    jobs,
    models: {
      list: async () => (await models()).models.map(({ card }) => viewOf(card)),
      broken: async () =>
        (await models()).broken.map(
          ({ folder, reason }) => `${basename(folder)} cannot be used: ${told(reason)}`,
        ),
      check: async (request) => {
        resolveRequest(request, findModel(request.model, await models()).card);
      },
    },
    async checkConfig(input) {
      const { checkJob } = await import('../workers/check.ts'); // with all that measures: seldom needed
      await checkJob(input, { folders, data: resolve(options.data) }).catch((error) => {
        error.message = told(error.message);
        throw error;
      });
    },
    configs,
    reports: reportsIn(join(options.data, 'reports')),
    system: async () => systemOf(options, context),
  };
}

/** Those of `training/configs`, the shortest run first; what they extend is filled in. */
async function configs() {
  const folder = join(packageFolder(), 'training', 'configs');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const all = await Promise.all(
    names.map(async (name) => ({
      name: basename(name, '.json'),
      config: (await readConfigFile(join(folder, name))) as { readonly steps: number },
    })),
  );
  return all.sort((a, b) => a.config.steps - b.config.steps);
}

/** Reports that the page shows. */
const KINDS = new Set(['resolution', 'decoding']);

/** A folder a report, named by the job that made it. */
function reportsIn(parent: string): Services['reports'] {
  const read = async (id: string, name: string) => {
    if (!/^\w[\w.-]*$/.test(id) || !/^\w[\w.-]*$/.test(name)) return undefined;
    const at = (...path: string[]) => readFile(join(parent, id, ...path)).catch(() => undefined);
    return (await at(name)) ?? (await at('charts', name));
  };
  const viewOf = async (id: string): Promise<ReportView[]> => {
    const about = await read(id, 'about.json');
    if (!about) return [];
    const { mtimeMs } = await stat(join(parent, id, 'about.json'));
    const { kind, title } = JSON.parse(about.toString()) as Pick<ReportView, 'kind' | 'title'>;
    return KINDS.has(kind) ? [{ id, kind, title, createdAt: Math.round(mtimeMs) }] : [];
  };
  return {
    async list() {
      const found = await Promise.all((await readdir(parent).catch(() => [])).map(viewOf));
      return found.flat().sort((a, b) => b.createdAt - a.createdAt);
    },
    async read(id) {
      const report = await read(id, 'report.json');
      return report === undefined ? undefined : JSON.parse(report.toString());
    },
    file: read,
  };
}

function systemOf({ data, device, worker }: ServeOptions, { env }: Context) {
  return {
    engine: device === 'tensorflow' || device === 'reference' ? device : 'onnx',
    provider: device,
    worker: worker ? 'here, a process of its own' : 'elsewhere',
    queue: env.REDIS_URL ? 'Redis' : env.DATABASE_URL ? 'PostgreSQL' : 'embedded',
    history: env.DATABASE_URL ? 'PostgreSQL' : `embedded, in ${data}`,
    storage: env.STORAGE_URL ? env.STORAGE_URL.split(':')[0]! : `files in ${data}`,
    cores: availableParallelism(),
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${platform()} ${arch()}`,
    node: process.versions.node,
  };
}
