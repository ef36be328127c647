/** A token model that goes on after a prefix: the tokens that follow it, as a sequence of their own. */
import type { Draft, TokenModel } from '../../sampling/tokens/contract.ts';
import { logitsAt } from '../../sampling/tokens/contract.ts';

/** `length` tokens after `prefix`, which every row of `model` keeps in its cache from one start to the next. */
export async function continuation(
  model: TokenModel,
  prefix: ArrayLike<number>,
  length: number,
): Promise<TokenModel> {
  const { batch, vocabulary } = model;
  const P = prefix.length;
  await model.start();
  const first = new Float32Array(batch * vocabulary);
  for (let done = 0; done < P; ) {
    const tokens = Array.from(prefix).slice(done, done + model.window);
    const answer = await model.forward(Array.from({ length: batch }, () => ({ tokens })));
    for (let row = 0; row < batch; row++) {
      model.commit(row, tokens.length);
      first.set(logitsAt(answer, row, tokens.length - 1, vocabulary), row * vocabulary);
    }
    done += tokens.length;
  }
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
