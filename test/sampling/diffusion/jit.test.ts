import { expect, test } from 'vitest';
import { guidanceScale, guide } from '../../../sampling/diffusion/guidance.ts';
import { clampedVelocity, velocityOf } from '../../../sampling/diffusion/prediction.ts';
import { flow } from '../../../sampling/diffusion/schedules/flow.ts';
import { expectClose } from '../../close.ts';
import { expectFixture, loadFixture, tensorOf } from '../../fixtures.ts';

test('jit/denoiser: guided velocity from the two network outputs', () => {
  const fixture = loadFixture('jit', 'denoiser');
  const { cfg, imin, imax, t_eps: least } = fixture.json.config;
  const [x, asked, nothing] = ['in/x', 'out/net', 'out/net_null'].map((name) =>
    tensorOf(fixture, name),
  ) as [Float32Array, Float32Array, Float32Array];
  const size = x.length / 3;
  const result = Array.from(tensorOf(fixture, 'in/t')).flatMap((tau, row) => {
    const t = 1 - tau; // the published code counts from noise to data
    const cut = (values: Float32Array) => values.slice(row * size, (row + 1) * size);
    const answer = (clean: Float32Array) => ({
      clean,
      velocity: clampedVelocity(clean, cut(x), { t, least }),
    });
    const scale = guidanceScale({ scale: (at) => (1 - at > imin && 1 - at < imax ? cfg : 1) }, t);
    const { velocity } = guide(answer(cut(asked)), answer(cut(nothing)), { scale });
    return Array.from(velocity!, (value) => -value);
  });
  expectFixture(result, fixture, 'out/cfg_velocity');
});

test('above the clamp it is the velocity of the clean estimate', () => {
  const [x, clean] = [Float32Array.from([0.3, -1]), Float32Array.from([0.1, 0.4])];
  const free = velocityOf({ clean }, x, flow(), 0.2);
  expectClose(clampedVelocity(clean, x, { t: 0.2 }), free);
  expect(clampedVelocity(clean, x, { t: 0.01, least: 0.05 })[0]).toBeCloseTo(0.2 / 0.05, 5);
});
