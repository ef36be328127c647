import { expect, it } from 'vitest';
import type { CoordinatesMethod, Options } from '../../../encoders/positions/contract.ts';
import { endPoint } from '../../../encoders/positions/coordinates/end-point.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { dypePi } from '../../../encoders/positions/extend/dype.ts';
import { cellsOf, type Grid, raster, spansInTokens } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { AXIAL_PRESETS, axial, axialTables } from '../../../encoders/positions/rotate/axial.ts';
import type { HostTensor } from '../../../tensor/program.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { expectFixture, type Fixture, loadFixture, tensorOf } from '../../fixtures.ts';
import { at, evaluate, floats, inside, normals, onBothEngines, shifted } from './evaluate.ts';

const options = (given: Options = {}) => completeOptions(axial, given);
const place = (grid: Grid, method: CoordinatesMethod = raw, given: Options = {}) =>
  method.coordinates({ grid, trained: grid, mode: 'sample', options: given });
const waves = (headSize: number, given: Options): HostTensor => {
  const { y, x } = axial.frequencies!(headSize, given);
  return floats([...y, ...x], [2, y.length]);
};
/** Every number twice, as tables for interleaved pairs are stored. */
const twice = (values: ArrayLike<number>) => Array.from(values).flatMap((value) => [value, value]);
/** [B, h, T, d] -> [B, T, h, d] and back: the same exchange. */
const exchanged = ({ data, shape }: HostTensor): HostTensor => {
  const [B, m, n, d] = shape as [number, number, number, number];
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const [b, j, k, c] = [
      Math.floor(i / (m * n * d)),
      Math.floor(i / (m * d)) % n,
      Math.floor(i / d) % m,
      i % d,
    ];
    out[i] = data[((b * m + k) * n + j) * d + c]!;
  }
  return { data: out, shape: [B, n, m, d] };
};
const fixed = (fixture: Fixture, name: string): HostTensor =>
  floats(tensorOf(fixture, name), fixture.tensors[name]!.shape);

