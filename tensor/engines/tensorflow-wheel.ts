/**
 * TensorFlow's C library, out of the Python wheels that carry it. A wheel is a zip: pip only
 * downloads it and Python's zipfile unpacks it; nothing is installed into Python and no code of
 * the wheel runs.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CommandOptions, runCommand } from './run-command.ts';

/**
 * The newest version whose results equal those of 2.9.1, which tfjs-node 4.22 was written for:
 * from 2.17 on `tf.round` of an int32 tensor returns zeros.
 */
export const TENSORFLOW_VERSION = '2.16.2';

/** The wheels that were tried: their sha256 by project, version and Python tag. */
const KNOWN: Readonly<Record<string, string>> = {
  'tensorflow_cpu-2.16.2-cp311': 'c855cb6bf05d32dd5928086b03a5f6b4189b63c22b95e017703cbee4291023ca',
  'tensorflow-2.16.2-cp311': 'd8798dea8e2281b4a0b569d9c00e7949c0090509be363da271e1ef21828bffae',
};

/** CUDA 12.3 and cuDNN 8 as TensorFlow 2.16 links them; its library looks for them beside itself. */
const CUDA_WHEELS = [
  'nvidia-cublas-cu12==12.3.4.1',
  'nvidia-cuda-cupti-cu12==12.3.101',
  'nvidia-cuda-runtime-cu12==12.3.101',
  'nvidia-cudnn-cu12==8.9.7.29',
  'nvidia-cufft-cu12==11.0.12.1',
  'nvidia-curand-cu12==10.3.4.107',
  'nvidia-cusolver-cu12==11.5.4.101',
  'nvidia-cusparse-cu12==12.2.0.103',
  'nvidia-nvjitlink-cu12==12.3.101',
] as const;

/** Any local Python will do: the wheel need not be for it. */
const PLATFORM = [
  ...['--implementation', 'cp', '--python-version', '311'],
  ...[
    'manylinux_2_17_x86_64',
    'manylinux2014_x86_64',
    'manylinux_2_27_x86_64',
    'manylinux1_x86_64',
  ].flatMap((platform) => ['--platform', platform]),
];

/** Downloads wheels by name ("project==version") into `folder` and returns their paths. */
async function download(
  names: readonly string[],
  folder: string,
  options: CommandOptions,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check'];
  const where = ['--no-deps', '--no-cache-dir', '--only-binary=:all:', '--dest', folder];
  try {
    await runCommand('python3', [...pip, ...where, ...PLATFORM, ...names], options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error(
      `installTensorflow: pip could not download ${names.join(', ')}; check that this machine reaches a Python package index and that the version exists`,
      { cause: error },
    );
  }
  const wheels = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
  return wheels.map((file) => join(folder, file));
}

export type WheelOptions = CommandOptions & { readonly gpu?: boolean; readonly version?: string };

/** Downloads TensorFlow's wheel into the empty folder `folder` and returns its path. */
export async function downloadTensorflow(
  folder: string,
  { gpu = false, version = TENSORFLOW_VERSION, ...options }: WheelOptions = {},
): Promise<string> {
  const project = gpu ? 'tensorflow' : 'tensorflow-cpu';
  const [wheel] = await download([`${project}==${version}`], folder, options);
  return wheel!;
}

/** Downloads the CUDA libraries into `folder` and unpacks them into TensorFlow's `deps`. */
export async function addCuda(deps: string, folder: string, options: CommandOptions) {
  for (const wheel of await download(CUDA_WHEELS, folder, options)) {
    await runCommand('python3', ['-m', 'zipfile', '-e', wheel, deps], options);
  }
}

/** The project, version and Python tag in a wheel's file name, as in KNOWN. */
export function readWheelName(wheel: string): { id: string; gpu: boolean; version: string } {
  const [project = '', version = '', python = ''] = basename(wheel).split('-');
  if (!/^tensorflow(_cpu)?$/.test(project) || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new RangeError(
      `installTensorflow: expected a wheel named like tensorflow_cpu-${TENSORFLOW_VERSION}-cp311-cp311-....whl, got ${basename(wheel)}`,
    );
  }
  return { id: `${project}-${version}-${python}`, gpu: project === 'tensorflow', version };
}

/** Throws unless a wheel with a known name has its known content; `known` is false for others. */
export async function checkDigest(wheel: string): Promise<{ sha256: string; known: boolean }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(wheel)) hash.update(chunk);
  const sha256 = hash.digest('hex');
  const expected = KNOWN[readWheelName(wheel).id];
  if (expected !== undefined && sha256 !== expected) {
    throw new Error(
      `installTensorflow: expected sha256 ${expected} for ${basename(wheel)}, got ${sha256}; the file is damaged or not the released one, so download it again`,
    );
  }
  return { sha256, known: expected !== undefined };
}

/** Takes the two libraries, the C headers and the licence; zipfile checks each file's CRC. */
const UNPACK = `
import os, re, shutil, sys, zipfile
wheel, target = sys.argv[1:]
wanted = re.compile(r'tensorflow/(libtensorflow_(?:cc|framework)\\.so\\.2'
  r'|include/tensorflow/c/.*\\.h|include/tensorflow/core/platform/ctstring.*\\.h'
  r'|include/.*tsl/(?:.*/)?(?:ctstring|c/)[^ ]*\\.h)$')
with zipfile.ZipFile(wheel) as archive:
  for name in archive.namelist():
    match = wanted.match(name)
    licence = name.endswith('.dist-info/LICENSE')
    if '..' in name.split('/') or not (match or licence):
      continue
    inside = 'LICENSE' if licence else match[1]
    path = os.path.join(target, 'lib' if inside.startswith('lib') else '', inside)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(name) as source, open(path, 'wb') as file:
      shutil.copyfileobj(source, file, 1 << 20)
for library in ('cc', 'framework'):
  if not os.path.exists(os.path.join(target, 'lib', f'libtensorflow_{library}.so.2')):
    sys.exit(f'it has no libtensorflow_{library}.so.2')
`;

/** Unpacks what the addon is built from: `deps/lib` and `deps/include`. */
export async function unpackTensorflow(
  wheel: string,
  deps: string,
  options: CommandOptions,
): Promise<void> {
  try {
    await runCommand('python3', ['-c', UNPACK, wheel, deps], options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error(
      `installTensorflow: could not unpack ${basename(wheel)} (${error instanceof Error ? error.message : error}); expected a wheel of TensorFlow 2.12 or later and enough space`,
      { cause: error },
    );
  }
  // The names that the linker asks for.
  await symlink('libtensorflow_cc.so.2', join(deps, 'lib/libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(deps, 'lib/libtensorflow_framework.so'));
}
