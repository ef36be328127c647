import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examine } from '../doctor.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-doctor-'));
  await mkdir(join(folder, 'models/one'), { recursive: true });
  await writeFile(join(folder, 'models/one/model.json'), '{}');
  await mkdir(join(folder, 'models/not-a-model'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('examine', () => {
  test('finds what a clone has, and says what to do about what it has not', async () => {
    const findings = await examine({
      models: [join(folder, 'nowhere'), join(folder, 'models')],
      tensorflow: join(folder, 'tensorflow'),
    });
    const find = (name: string) => findings.find((finding) => finding.name === name);
    for (const name of ['node', 'memory', 'cores', 'onnxruntime', 'onnx cpu', 'sharp', 'dicebear'])
      expect(find(name), name).toMatchObject({ ok: true });
    expect(find('models')).toMatchObject({ ok: true, detail: 'one' });
    expect(find('onnxruntime')?.detail).toMatch(/^\d+\.\d+\.\d+$/);
    expect(find('tensorflow')).toMatchObject({ ok: false, optional: true });
    expect(find('tensorflow')?.advice).toContain('ropewalk doctor --install tensorflow');
    for (const finding of findings) {
      expect(finding.ok || finding.advice, finding.name).toBeTruthy();
      expect(finding.detail, finding.name).not.toContain('\n');
    }
  });

  test('reports no models and a broken installation of TensorFlow', async () => {
    const broken = join(folder, 'broken');
    await mkdir(broken);
    await writeFile(join(broken, 'installed.json'), '{ "package": "absent", "tensorflow": "2.0" }');
    const findings = await examine({ models: [join(folder, 'nowhere')], tensorflow: broken });
    const bad = Object.fromEntries(findings.filter(({ ok }) => !ok).map((f) => [f.name, f]));
    expect(bad.models).toMatchObject({ optional: false });
    expect(bad.tensorflow?.detail).toMatch(/does not load \(Cannot find module 'absent'\)/);
  });
});
