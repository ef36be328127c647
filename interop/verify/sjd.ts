/**
 * Speculative Jacobi decoding as its authors' code does one step of it, and whole decodes on a toy, by our own
 * decoder where its rule is theirs, with all random numbers given. Their conventions: draft i (i >= 1) is scored by the law at slot i - 1, slot
 * 0 of a window is the last decided token, and the law kept with an accepted draft is the old one.
 */
import { drawAt, type Law, pointMass } from '../../sampling/tokens/law.ts';
import { acceptance, residual } from '../../sampling/tokens/verify.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, numbersOf, tensorOf } from './fixture.ts';
import { decodeByProduct } from './sjd-decoder.ts';
import { rowsOf, type Toy, toyOf } from './sjd-toy.ts';

/**
 * What a rejected slot gets, in their four samplers: the residual at the first, others the redraw (sjd);
 * the residual at each (lumina, and cosmos, which draws one a slot, wanted or not, and adds a little);
 * the redraw (plain).
 */
type Kind = 'sjd' | 'lumina' | 'cosmos' | 'plain';
type Step = {
  readonly draft: readonly number[];
  readonly advanced: readonly number[];
  readonly q: readonly Law[];
  readonly p: readonly Law[];
  /** The uniform number of a slot and token. */
  readonly uniformAt: (slot: number, token: number) => number;
  /** The next uniform number for residuals. */
  readonly uniform: () => number;
};
type Stepped = { readonly first: number; readonly tokens: number[]; readonly laws: Law[] };

const EPSILON = 1e-10;

function step(kind: Kind, { draft, advanced, q, p, uniformAt, uniform }: Step): Stepped {
  const L = draft.length;
  const smoothed = kind === 'cosmos' || kind === 'plain';
  const ratioLaw = (law: Law) => (smoothed ? law.map((value) => value + EPSILON) : law);
  const isKept = (i: number) =>
    uniformAt(i, draft[i]!) < acceptance(p[i - 1]!, ratioLaw(q[i]!), draft[i]!);
  const kept = draft.map((_, i) => i === 0 || isKept(i));
  const first = kept.includes(false) ? kept.indexOf(false) : L;

  const tokens: number[] = [];
  const laws = p.map((law) => law.slice());
  for (let i = 1; i < L; i++) {
    const everywhere = kind === 'lumina' || kind === 'cosmos';
    const stays = kept[i]! && (i < first || everywhere);
    const wanted = kind === 'cosmos' || (!kept[i] && (i === first || everywhere));
    const left = residual(p[i - 1]!, q[i]!);
    const redrawn =
      wanted && kind !== 'plain'
        ? drawAt(smoothed ? left.map((value) => value + EPSILON) : left, uniform())
        : advanced[i - 1]!;
    tokens.push(stays ? draft[i]! : redrawn);
    if (stays && !smoothed) laws[i - 1] = q[i]!.slice();
  }
  tokens.push(advanced[L - 1]!);
  return { first, tokens, laws };
}

/** Consecutive values, one at a time. */
function queue(values: ArrayLike<number>): () => number {
  let next = 0;
  return () => values[next++]!;
}

const SAMPLERS: Readonly<Record<string, Kind>> = {
  sjd: 'sjd',
  scd_mc_lumina: 'lumina',
  cosmos_mc: 'cosmos',
  cosmos_plain: 'plain',
};

async function acceptStep(fixture: Fixture): Promise<Record<string, Computed>> {
  const { B, L, V } = fixture.config as { B: number; L: number; V: number };
  const rowsFor = (name: string, row: number) =>
    rowsOf(tensorOf(fixture, name).data, V).slice(row * L, (row + 1) * L);
  const idsFor = (name: string, row: number) =>
    numbersOf(fixture, name).slice(row * L, (row + 1) * L);
  const batch = Array.from({ length: B }, (_, row) => row);
  const computed: Record<string, Computed> = {};
  for (const [name, kind] of Object.entries(SAMPLERS)) {
    const uniform = queue(tensorOf(fixture, 'in/mult_u').data);
    const steps = batch.map((row) => {
      const rs = rowsFor('in/rs', row);
      return step(kind, {
        ...{ draft: idsFor('in/draft', row), advanced: idsFor('in/advanced', row) },
        ...{ q: rowsFor('in/q', row), p: rowsFor('in/p', row), uniform },
        uniformAt: (slot, token) => rs[slot]![token]!,
      });
    });
    computed[`${name}_first`] = steps.map(({ first }) => first);
    computed[`${name}_tokens`] = steps.flatMap(({ tokens }) => tokens);
    computed[`${name}_scores`] = steps.flatMap(({ laws }) => laws.flatMap((law) => [...law]));
  }
  computed.prefix_match_first = batch.map((row) => {
    const advanced = idsFor('in/advanced', row);
    const differs = idsFor('in/draft', row).findIndex((x, i) => i > 0 && x !== advanced[i - 1]);
    return differs < 0 ? L : differs;
  });
  return computed;
}

/** A whole decode by repeated steps of a sampler whose rejections are not ours. */
function decodeToy({ V, N, W, start, lawAfter, ...given }: Toy, kind: Kind) {
  const sequence = [...start];
  let drafts: { token: number; law: Law }[] = [];
  const accepted: number[] = [];
  for (let k = 0; sequence.length < N + 2; k++) {
    for (let j = drafts.length; j < W - 1; j++) {
      const token = given.fresh[k]![j]!;
      drafts.push({ token, law: pointMass(V, token) });
    }
    const draft = [sequence.at(-1)!, ...drafts.map(({ token }) => token)];
    const p = draft.map((_, s) => lawAfter([...sequence, ...draft.slice(1, s + 1)]));
    const { first, tokens, laws } = step(kind, {
      ...{ draft, p, advanced: p.map((law, s) => drawAt(law, given.redraws[k]![s]!)) },
      q: [new Float64Array(V), ...drafts.map(({ law }) => law)],
      uniformAt: (slot, token) => given.judgeAt(k, slot, token),
      uniform: queue(given.residuals[k]!),
    });
    sequence.push(...tokens.slice(0, first));
    accepted.push(first);
    drafts = tokens.slice(first).map((token, i) => ({ token, law: laws[first + i]! }));
  }
  return { tokens: sequence.slice(2, N + 2), accepted };
}

/** Sequential decoding, and SJD and SCD with Gumbel noise by our own decoder; the others by their steps. */
async function toyLoop(fixture: Fixture): Promise<Record<string, Computed>> {
  const toy = toyOf(fixture);
  const prefix = [...toy.start];
  for (const u of numbersOf(fixture, 'in/ar_u')) prefix.push(drawAt(toy.lawAfter(prefix), u));
  const decoded = {
    sjd: await decodeByProduct(toy, 'independent'),
    scd_gs: await decodeByProduct(toy, 'gumbel'),
    scd_mc_lumina: decodeToy(toy, 'lumina'),
    cosmos_mc: decodeToy(toy, 'cosmos'),
  };
  const computed: Record<string, Computed> = { ar_seq: prefix.slice(2) };
  for (const [name, { tokens, accepted }] of Object.entries(decoded)) {
    computed[`${name}_seq`] = tokens;
    computed[`${name}_accepted`] = accepted;
  }
  return computed;
}

export const sjd: Adapter = { accept_step: acceptStep, toy_loop: toyLoop };
