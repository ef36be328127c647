/**
 * Decoders side by side on the same pictures: passes, time, what was accepted, whether the tokens are
 * those of sequential decoding. Drawings are mostly background, whose tokens are easy to guess, so the
 * tokens of the drawing itself are counted apart.
 */
import type { ArmRounds, Decoding, Property } from '../sampling/tokens/decoder.ts';
import { bestArm, pooledArms } from './best-arm.ts';

export type DecoderRow = {
  readonly decoder: string;
  readonly property: Property;
  /** Calls of the model for a batch, on average. */
  readonly passes: number;
  readonly seconds: number;
  /** Drafts that were kept, a pass of a picture that drafted. */
  readonly acceptedPerPass: number;
  /** Tokens decided, a pass of an unfinished picture; and of those in the foreground. */
  readonly tokensPerPass: number;
  readonly foregroundPerPass: number;
  /** Share of tokens that are those of sequential decoding with the same seeds. */
  readonly equal: number;
  readonly kid?: number;
  /** Of a bandit: what its arms came to over all pictures. */
  readonly arms?: readonly ArmRounds[];
};

export type EvaluateDecoding = {
  readonly decoders: readonly { readonly name: string; readonly property: Property }[];
  /** The same batches of pictures by any decoder; 'sequential' is what others are compared with. */
  readonly decode: (decoder: string) => Promise<readonly Decoding[]>;
  /** Decodes some of them before the clock starts, so that what is compiled is not timed. */
  readonly prepare: (decoder: string) => Promise<unknown>;
  /** Distance of these tokens' pictures from real ones. */
  readonly kid?: (tokens: readonly Int32Array[]) => Promise<number>;
  /** Milliseconds. */
  readonly now: () => number;
};

export async function evaluateDecoding(options: EvaluateDecoding): Promise<DecoderRow[]> {
  const { decoders, decode, prepare, kid, now } = options;
  const reference = tokensOf(await decode('sequential'));
  const rows: DecoderRow[] = [];
  for (const { name, property } of decoders) {
    await prepare(name);
    const start = now();
    const decodings = await decode(name);
    const seconds = (now() - start) / 1000;
    const passes = decodings.reduce((sum, one) => sum + one.passes, 0) / decodings.length;
    const tokens = tokensOf(decodings);
    rows.push({
      ...{ decoder: name, property, passes, seconds },
      ...sharesOf(decodings),
      equal: equalShare(tokens, reference),
      ...(kid ? { kid: await kid(tokens) } : {}),
      ...pooledArms(decodings),
    });
  }
  return rows;
}

const tokensOf = (decodings: readonly Decoding[]) => decodings.flatMap(({ tokens }) => tokens);

/** The commonest token of a picture is its background; runs of it are what is easy. */
export function isForeground(tokens: Int32Array): (place: number) => boolean {
  const counts = new Map<number, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const [background] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [-1, 0]);
  return (place) => tokens[place] !== background;
}

function sharesOf(decodings: readonly Decoding[]) {
  let [passes, decided, foreground, drafting, accepted] = [0, 0, 0, 0, 0];
  let foregroundPasses = 0;
  for (const { tokens, trace } of decodings) {
    const tests = tokens.map(isForeground);
    for (const [row, one] of trace.flatMap((pass) => [...pass.entries()])) {
      if (one.decided.length === 0) continue;
      passes++;
      decided += one.decided.length;
      const places = one.places ?? one.decided.map((_, i) => one.start + i);
      const inside = places.filter(tests[row]!).length;
      foreground += inside;
      if (inside > 0) foregroundPasses++;
      if (one.drafted.length > 0) drafting++;
      accepted += one.accepted;
    }
  }
  return {
    acceptedPerPass: drafting === 0 ? 0 : accepted / drafting,
    tokensPerPass: decided / passes,
    foregroundPerPass: foregroundPasses === 0 ? 0 : foreground / foregroundPasses,
  };
}

function equalShare(a: readonly Int32Array[], b: readonly Int32Array[]): number {
  let [equal, all] = [0, 0];
  for (const [row, list] of a.entries())
    for (const [place, token] of list.entries()) {
      all++;
      if (token === b[row]![place]) equal++;
    }
  return equal / all;
}

/** A table for terminals. */
export function formatDecoding(rows: readonly DecoderRow[]): string {
  const withKid = rows.some(({ kid }) => kid !== undefined);
  const withArms = rows.some(({ arms }) => arms !== undefined);
  const head = [
    'decoder',
    'property',
    'passes',
    'seconds',
    'accepted',
    'decided',
    'foreground',
    'equal',
  ];
  const lines = rows.map((row) => [
    ...[row.decoder, row.property, `${Number(row.passes.toFixed(1))}`, row.seconds.toFixed(2)],
    ...[row.acceptedPerPass, row.tokensPerPass, row.foregroundPerPass].map((x) => x.toFixed(2)),
    `${(100 * row.equal).toFixed(1)} %`,
    ...(withKid ? [(1000 * (row.kid ?? Number.NaN)).toFixed(2)] : []),
    ...(withArms ? [row.arms ? armText(row.arms) : ''] : []),
  ]);
  const more = [...(withKid ? ['KID x 1000'] : []), ...(withArms ? ['best arm'] : [])];
  const table = [[...head, ...more], ...lines];
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((line) => line[column]!.length)),
  );
  return table
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** "network 4: 23 % of rounds". */
function armText(arms: readonly ArmRounds[]): string {
  const { drafter, length, share } = bestArm(arms);
  return `${drafter} ${length}: ${(100 * share).toFixed(0)} % of rounds`;
}
