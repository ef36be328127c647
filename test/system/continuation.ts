/** A token model that goes on after a prefix: the tokens that follow it, as a sequence of their own. */
import type { Draft, TokenModel } from '../../sampling/tokens/contract.ts';

/** Far enough from 0 that softmax in float64 leaves nothing to the others. */
const CERTAIN = 1000;

/**
 * `length` tokens from the last of `prefix` on, which is certain; those before it stay in the cache of every row from
 * one start to the next. So the first token that is open is judged against a draft, as all after it.
 */
export async function continuation(
  model: TokenModel,
  prefix: ArrayLike<number>,
  length: number,
): Promise<TokenModel> {
  const { batch, vocabulary } = model;
  const P = prefix.length - 1;
  await model.start();
  for (let done = 0; done < P; ) {
    const tokens = Array.from(prefix).slice(done, Math.min(P, done + model.window));
    await model.forward(Array.from({ length: batch }, () => ({ tokens })));
    for (let row = 0; row < batch; row++) model.commit(row, tokens.length);
    done += tokens.length;
  }
  const first = new Float32Array(batch * vocabulary);
  for (let row = 0; row < batch; row++) first[row * vocabulary + prefix[P]!] = CERTAIN;
  const shifted = (places: ArrayLike<number> | undefined, name: string) =>
    places && { [name]: Array.from(places, (place) => place + P) };
  return {
    ...{ vocabulary, batch, length, window: model.window },
    get lengths() {
      return Array.from({ length: batch }, (_, row) => model.lengths[row]! - P);
    },
    async start() {
      for (let row = 0; row < batch; row++) model.rollBack(row, P);
      return first.slice();
    },
    forward: (rows) =>
      model.forward(
        rows.map(
          ({ positions, targets, ...rest }): Draft => ({
            ...rest,
            ...shifted(positions, 'positions'),
            ...shifted(targets, 'targets'),
          }),
        ),
      ),
    commit: (row, kept) => model.commit(row, kept),
    rollBack: (row, to) => model.rollBack(row, to + P),
  };
}
