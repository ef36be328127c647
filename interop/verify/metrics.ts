/** Metrics of published packages (torch-fidelity, pytorch-fid, prdc) against ours. */
import { densityCoverage } from '../../evaluation/metrics/density-coverage.ts';
import { frechetDistance } from '../../evaluation/metrics/frechet.ts';
import { inceptionScore } from '../../evaluation/metrics/inception-score.ts';
import { kidOfSubsets } from '../../evaluation/metrics/kid.ts';
import { momentsOf } from '../../evaluation/metrics/moments.ts';
import { precisionRecall } from '../../evaluation/metrics/precision-recall.ts';
import { pickRows, type Rows, rowsOf } from '../../tensor/rows.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, numbersOf, outputsOf, shapeOf, tensorOf } from './fixture.ts';

type Sides = { readonly generated: Rows; readonly reference: Rows };

function table(fixture: Fixture, name: string): Rows {
  return rowsOf(tensorOf(fixture, name).data, shapeOf(fixture, name)[1]!);
}

function frechets({ generated, reference }: Sides): Record<string, Computed> {
  const whole = [frechetDistance(momentsOf(generated), momentsOf(reference))];
  const few = (rows: Rows) =>
    momentsOf(
      pickRows(
        rows,
        Array.from({ length: 20 }, (_, i) => i),
      ),
    );
  return {
    fid_torch_fidelity: whole,
    fid_pytorch_fid: whole,
    fid_singular_n20: [frechetDistance(few(generated), few(reference))],
  };
}

function kids(fixture: Fixture, { generated, reference }: Sides): Record<string, Computed> {
  const rows = (name: string) => {
    const [subsets, size] = shapeOf(fixture, name) as [number, number];
    const { data } = tensorOf(fixture, name);
    return Array.from({ length: subsets }, (_, s) => data.subarray(s * size, (s + 1) * size));
  };
  const theirs = rows('in/kid_idx2');
  const pairs = rows('in/kid_idx1').map((own, s) => ({ generated: own, reference: theirs[s]! }));
  const { values, mean, deviation } = kidOfSubsets(generated, reference, pairs);
  return { kid_per_subset: values, kid_mean_std: [mean, deviation] };
}

function scores(fixture: Fixture): Record<string, Computed> {
  const logits = table(fixture, 'in/logits');
  const shuffled = pickRows(logits, numbersOf(fixture, 'in/isc_perm'));
  const score = (rows: Rows) => {
    const { mean, deviation } = inceptionScore(rows);
    return [mean, deviation];
  };
  return { isc_mean_std: score(logits), isc_shuffle_mean_std: score(shuffled) };
}

/** prdc leaves a ball's surface out, torch-fidelity takes it in. */
function neighbours(fixture: Fixture, { generated, reference }: Sides): Record<string, Computed> {
  const found: Record<string, Computed> = {};
  for (const name of outputsOf(fixture)) {
    const [, system, number] = /^(prdc|tf_prc)_k(\d+)$/.exec(name) ?? [];
    if (number === undefined) continue;
    const options = { k: Number(number), boundary: system === 'prdc' ? 'open' : 'closed' } as const;
    const { precision, recall } = precisionRecall(generated, reference, options);
    const { density, coverage } = densityCoverage(generated, reference, options);
    found[name] = system === 'prdc' ? [precision, recall, density, coverage] : [precision, recall];
  }
  return found;
}

export const metrics: Adapter = {
  metrics: async (fixture) => {
    const sides = { generated: table(fixture, 'in/fake'), reference: table(fixture, 'in/real') };
    return {
      ...frechets(sides),
      ...kids(fixture, sides),
      ...scores(fixture),
      ...neighbours(fixture, sides),
    };
  },
};
