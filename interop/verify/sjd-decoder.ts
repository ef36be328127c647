/**
 * Our decoder `sjd` on the authors' toy, with their random numbers in the place of its streams. Its sequence begins with
 * the last token that theirs is given, so that both draw the first new one in a window. Their numbers are a slot's: slot s
 * of a window holds what was decided last (0) or draft s, and its law is about the place after it.
 */
import type { TokenModel } from '../../sampling/tokens/contract.ts';
import type { Drafter } from '../../sampling/tokens/drafters/drafter.ts';
import { pointMass } from '../../sampling/tokens/law.ts';
import { type Redraw, sjd } from '../../sampling/tokens/sjd.ts';
import { createRng, type Rng } from '../../tensor/rng.ts';
import type { Toy } from './sjd-toy.ts';

/** Decoded tokens, and how many each pass decided. */
export async function decodeByProduct(toy: Toy, redraw: Redraw) {
  const { V, N, W, start, fresh } = toy;
  const given = start.at(-1)!;
  const decided = [given];
  const accepted: number[] = [];
  let window: readonly number[] = [];
  const noises = new Map(toy.noise.map((row, slot) => [1 + slot, row]));
  const model: TokenModel = {
    // Longer by a window, as theirs looks over the end.
    ...{ vocabulary: V, length: 1 + N + W, batch: 1, window: W },
    get lengths() {
      return [decided.length - 1];
    },
    start: async () => logitsOf([pointMass(V, given)]),
    async forward([draft]) {
      window = Array.from(draft!.tokens);
      const before = [...start.slice(0, -1), ...decided.slice(0, -1)];
      const laws = window.map((_, slot) => toy.lawAfter([...before, ...window.slice(0, slot + 1)]));
      return { window: window.length, logits: logitsOf(laws) };
    },
    commit: () => undefined, // every pass tells what it decided
    rollBack: () => undefined,
  };
  const drafter: Drafter = {
    name: 'given',
    laws: ([asked]) => {
      const slot = asked!.tokens.length - asked!.decided;
      return [pointMass(V, fresh[accepted.length]![slot]!)];
    },
  };
  /** Of a place and purpose, in the pass that goes on. */
  const numbersFor = (purpose: string, place: number): Partial<Rng> => {
    const slot = () => place - decided.length;
    if (purpose === 'noise') return wordsOf(noises.get(place) ?? new Float64Array(V).fill(0.5));
    if (purpose === 'redraw') return { uniform: () => toy.redraws[accepted.length]![slot()]! };
    let judgedIn = -1;
    return {
      uniform: () => {
        const pass = accepted.length;
        if (judgedIn === pass) return toy.residuals[pass]![0]!;
        judgedIn = pass;
        return toy.judgeAt(pass, slot() + 1, window[slot() + 1]!);
      },
    };
  };
  const own = createRng(0);
  const stream = (name: string): Rng => {
    const [, place, purpose] = name.split('/');
    if (place === '0' || purpose === 'draft') return own; // draws of a certainty
    return { ...own, ...numbersFor(purpose!, Number(place)) };
  };
  const enough = new AbortController();
  const decoding = sjd({ window: W, redraw, drafter }).decode(model, {
    rngs: [{ ...own, stream }],
    signal: enough.signal,
    onPass: ([row]) => {
      if (row!.start === 0) return;
      for (let i = 0; i < row!.decided.length; i++)
        noises.set(decided.length + W + i, toy.addedNoise(accepted.length, i));
      decided.push(...row!.decided);
      accepted.push(row!.decided.length);
      if (decided.length > N) enough.abort();
    },
  });
  await decoding.catch((error: unknown) => {
    if (!enough.signal.aborted) throw error;
  });
  return { tokens: decided.slice(1, N + 1), accepted };
}

/** Words of which `gumbels` makes -log(-log(u + 1e-9) + 1e-9), theirs. */
function wordsOf(uniforms: Float64Array): Pick<Rng, 'uint32'> {
  let next = 0;
  return {
    uint32: () => {
      const u = uniforms[next++ % uniforms.length]!;
      return Math.exp(Math.log(u + 1e-9) - 1e-9) * 2 ** 32 - 0.5;
    },
  };
}

/** [1, n, V]: a softmax gives the laws back; what is impossible is as good as so. */
function logitsOf(laws: readonly Float64Array[]): Float32Array {
  return Float32Array.from(
    laws.flatMap((law) => Array.from(law, (p) => Math.max(-1e4, Math.log(p)))),
  );
}
