/**
 * What decoders share: their promise, options and result, and the bookkeeping of a batch in the making.
 *
 * The token that was decided last is not in the model's cache yet: each pass feeds it, followed by the
 * row's drafts, so logits i of a row are about the place of draft i, and one place more is learnt than
 * was drafted. Every pass decides at least one token of each unfinished row.
 */
import type { Rng } from '../../tensor/rng.ts';
import { logitsAt, type TokenModel } from './contract.ts';
import { createFilter, type Filters } from './filters.ts';
import type { Law } from './law.ts';

/**
 * identical: token for token as sequential decoding with the same seed; lossless: tokens of the same
 * law; approximate: another law, whose distance is measured.
 */
export type Property = 'identical' | 'lossless' | 'approximate';

export type DecodeOptions = {
  /** One a picture: a picture's tokens depend on its own alone, never on its batch. */
  readonly rngs: readonly Rng[];
  readonly filters?: Filters;
  readonly signal?: AbortSignal;
  readonly onPass?: (pass: readonly RowPass[]) => void | Promise<void>;
};

/** What one pass did to one row. */
export type RowPass = {
  /** Place of the first draft. */
  readonly start: number;
  readonly drafted: readonly number[];
  /** Drafts that were kept: the first ones, or those on a path down a tree. */
  readonly accepted: number;
  /** Tokens that were decided, from `start` on: those kept and what was drawn after them. */
  readonly decided: readonly number[];
  /** Whether the last decided token took the place of a draft. */
  readonly redrawn: boolean;
  /** Places of the decided tokens, where they are not `start` and those after it. */
  readonly places?: readonly number[];
};

/** What an arm of a bandit (a drafter and a length) came to. */
export type ArmRounds = {
  readonly drafter: string;
  readonly length: number;
  readonly rounds: number;
  /** Mean of its rounds: tokens decided a row, over the round's cost in passes over one token. */
  readonly reward: number;
};

export type Decoding = {
  /** N tokens a row. */
  readonly tokens: readonly Int32Array[];
  /** Calls of the model, the condition's included. */
  readonly passes: number;
  /** By pass; rows that were finished have no drafts and no tokens. */
  readonly trace: readonly (readonly RowPass[])[];
  /** Of a bandit: all its arms. */
  readonly arms?: readonly ArmRounds[];
  /** Of constrained sampling: log of each row's importance weight. */
  readonly logWeights?: readonly number[];
};

export type Decoder = {
  readonly name: string;
  readonly property: Property;
  decode(model: TokenModel, options: DecodeOptions): Promise<Decoding>;
};

/** A row's random numbers by purpose and place: streams `token/<place>/<purpose>`, each continued where it stopped. */
export type Streams = (purpose: string, place: number) => Rng;

export function streamsOf(rng: Rng): Streams {
  const open = new Map<string, Rng>();
  return (purpose, place) => {
    const name = `token/${place}/${purpose}`;
    const found = open.get(name) ?? rng.stream(name);
    open.set(name, found);
    return found;
  };
}

/** Laws of a row by index of its new tokens. */
export type RowLaws = (row: number, index: number) => Law;
/** The network's last hidden state at a new token, where it gives them. */
export type RowHidden = (row: number, index: number) => Float32Array | undefined;

