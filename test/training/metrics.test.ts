import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMetrics, trainedBy } from '../../training/metrics.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-metrics-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lineOf = (step: number, pictures: number | undefined, picturesPerSecond: number) =>
  JSON.stringify({ step, loss: 1, norm: 1, rate: 1, pictures, picturesPerSecond });
const write = (lines: readonly string[]) =>
  writeFile(join(folder, 'metrics.jsonl'), lines.join('\n'));

describe('what the steps of a run came to', () => {
  test('pictures and hours up to the checkpoint, however many a step had and however fast', async () => {
    const lines = [lineOf(1, 64, 0.008), lineOf(2, 32, 0.016), lineOf(3, 64, 0.008)];
    await write([...lines, '{"step":4,"lo']);
    // 8000 s and 2000 s: 2.78 hours, of which two digits are told
    expect(await trainedBy(folder, 'step-2')).toEqual({ training: { pictures: 96, hours: 2.8 } });
    expect(await trainedBy(folder, 'step-3')).toEqual({ training: { pictures: 160, hours: 5 } });
  });

  test('nothing where a step is missing, or its pictures were not written', async () => {
    await write([lineOf(1, 64, 1), lineOf(3, 64, 1)]);
    expect(await trainedBy(folder, 'step-3')).toEqual({});
    await write([lineOf(1, undefined, 1), lineOf(2, 64, 1)]);
    expect(await trainedBy(folder, 'step-2')).toEqual({});
    expect(await trainedBy(join(folder, 'nowhere'), 'step-2')).toEqual({});
  });

  test('a line that was cut off is left out', () => {
    const whole = lineOf(1, 4, 2);
    expect(readMetrics(`${whole}\n${whole.slice(0, 20)}`)).toEqual([JSON.parse(whole)]);
  });
});
