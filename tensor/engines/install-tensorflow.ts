/**
 * Installs native TensorFlow into a folder of its own, beside no package.json of the user's: the
 * sources of @tensorflow/tfjs-node, compiled against the C library inside a Python wheel of
 * TensorFlow. tfjs-node's own installer needs a download host and an old TensorFlow without CUDA 12.
 *
 * tfjs-node asks for a tfjs of its own; two copies would share one registry of backends but not
 * one Tensor class, and it is 290 MB. Here `@tensorflow/tfjs` is a package of one line that hands
 * over the tfjs which is already running (see load-tensorflow.ts).
 */
import { access, mkdir, mkdtemp, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError, type CommandOptions, runCommand } from './run-command.ts';
import {
  addCuda,
  checkDigest,
  downloadTensorflow,
  readWheelName,
  TENSORFLOW_VERSION,
  unpackTensorflow,
} from './tensorflow-wheel.ts';

const TFJS_NODE = '4.22.0';
const NODE_API_HEADERS = '1.9.0';
/** The newest Node-API that tfjs-node declares; it names the folder where it looks for its addon. */
const NAPI = 8;
/** Rounded up from what an installation was seen to take. */
const SIZES = {
  cpu: { download: '215 MB', disk: '0.65 GB', free: 1.2e9 },
  gpu: { download: '2.3 GB', disk: '3.5 GB', free: 6.5e9 },
} as const;

export type InstallOptions = {
  /** Where to put it; replaced as a whole when it exists. See tensorflowFolder. */
  readonly folder: string;
  /** With CUDA, for NVIDIA GPUs. */
  readonly gpu?: boolean | undefined;
  /** A wheel of TensorFlow that is already here, instead of a download. */
  readonly wheel?: string | undefined;
  readonly version?: string | undefined;
  /** Told what happens, a line at a time; what will be downloaded comes first. */
  readonly say?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What an installation says of itself, in `installed.json`. */
export type Installed = {
  readonly package: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';
  readonly tensorflow: string;
  readonly gpu: boolean;
  readonly sha256: string;
};

/** The folder of an installation under the user's cache folder (such as ~/.cache). */
export function tensorflowFolder(
  cache: string,
  { gpu = false, version = TENSORFLOW_VERSION }: { gpu?: boolean; version?: string } = {},
): string {
  return join(cache, 'ropewalk', `tensorflow-${version}${gpu ? '-gpu' : ''}`);
}

/** Builds in a temporary folder beside `folder` and renames it, so a failure leaves nothing behind. */
export async function installTensorflow(options: InstallOptions): Promise<Installed> {
  const { gpu = false, say = () => {}, signal } = options;
  const folder = resolve(options.folder);
  const version = await checkRequest(options);
  const size = SIZES[gpu ? 'gpu' : 'cpu'];
  await checkMachine(signal);
  await mkdir(dirname(folder), { recursive: true });
  await checkSpace(dirname(folder), size.free);
  say(
    `TensorFlow ${version} (${gpu ? 'CUDA 12' : 'CPU'}) into ${folder}: ${options.wheel && !gpu ? 'no download but npm packages (9 MB)' : `downloads about ${size.download}`}, takes ${size.disk} on disk`,
  );
  const building = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const installed = await build(building, version, { ...options, gpu, say });
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
    say(`installed in ${folder}`);
    return installed;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Returns the version to install. */
async function checkRequest({ gpu = false, wheel, version }: InstallOptions): Promise<string> {
  if (wheel !== undefined) {
    const found = readWheelName(wheel);
    await access(wheel).catch(() => {
      throw new Error(`installTensorflow: expected a wheel file, found none at ${wheel}`);
    });
    if (found.gpu !== gpu || (version !== undefined && version !== found.version)) {
      throw new RangeError(
        `installTensorflow: expected a wheel of ${gpu ? 'tensorflow' : 'tensorflow-cpu'} ${version ?? ''}, got ${basename(wheel)}; leave out the version, and ask for the GPU with the project "tensorflow" only`,
      );
    }
    version = found.version;
  }
  const wanted = version ?? TENSORFLOW_VERSION;
  const minor = /^2\.(\d+)\.\d+$/.exec(wanted)?.[1];
  if (minor === undefined || Number(minor) < 12) {
    throw new RangeError(
      `installTensorflow: expected a version from 2.12.0 on (the first wheels with a C library of their own), got ${wanted}`,
    );
  }
  return wanted;
}

/** What each program is for, in the words of the error when it is missing. */
const PROGRAMS = [
  ['npm', ['--version'], 'npm is missing; it comes with Node.js'],
  ['g++', ['--version'], 'the compiler g++ is missing (Debian: apt-get install g++)'],
  [
    'python3',
    ['-m', 'pip', '--version'],
    'python3 with pip is missing (Debian: apt-get install python3-pip)',
  ],
] as const;

async function checkMachine(signal: AbortSignal | undefined): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `installTensorflow: expected Linux on x64, which TensorFlow's wheels are for, got ${process.platform} on ${process.arch}; use the onnx engine here`,
    );
  }
  for (const [program, args, sentence] of PROGRAMS) {
    await runCommand(program, args, { signal }).catch((error) => {
      if (signal?.aborted) throw error;
      throw new Error(`installTensorflow: ${sentence}`, { cause: error });
    });
  }
}

async function checkSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new Error(
    `installTensorflow: expected ${(needed / 1e9).toFixed(1)} GB free in ${folder}, got ${((bavail * bsize) / 1e9).toFixed(1)} GB; free some, or choose another folder`,
  );
}

type Building = InstallOptions & { readonly gpu: boolean; readonly say: (line: string) => void };