export function openBatch(model: TokenModel, options: DecodeOptions) {
  const { rngs, filters = {}, signal, onPass } = options;
  const { vocabulary, batch, length } = model;
  if (rngs.length !== batch)
    throw new RangeError(`decode: expected ${batch} streams, one a row, got ${rngs.length}`);
  const filter = createFilter(filters, vocabulary);
  const rows: number[][] = Array.from({ length: batch }, () => []);
  const streams = rngs.map(streamsOf);
  const trace: RowPass[][] = [];
  let passes = 0;
  let pass: RowPass[] = [];

  const lawOf = (logits: Float32Array, place: number): Law => {
    checkLogits(logits, place, passes);
    return filter(logits);
  };
  const blank = (): RowPass[] =>
    rows.map(({ length: start }) => ({
      ...{ start, drafted: [], accepted: 0, decided: [], redrawn: false },
    }));

  return {
    vocabulary,
    /** Decided tokens. */
    rows: rows as readonly (readonly number[])[],
    streams,
    /** Unfinished rows. */
    open: (): number[] => [...rows.keys()].filter((row) => rows[row]!.length < length),
    /** Most drafts of a row that can be of use. */
    room: (row: number): number => Math.max(0, length - rows[row]!.length - 1),
    /** Laws of the first tokens. */
    async start(): Promise<(row: number) => Law> {
      signal?.throwIfAborted();
      passes++;
      pass = blank();
      const logits = await model.start();
      return (row) => lawOf(logits.subarray(row * vocabulary, (row + 1) * vocabulary), 0);
    },
    /** Runs the model on the last decided tokens and drafts; trees give parents among the drafts, -1 for the root. */
    async forward(
      drafts: readonly (readonly number[])[],
      parents?: readonly (readonly number[])[],
    ): Promise<{ laws: RowLaws; hidden: RowHidden }> {
      signal?.throwIfAborted();
      passes++;
      pass = blank();
      const answer = await model.forward(
        rows.map((decided, row) => {
          if (decided.length >= length) return { tokens: [] };
          const tokens = [decided.at(-1)!, ...drafts[row]!];
          const branches = parents?.[row];
          return branches ? { tokens, parents: [-1, ...branches.map((i) => i + 1)] } : { tokens };
        }),
      );
      const depthOf = (row: number, index: number): number => {
        const branches = parents?.[row];
        return branches && index > 0 ? depthOf(row, branches[index - 1]! + 1) + 1 : index;
      };
      const laws: RowLaws = (row, index) =>
        lawOf(logitsAt(answer, row, index, vocabulary), rows[row]!.length + depthOf(row, index));
      const width = (answer.hidden?.length ?? 0) / (batch * answer.window);
      const hidden: RowHidden = (row, index) => {
        const at = (row * answer.window + index) * width;
        return answer.hidden?.slice(at, at + width);
      };
      return { laws, hidden };
    },
    /**
     * Decides a row's tokens of this pass: the first `accepted` drafts (of a tree, those on `path`), then
     * `drawn`.
     */
    settle(
      row: number,
      told: {
        readonly drafted?: readonly number[];
        readonly accepted?: number;
        readonly path?: readonly number[];
        readonly drawn: number;
        readonly redrawn?: boolean;
      },
    ): void {
      const { drafted = [], accepted = 0, path, drawn, redrawn = false } = told;
      const kept = path ? path.map((i) => drafted[i]!) : drafted.slice(0, accepted);
      const start = rows[row]!.length;
      if (start > 0) model.commit(row, path ? [0, ...path.map((i) => i + 1)] : kept.length + 1);
      const decided = [...kept, drawn];
      rows[row]!.push(...decided);
      pass[row] = { start, drafted, accepted: kept.length, decided, redrawn };
    },
    /** Forgets a row's decided tokens from `length` on, at least one stays. */
    undo(row: number, length: number): void {
      model.rollBack(row, length - 1);
      rows[row]!.length = length;
    },
    /** Gives rows other decided tokens; passes of the model read those that its cache lacks. */
    async adopt(others: ReadonlyMap<number, readonly number[]>): Promise<void> {
      const missing = rows.map((): number[] => []);
      for (const [row, tokens] of others) {
        const cached = Math.min(rows[row]!.length, tokens.length) - 1; // the last one is fed by the next pass
        let kept = 0;
        while (kept < cached && rows[row]![kept] === tokens[kept]) kept++;
        model.rollBack(row, kept);
        rows[row]!.splice(0, rows[row]!.length, ...tokens);
        missing[row] = tokens.slice(kept, -1);
      }
      while (missing.some((tokens) => tokens.length > 0)) {
        signal?.throwIfAborted();
        passes++;
        const fed = missing.map((tokens) => tokens.splice(0, model.window));
        await model.forward(fed.map((tokens) => ({ tokens })));
        for (const [row, tokens] of fed.entries()) model.commit(row, tokens.length);
        trace.push(blank());
        await onPass?.(trace.at(-1)!);
      }
    },
    /** Ends a pass: its trace is complete. */
    async end(): Promise<void> {
      trace.push(pass);
      await onPass?.(pass);
    },
    finish: (): Decoding => ({ tokens: rows.map((row) => Int32Array.from(row)), passes, trace }),
  };
}

export type Batch = ReturnType<typeof openBatch>;

export function checkLogits(logits: Float32Array, place: number, step: number): void {
  for (let i = 0; i < logits.length; i++)
    if (!Number.isFinite(logits[i]!))
      throw new RangeError(
        `decode: expected finite logits, got ${logits[i]} for token ${i} at position ${place} in step ${step}`,
      );
}

/** Throws unless a window fits the model. */
export function checkWindow(window: number, { length, window: most }: TokenModel): void {
  if (!(Number.isInteger(window) && window >= 1 && window <= length))
    throw new RangeError(
      `window: expected an integer from 1 to the sequence's ${length} tokens, got ${window}`,
    );
  if (window > most)
    throw new RangeError(`window: expected at most the model's ${most} tokens, got ${window}`);
}

/** Throws unless so many drafts, one after another, fit the model after the token that was decided last. */
export function checkDrafts(option: string, drafts: number, { length, window }: TokenModel): void {
  const most = Math.min(length, window) - 1;
  if (!(Number.isInteger(drafts) && drafts >= 0 && drafts <= most))
    throw new RangeError(
      `${option}: expected an integer up to ${most}, the drafts that a pass has room for, got ${drafts}`,
    );
}
