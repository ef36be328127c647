/** Examines the machine: what Ropewalk needs, what is optional, and what to do about what is missing. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { encodePng } from './png.ts';
import { describeOnnx, tryProvider } from './tensor/engines/describe.ts';
import { loadTensorflow } from './tensor/engines/load-tensorflow.ts';
import type { Provider } from './tensor/program.ts';

export type Finding = {
  readonly name: string;
  readonly ok: boolean;
  /** Whether Ropewalk can make pictures without it. */
  readonly optional: boolean;
  readonly detail: string;
  /** What to do when it is not ok. */
  readonly advice?: string;
};

export type Examination = {
  /** Folders that are searched for models. */
  readonly models: readonly string[];
  /** Where native TensorFlow is or would be installed (tensorflowFolder). */
  readonly tensorflow: string;
};

const NODE = [20, 20, 2] as const;
/** Peak of one picture of the shipped model, rounded up; training takes more. */
const MEMORY = 1e9;
/** The software GPU that comes with Debian's Chromium. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Everything, in the order of a report. Nothing is printed and nothing is changed. */
export async function examine({ models, tensorflow }: Examination): Promise<Finding[]> {
  const onnx = describeOnnx();
  return [
    node(),
    memory(),
    cores(),
    { name: 'onnxruntime', ok: true, optional: false, detail: onnx.version },
    await provider('cpu', onnx.providers),
    await provider('webgpu', onnx.providers),
    await provider('cuda', onnx.providers),
    await pictures(),
    drawings(),
    await nativeTensorflow(tensorflow),
    await modelFolders(models),
  ];
}

function node(): Finding {
  const found = process.versions.node.split('.').map(Number);
  const differing = NODE.findIndex((part, i) => part !== found[i]);
  const ok = differing < 0 || found[differing]! > NODE[differing]!;
  const base = { name: 'node', ok, optional: false, detail: process.versions.node };
  return ok ? base : { ...base, advice: `install Node.js ${NODE.join('.')} or later` };
}

function memory(): Finding {
  const [free, total] = [freemem(), totalmem()];
  const detail = `${gigabytes(free)} of ${gigabytes(total)} GB free`;
  // Free memory swings, and the system gives back what it caches: only the total decides.
  const ok = total >= MEMORY;
  const base = { name: 'memory', ok, optional: false, detail };
  return ok ? base : { ...base, advice: `use a machine with ${gigabytes(MEMORY)} GB or more` };
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

const cores = (): Finding => ({
  name: 'cores',
  ok: true,
  optional: false,
  detail: `${availableParallelism()}`,
});

async function provider(
  name: Provider,
  carried: Readonly<Record<Provider, boolean>>,
): Promise<Finding> {
  const base = { name: `onnx ${name}`, optional: name !== 'cpu' };
  if (!carried[name]) {
    const advice =
      name === 'cuda'
        ? 'on an NVIDIA GPU reinstall onnxruntime-node without ONNXRUNTIME_NODE_INSTALL=skip, or use webgpu'
        : 'reinstall onnxruntime-node';
    return { ...base, ok: false, detail: 'not in the installed onnxruntime-node', advice };
  }
  const problem = await tryProvider(name);
  if (problem === undefined) return { ...base, ok: true, detail: 'works' };
  return { ...base, ok: false, detail: problem, advice: PROVIDER_ADVICE[name] };
}

const PROVIDER_ADVICE: Readonly<Record<Provider, string>> = {
  cpu: 'reinstall onnxruntime-node; it needs a 64-bit system with glibc 2.28 or later',
  cuda: 'install the CUDA 12 and cuDNN 9 libraries, or use webgpu',
  webgpu: existsSync(SWIFTSHADER)
    ? `install a Vulkan driver, or use the software GPU: VK_ICD_FILENAMES=${SWIFTSHADER}`
    : 'install libvulkan1 and a Vulkan driver; for a software GPU on Debian: apt-get install libvulkan1 chromium-common',
};

async function pictures(): Promise<Finding> {
  const base = { name: 'sharp', optional: false };
  try {
    await encodePng({ data: new Uint8Array(12), width: 2, height: 2 });
    return { ...base, ok: true, detail: packageVersion('sharp') ?? 'works' };
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { ...base, ok: false, detail, advice: 'reinstall sharp for this platform' };
  }
}

/** The drawings of the `avatars` data set. */
function drawings(): Finding {
  const names = ['@dicebear/core', '@dicebear/collection'];
  const versions = names.map((name) => [name, packageVersion(name)] as const);
  const missing = versions.filter(([, version]) => version === undefined).map(([name]) => name);
  const base = { name: 'dicebear', ok: missing.length === 0, optional: true };
  if (base.ok) return { ...base, detail: versions.map((entry) => entry.join(' ')).join(', ') };
  return {
    ...base,
    detail: `missing: ${missing.join(', ')}`,
    advice: `only to train on the avatars data set: npm install ${missing.join(' ')}`,
  };
}

/** The version of an installed package, read from its manifest: some do not export it. */
function packageVersion(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const manifest = join(folder, name, 'package.json');
    if (existsSync(manifest)) return (require(manifest) as { version: string }).version;
  }
  return undefined;
}

async function nativeTensorflow(folder: string): Promise<Finding> {
  const base = { name: 'tensorflow', optional: true };
  if (!existsSync(join(folder, 'installed.json'))) {
    return {
      ...base,
      ok: false,
      detail: 'not installed',
      advice: 'only for the tensorflow engine: ropewalk doctor --install tensorflow',
    };
  }
  try {
    const { version, device } = await loadTensorflow(folder);
    return { ...base, ok: true, detail: `${version} on the ${device} in ${folder}` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ...base, ok: false, detail, advice: 'ropewalk doctor --install tensorflow' };
  }
}

async function modelFolders(folders: readonly string[]): Promise<Finding> {
  const found: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder).catch(() => []);
    found.push(...entries.filter((id) => existsSync(join(folder, id, 'model.json'))));
  }
  const base = { name: 'models', ok: found.length > 0, optional: false };
  if (base.ok) return { ...base, detail: found.join(', ') };
  return {
    ...base,
    detail: `none in ${folders.join(', ')}`,
    advice: 'train one with `ropewalk train CONFIG`, or name its folder in ROPEWALK_MODELS',
  };
}