async function build(folder: string, version: string, options: Building): Promise<Installed> {
  const { gpu, say, signal } = options;
  const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  say(`npm: ${name}@${TFJS_NODE}`);
  await installPackages(folder, name, { cwd: folder, signal });
  const addon = join(folder, 'node_modules', name);
  const deps = join(addon, 'deps');
  const wheels = join(folder, 'wheels');

  if (options.wheel === undefined) say(`pip: ${gpu ? 'tensorflow' : 'tensorflow-cpu'} ${version}`);
  const wheel = options.wheel ?? (await downloadTensorflow(wheels, { gpu, version, signal }));
  const { sha256, known } = await checkDigest(wheel);
  say(`${basename(wheel)}: sha256 ${sha256}${known ? ' as expected' : ' (never tried with this)'}`);
  await unpackTensorflow(resolve(wheel), deps, { signal });
  if (gpu) {
    say('pip: the CUDA libraries of NVIDIA (1.7 GB)');
    await addCuda(deps, join(folder, 'wheels-cuda'), { signal });
  }
  say('g++: the addon');
  await compile(folder, addon, { signal });
  await checkAddon(addonPath(addon), { signal });
  for (const rest of ['wheels', 'wheels-cuda']) {
    await rm(join(folder, rest), { recursive: true, force: true });
  }
  const installed: Installed = { package: name, tensorflow: version, gpu, sha256 };
  await writeFile(join(folder, 'installed.json'), `${JSON.stringify(installed, undefined, 2)}\n`);
  return installed;
}

const addonPath = (addon: string): string =>
  join(addon, 'lib', `napi-v${NAPI}`, 'tfjs_binding.node');

/** A private package whose tfjs is the one that is running. */
async function installPackages(folder: string, name: string, options: CommandOptions) {
  // One kernel of tfjs-node asks for tfjs-core, which tfjs exports as well.
  const bridges = { '@tensorflow/tfjs': 'file:./tfjs', '@tensorflow/tfjs-core': 'file:./tfjs' };
  const manifest = {
    name: 'ropewalk-tensorflow',
    private: true,
    dependencies: { [name]: TFJS_NODE, 'node-api-headers': NODE_API_HEADERS, ...bridges },
    overrides: bridges,
  };
  const bridge = { name: '@tensorflow/tfjs', version: TFJS_NODE, main: 'index.cjs' };
  const code = "module.exports = globalThis[Symbol.for('ropewalk.tfjs')];\n";
  await mkdir(join(folder, 'tfjs'));
  await writeFile(join(folder, 'tfjs/package.json'), JSON.stringify(bridge));
  await writeFile(join(folder, 'tfjs/index.cjs'), code);
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  // --ignore-scripts: tfjs-node's installer would download another TensorFlow and fail.
  const args = ['install', '--ignore-scripts', '--no-save', '--prefix', folder, ...quiet];
  try {
    await runCommand('npm', args, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error(
      `installTensorflow: npm could not install ${name}@${TFJS_NODE}; check that this machine reaches the npm registry`,
      { cause: error },
    );
  }
}

/** The addon is two files that use only the stable Node-API, so it needs no node-gyp. */
async function compile(folder: string, addon: string, options: CommandOptions): Promise<void> {
  const output = addonPath(addon);
  await mkdir(dirname(output), { recursive: true });
  const defines = ['-DNDEBUG', `-DNAPI_VERSION=${NAPI}`, '-DNODE_GYP_MODULE_NAME=tfjs_binding'];
  const include = ['node_modules/node-api-headers/include', join(addon, 'deps/include'), addon];
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-w', ...defines, '-DBUILDING_NODE_EXTENSION'],
    ...include.map((path) => `-I${resolve(folder, path)}`),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(addon, 'binding', file)),
    ...['-o', output, `-L${join(addon, 'deps/lib')}`, '-ltensorflow', '-ltensorflow_framework'],
    // Relative to the addon, so that the folder may be moved.
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ];
  try {
    await runCommand('g++', args, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const first = error instanceof CommandError && /error: .*/.exec(error.output)?.[0];
    throw new Error(
      `installTensorflow: the addon did not compile (${first || error}); expected g++ 8 or later`,
      { cause: error },
    );
  }
}

/** [[1, 2], [3, 4]] times [[5, 6], [7, 8]], by the addon alone. */
const CHECK = `
const addon = require(process.argv[1]);
const matrix = (...values) => addon.createTensor([2, 2], addon.TF_FLOAT, Float32Array.from(values));
const flag = (name) => ({ name, type: addon.TF_ATTR_BOOL, value: false });
const attributes = [flag('transpose_a'), flag('transpose_b'),
  { name: 'T', type: addon.TF_ATTR_TYPE, value: addon.TF_FLOAT }];
const [product] = addon.executeOp('MatMul', attributes, [matrix(1, 2, 3, 4), matrix(5, 6, 7, 8)], 1);
process.stdout.write([...addon.tensorDataSync(product.id)].join());
`;

/** In a process of its own: a library that crashes must not take this one with it. */
async function checkAddon(addon: string, options: CommandOptions): Promise<void> {
  const printed = await runCommand(process.execPath, ['-e', CHECK, addon], options).catch(
    (error) => {
      if (options.signal?.aborted) throw error;
      throw new Error(
        `installTensorflow: the addon was built but does not run here (${error instanceof Error ? error.message : error}); TensorFlow needs a CPU with AVX`,
        { cause: error },
      );
    },
  );
  if (printed !== '19,22,43,50') {
    throw new Error(
      `installTensorflow: expected the addon to multiply two matrices to 19,22,43,50, got ${printed}`,
    );
  }
}
