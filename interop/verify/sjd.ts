/**
 * Speculative Jacobi decoding as its authors' code does one step of it, and whole decodes on a toy, with
 * all random numbers given. Their conventions: draft i (i >= 1) is scored by the law at slot i - 1, slot
 * 0 of a window is the last decided token, and the law kept with an accepted draft is the old one.
 */
import { drawAt, drawWith, type Law, pointMass } from '../../sampling/tokens/law.ts';
import { acceptance, residual } from '../../sampling/tokens/verify.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, numbersOf, tensorOf } from './fixture.ts';

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

function rowsOf(values: Float64Array, width: number): Law[] {
  const count = values.length / width;
  return Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width));
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

type Toy = { readonly V: number; readonly N: number; readonly W: number };

/** Their oracle: a softmax of what the last two tokens and the place say. */
function toyLaw(fixture: Fixture): (prefix: readonly number[]) => Law {
  const { V } = fixture.config as Toy;
  const [last, second, place] = ['in/W1', 'in/W2', 'in/P'].map((name) =>
    rowsOf(tensorOf(fixture, name).data, V),
  ) as [Law[], Law[], Law[]];
  return (prefix) => {
    const [a, b, t] = [last[prefix.at(-1)!]!, second[prefix.at(-2)!]!, place[prefix.length - 2]!];
    const weights = a.map((value, i) => Math.exp(value + b[i]! + t[i]!));
    const total = weights.reduce((sum, value) => sum + value, 0);
    return weights.map((value) => value / total);
  };
}

/** A whole decode by repeated steps; `Gumbel` redraws by a table of noise that moves with the window. */
function decodeToy(fixture: Fixture, kind: Kind, redraw: 'uniform' | 'Gumbel') {
  const { V, N, W } = fixture.config as Toy;
  const lawAfter = toyLaw(fixture);
  const table = (name: string) => rowsOf(tensorOf(fixture, name).data, V);
  const [fresh, uniforms, residuals] = ['in/fresh', 'in/adv_u', 'in/mult_u'].map((name) =>
    rowsOf(tensorOf(fixture, name).data, W),
  ) as [Law[], Law[], Law[]];
  const [rs, added] = [table('in/rs'), table('in/table_new')];
  let noise = table('in/table0');
  const sequence = numbersOf(fixture, 'in/start');
  let drafts: { token: number; law: Law }[] = [];
  const accepted: number[] = [];
  for (let k = 0; sequence.length < N + 2; k++) {
    for (let j = drafts.length; j < W - 1; j++) {
      const token = fresh[k]![j]!;
      drafts.push({ token, law: pointMass(V, token) });
    }
    const draft = [sequence.at(-1)!, ...drafts.map(({ token }) => token)];
    const p = draft.map((_, s) => lawAfter([...sequence, ...draft.slice(1, s + 1)]));
    const gumbel = (s: number) => noise[s]!.map((u) => -Math.log(-Math.log(u + 1e-9) + 1e-9));
    const draw = (law: Law, s: number) =>
      redraw === 'Gumbel' ? drawWith(law, gumbel(s)) : drawAt(law, uniforms[k]![s]!);
    const { first, tokens, laws } = step(kind, {
      ...{ draft, p, advanced: p.map(draw) },
      q: [new Float64Array(V), ...drafts.map(({ law }) => law)],
      uniformAt: (slot, token) => rs[k * W + slot]![token]!,
      uniform: queue(residuals[k]!),
    });
    sequence.push(...tokens.slice(0, first));
    accepted.push(first);
    drafts = tokens.slice(first).map((token, i) => ({ token, law: laws[first + i]! }));
    noise = [...noise.slice(first), ...added.slice(k * W, k * W + first)];
  }
  return { tokens: sequence.slice(2, N + 2), accepted };
}

async function toyLoop(fixture: Fixture): Promise<Record<string, Computed>> {
  const lawAfter = toyLaw(fixture);
  const prefix = numbersOf(fixture, 'in/start');
  for (const u of numbersOf(fixture, 'in/ar_u')) prefix.push(drawAt(lawAfter(prefix), u));
  const computed: Record<string, Computed> = { ar_seq: prefix.slice(2) };
  for (const name of ['sjd', 'scd_mc_lumina', 'cosmos_mc', 'scd_gs']) {
    const redraw = name === 'scd_gs' ? 'Gumbel' : 'uniform';
    const { tokens, accepted } = decodeToy(fixture, SAMPLERS[name] ?? 'sjd', redraw);
    computed[`${name}_seq`] = tokens;
    computed[`${name}_accepted`] = accepted;
  }
  return computed;
}

export const sjd: Adapter = { accept_step: acceptStep, toy_loop: toyLoop };
