/** The angles of published checkpoints, written out token by token (specification: peers, 2.1). */
import { describe, expect, it } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import { jittered } from '../../../encoders/positions/coordinates/jittered.ts';
import { nit } from '../../../encoders/positions/coordinates/nit.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { cellsOf, raster } from '../../../encoders/positions/grid.ts';
import { AXIAL_PRESETS, axialTables } from '../../../encoders/positions/rotate/axial.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { evaluate } from './evaluate.ts';

const [HEIGHT, WIDTH, D] = [3, 5, 32];
const grid = raster(HEIGHT, WIDTH);
type Place = (i: number, side: number) => number;
const index: Place = (i) => i;
const ends: (span: number) => Place = (span) => (i, side) => (i / (side - 1)) * span;
const left: (span: number) => Place = (span) => (i, side) => (i * span) / side;
const whole: Place = (i, side) => Math.round((i * 7) / side);

/** Coordinates of a checkpoint's configuration, and its rule for a token in row y, column x. */
const COORDINATES: Partial<
  Record<keyof typeof AXIAL_PRESETS, [NonNullable<PositionConfig['coordinates']>, Place]>
> = {
  ddt: [{ method: 'end-point', span: 16 }, ends(16)],
  star: [{ method: 'end-point', span: 32 }, ends(32)],
  'star-released': [{ method: 'end-point', span: 64 }, ends(64)],
  infinity: [{ method: 'left-aligned', span: [7], round: true }, whole],
  switti: [{ method: 'left-aligned', span: [128] }, left(128)],
};

describe.each(Object.entries(AXIAL_PRESETS))('%s', (name, preset) => {
  const [coordinates, place] = COORDINATES[name as keyof typeof AXIAL_PRESETS] ?? [
    name === 'nit' ? 'nit' : 'raw',
    index,
  ];
  const still = 'still' in preset ? preset.still : 0;
  const pairs = (D - still) / 2;

  /** The angle of a pair of channels, from what the authors' code does. */
  function angle(token: number, pair: number): number {
    if (pair < still / 2) return 0;
    const i = pair - still / 2;
    const interleaved = preset.layout === 'interleaved';
    const second = interleaved ? i % 2 === 1 : i >= pairs / 2;
    const wave = preset.base ** (-(interleaved ? i >> 1 : i % (pairs / 2)) / (pairs / 2));
    const byRow = (preset.first === 'y') !== second;
    if (name === 'nit') return (byRow ? Math.floor(token / HEIGHT) : token % HEIGHT) * wave;
    return byRow
      ? place(Math.floor(token / WIDTH), HEIGHT) * wave
      : place(token % WIDTH, WIDTH) * wave;
  }

  it('has the angles of its authors, and their condition tokens', async () => {
    const shape = { width: 2 * D, heads: 2, trained: grid };
    const positions = composePositions(
      { coordinates, rotate: { method: 'axial', ...preset } },
      shape,
    );
    const placed = positions.place(grid, 'sample');
    const engine = createEngine({ name: 'onnx', threads: 1 });
    const given = { coordinates: placed.coordinates, frequencies: placed.frequencies! };
    const { cos, sin } = await evaluate(engine, given, (input) =>
      axialTables(input.coordinates!, input.frequencies!, 1, preset),
    );
    const cells = Array.from({ length: HEIGHT * WIDTH * (D / 2) }, (_, i) =>
      angle(Math.floor(i / (D / 2)), i % (D / 2)),
    );
    const front = new Array(D / 2);
    // Angles of up to 110 radians in float32 are known to 1e-5.
    const expected = [...front.fill(preset.prefix === 'zero' ? 0 : 1), ...cells.map(Math.cos)];
    expectClose(cos!.data, expected, { atol: 2e-5 });
    expectClose(sin!.data, [...front.fill(0), ...cells.map(Math.sin)], { atol: 2e-5 });
  });
});

it("NiT's indices are plain ones on a square only", () => {
  const place = (method: typeof nit, height: number, width: number) =>
    method.coordinates({
      grid: raster(height, width),
      trained: grid,
      mode: 'sample',
      options: {},
    });
  expect(place(nit, 4, 4)).toEqual(place(raw, 4, 4));
  expect(place(nit, 3, 5)).not.toEqual(place(raw, 3, 5));
});

it('jitter stays within its cell, is drawn anew, and is off when sampling', () => {
  const place = (mode: 'train' | 'sample', intensity: number, seed = 1) =>
    jittered.coordinates({
      ...{ grid, trained: grid, mode, rng: createRng(seed) },
      options: { span: 1, intensity },
    });
  const centres = place('sample', 1);
  expect([...centres.subarray(0, 2)]).toEqual([0.5 / HEIGHT, 0.5 / WIDTH]);
  expect(place('train', 0)).toEqual(centres);
  expect(place('train', 1)).not.toEqual(place('train', 1, 2));
  // An intensity of 20 puts nearly all of them on the borders of their cells.
  for (const intensity of [1, 20]) {
    const moved = Array.from(place('train', intensity), (value, i) =>
      Math.abs((value - centres[i]!) * (i % 2 === 0 ? HEIGHT : WIDTH)),
    );
    expect(Math.max(...moved)).toBeLessThan(0.5 + 1e-12);
    expect(moved.filter((by) => by > 0.4999).length > moved.length / 2).toBe(intensity === 20);
  }
  expect(cellsOf(grid).length * 2).toBe(centres.length);
});
