import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installTensorflow, tensorflowFolder } from '../../../tensor/engines/install-tensorflow.ts';
import { loadTensorflow } from '../../../tensor/engines/load-tensorflow.ts';
import { CommandError, runCommand } from '../../../tensor/engines/run-command.ts';
import { checkDigest, readWheelName } from '../../../tensor/engines/tensorflow-wheel.ts';
import { tf } from '../../../tensor/tf.ts';

const WHEEL = 'tensorflow_cpu-2.16.2-cp311-cp311-manylinux_2_17_x86_64.whl';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-install-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A file with a wheel's name and other content. */
async function fakeWheel(name = WHEEL): Promise<string> {
  await writeFile(join(folder, name), 'not a zip');
  return join(folder, name);
}

describe('requests that cannot be met say why and leave nothing behind', () => {
  type Request = { wheel?: string; version?: string; gpu?: boolean };
  const install = (options: Request) =>
    installTensorflow({ folder: join(folder, 'to/tensorflow'), ...options });

  test.each<[Request, RegExp]>([
    [{ version: '2.9.1' }, /expected a version from 2\.12\.0 on .*, got 2\.9\.1/],
    [{ version: 'latest' }, /got latest/],
    [{ wheel: 'numpy-2.0.0-cp311-cp311-linux.whl' }, /expected a wheel named like .*, got numpy/],
    [{ wheel: WHEEL, gpu: true }, /expected a wheel of tensorflow .*, got tensorflow_cpu/],
    [{ wheel: WHEEL, version: '2.15.1' }, /expected a wheel of tensorflow-cpu 2\.15\.1/],
  ])('%j', async (options, message) => {
    const given = options.wheel ? { wheel: await fakeWheel(options.wheel) } : {};
    await expect(install({ ...options, ...given })).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(options.wheel ? [options.wheel] : []);
  });

  test('a wheel that is not there', async () => {
    await expect(install({ wheel: join(folder, WHEEL) })).rejects.toThrow(
      /expected a wheel file, found none at/,
    );
  });

  test('an abort before it starts', async () => {
    const started = installTensorflow({
      folder: join(folder, 'tensorflow'),
      signal: AbortSignal.abort(new Error('stopped')),
    });
    await expect(started).rejects.toThrow('stopped');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('wheels', () => {
  test('a known name with other content is refused, an unknown one is told apart', async () => {
    await expect(checkDigest(await fakeWheel())).rejects.toThrow(
      /expected sha256 c855cb6b.*, got [0-9a-f]{64}/,
    );
    const other = await fakeWheel(WHEEL.replace('2.16.2', '2.15.1'));
    expect(await checkDigest(other)).toMatchObject({ known: false });
  });

  test('their names', () => {
    expect(readWheelName(`/a/${WHEEL}`)).toEqual({
      id: 'tensorflow_cpu-2.16.2-cp311',
      gpu: false,
      version: '2.16.2',
    });
    expect(readWheelName('tensorflow-2.16.2-cp312-cp312-linux.whl').gpu).toBe(true);
  });
});

test('folders of versions and of the GPU differ', () => {
  expect(tensorflowFolder('/home/a/.cache')).toBe('/home/a/.cache/ropewalk/tensorflow-2.16.2');
  expect(tensorflowFolder('/c', { gpu: true })).toBe('/c/ropewalk/tensorflow-2.16.2-gpu');
});

test('loading from an empty folder tells how to install and changes no backend', async () => {
  const before = tf.getBackend();
  await expect(loadTensorflow(folder)).rejects.toThrow(
    /run `ropewalk doctor --install tensorflow`/,
  );
  expect(tf.getBackend()).toBe(before);
});

test('a failed command carries its last line and all that it printed', async () => {
  const failing = runCommand(process.execPath, [
    '-e',
    "console.log('a'); console.error('why\\n'); process.exit(3)",
  ]);
  await expect(failing).rejects.toMatchObject({ output: 'a\nwhy\n\n', missing: false });
  await expect(failing).rejects.toThrow(/: why$/);
  await expect(runCommand('no-such-program-here', [])).rejects.toSatisfy(
    (error) => error instanceof CommandError && error.missing,
  );
});