onBothEngines('axial RoPE', (engine) => {
  const tables = async (
    points: Float64Array,
    frequencies: HostTensor,
    given: Options,
    prefix = 0,
  ) => {
    const { cos, sin } = await evaluate(
      engine,
      { coordinates: shifted(points, [0, 0]), frequencies },
      (input) => axialTables(input.coordinates!, input.frequencies!, prefix, given),
    );
    return { cos: cos!, sin: sin! };
  };
  /** q turned, for tokens of x at coordinates. */
  const turned = async (x: HostTensor, coordinates: HostTensor, given: Options, prefix = 0) => {
    const frequencies = waves(x.shape[3]!, given);
    const { y } = await evaluate(engine, { x, coordinates, frequencies }, (input) => {
      const [q, where] = [input.x!, at(raster(1, 1), { prefix })];
      const args = { q, k: q, v: q, x: q, frequencies: input.frequencies! };
      return axial.rotate({ ...inside(input.coordinates!, where, given), ...args }).q;
    });
    return y!;
  };
  const scores = async (coordinates: HostTensor) => {
    const given = options({ base: 100 });
    const tokens = coordinates.shape.at(-2)!;
    const [q, k] = [normals('q', [2, tokens, 2, 8]), normals('k', [2, tokens, 2, 8])];
    const rotated = {
      q: await turned(q, coordinates, given),
      k: await turned(k, coordinates, given),
    };
    const heads = (x: Tensor) => x.transpose([0, 2, 1, 3]);
    const { y } = await evaluate(engine, rotated, (input) =>
      tf.matMul(heads(input.q!), heads(input.k!), false, true),
    );
    return y!.data;
  };

  it('gives scores that depend on offsets only', async () => {
    const points = place(raster(3, 4));
    const still = await scores(shifted(points, [0, 0]));
    // Angles up to 20 radians in float32: 1e-6 each, times |q| |k| of about 20.
    expectClose(await scores(shifted(points, [7, -4])), still, { atol: 5e-5 });
    const one = shifted(points, [0, 0]);
    one.data[0] = 1; // one token alone moves
    expect(largestDifference(await scores(one), still)).toBeGreaterThan(0.1);
  });

  it('gives every picture its own angles where it has its own coordinates', async () => {
    const points = [place(raster(2, 3)), place(raster(2, 3), endPoint, { span: 7 })];
    const x = normals('x', [2, 6, 2, 8]);
    const own = floats([...points[0]!, ...points[1]!], [2, 6, 2]);
    const { data } = await turned(x, own, options(), 0);
    for (const row of [0, 1]) {
      const part = floats(x.data.subarray(96 * row, 96 * (row + 1)), [1, 6, 2, 8]);
      const alone = await turned(part, shifted(points[row]!, [0, 0]), options());
      expectClose(data.subarray(96 * row, 96 * (row + 1)), alone.data);
    }
  });

  it('is 1D RoPE of half of the head on a grid of one row', async () => {
    const x = normals('x', [1, 5, 1, 8]);
    const { data } = await turned(x, shifted(place(raster(1, 5)), [0, 0]), options());
    const expected = Array.from(data, (_, i) => {
      const [token, c] = [Math.floor(i / 8), i % 8];
      if (c < 4) return x.data[i]!;
      const angle = token * 10000 ** (-Math.floor((c - 4) / 2) / 2);
      const [a, b] = [x.data[i - (c % 2)]!, x.data[i - (c % 2) + 1]!];
      return c % 2 === 0
        ? a * Math.cos(angle) - b * Math.sin(angle)
        : b * Math.cos(angle) + a * Math.sin(angle);
    });
    expectClose(data, expected, { atol: 2e-6 });
  });

  it('exchanges axes when the grid is transposed', async () => {
    const grid = raster(2, 3);
    const transposed = cellsOf(raster(3, 2));
    for (const layout of ['halves', 'interleaved']) {
      const [y, x] = ['y', 'x'].map((first) => options({ first, layout }));
      const ours = await tables(place(grid), waves(8, y!), y!);
      const theirs = await tables(place(raster(3, 2)), waves(8, x!), x!);
      for (const [i, cell] of transposed.entries()) {
        const row = cell.x * 3 + cell.y; // the same cell in the grid
        expect(theirs.cos.data.subarray(4 * i, 4 * i + 4)).toEqual(
          ours.cos.data.subarray(4 * row, 4 * row + 4),
        );
      }
    }
  });

  it('equals LightningDiT, also interpolated', async () => {
    const fixture = loadFixture('lightningdit', 'rope_and_loss');
    const trained = raster(8, 8);
    for (const side of [8, 12]) {
      const grid = raster(side, side);
      const frequencies = dypePi.extend({
        where: at(grid, { trained, t: 1 }),
        spans: spansInTokens({ grid, trained }),
        options: { strength: 1, exponent: 2 },
        base: 10000,
        frequencies: axial.frequencies!(72, AXIAL_PRESETS.lightningdit),
        coordinates: place(grid),
        logitScale: 1,
      }).frequencies;
      const given = floats([...frequencies.y, ...frequencies.x], [2, 18]);
      const { cos, sin } = await tables(place(grid), given, AXIAL_PRESETS.lightningdit);
      expectFixture(twice(cos.data), fixture, `out/cos${side}`);
      expectFixture(twice(sin.data), fixture, `out/sin${side}`);
      const swapped = await tables(place(grid), given, {
        ...AXIAL_PRESETS.lightningdit,
        first: 'x',
      });
      expect(() => expectFixture(twice(swapped.cos.data), fixture, `out/cos${side}`)).toThrow();
    }
    const q = exchanged(fixed(fixture, 'in/q8'));
    const rotated = await turned(
      q,
      shifted(place(raster(8, 8)), [0, 0]),
      AXIAL_PRESETS.lightningdit,
    );
    expectFixture(exchanged(rotated).data, fixture, 'out/rot8');
  });

  it('equals JiT, whose condition tokens are not turned', async () => {
    const fixture = loadFixture('jit', 'denoiser');
    const frequencies = waves(16, AXIAL_PRESETS.jit);
    for (const [name, prefix] of [
      ['rope', 0],
      ['rope_incontext', 4],
    ] as const) {
      const { cos, sin } = await tables(
        place(raster(4, 4)),
        frequencies,
        AXIAL_PRESETS.jit,
        prefix,
      );
      expectClose(twice(cos.data), tensorOf(fixture, `mid/${name}_cos`));
      expectClose(twice(sin.data), tensorOf(fixture, `mid/${name}_sin`));
    }
  });

  it('equals STAR over its pyramid, on rectangles and on raw indices', async () => {
    const fixture = loadFixture('star', 'rope');
    const { patch_nums, dim, normalize } = fixture.json.config;
    const scales = (patch_nums as number[]).map((n) => ({ height: n, width: n }));
    const frequencies = waves(dim, AXIAL_PRESETS.star);
    const table = (grid: Grid, method: CoordinatesMethod) =>
      tables(place(grid, method, { span: normalize }), frequencies, AXIAL_PRESETS.star);
    const check = async (name: string, grid: Grid, method: CoordinatesMethod = endPoint) => {
      const { cos, sin } = await table(grid, method);
      expectFixture(cos.data, fixture, `out/${name}cos`);
      expectFixture(sin.data, fixture, `out/${name}sin`);
    };
    await check('', { kind: 'pyramid', scales });
    await check('rect_4x6_', raster(6, 4));
    await check('rect_6x3_', raster(3, 6));
    await check('raw_4x3_', raster(3, 4), raw);
    await expect(check('rect_4x6_', raster(4, 6))).rejects.toThrow();
  });

  it('equals the variants of timm that share its conventions', async () => {
    const fixture = loadFixture('timm_torch', 'rope');
    const q = exchanged(fixed(fixture, 'in/q'));
    const points = place(raster(5, 5));
    const variants = {
      lang: { points, given: options() },
      lang_xy: { points, given: options({ first: 'x' }) },
      lang_offset1: { points: points.map((value) => value + 1), given: options() },
      lang_ref: { points: points.map((value) => (value * 4) / 5), given: options() },
      lang_t100: { points, given: options({ base: 100 }) },
    };
    for (const [name, variant] of Object.entries(variants)) {
      const rotated = await turned(q, shifted(variant.points, [0, 0]), variant.given);
      expectFixture(exchanged(rotated).data, fixture, `out/${name}/rot`);
    }
    // A half layout is another convention: it must not pass.
    const rotated = await turned(q, shifted(points, [0, 0]), options());
    expect(() => expectFixture(exchanged(rotated).data, fixture, 'out/lang_half/rot')).toThrow();
  });

  it('equals RandAR where it does not interpolate, with zeros for condition tokens', async () => {
    const fixture = loadFixture('randar', 'rope_extrapolation');
    const { cos, sin } = await tables(
      place(raster(8, 8)),
      waves(32, AXIAL_PRESETS.randar),
      AXIAL_PRESETS.randar,
      1,
    );
    for (const [index, [, , , boundary]] of (fixture.json.config.tables as number[][]).entries()) {
      const expected = tensorOf(fixture, `out/${index}/table`); // [1 + 64, 16, 2]
      const kept = Array.from({ length: 65 * 16 }, (_, i) => i).filter((i) => i % 8 < boundary!);
      expectClose(
        kept.map((i) => cos.data[i]!),
        kept.map((i) => expected[2 * i]!),
        { atol: 2e-6 },
      );
      expectClose(
        kept.map((i) => sin.data[i]!),
        kept.map((i) => expected[2 * i + 1]!),
        { atol: 2e-6 },
      );
    }
    expect(cos.data.subarray(0, 16).every((value) => value === 0)).toBe(true);
  });
});

it('names a head size that cannot be halved twice', () => {
  expect(() => axial.frequencies!(6, options())).toThrow(/multiple of 4, got 6/);
});
