/**
 * Philox 4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
 * 1, 2, 3", section 3.3 and table 2). Block n of a stream is `philox(counter = n, key)`; nothing else is state.
 *
 * Ours: the key of the root stream is the seed's 64 bits; the key of a named stream is the first 8 bytes (little endian)
 * of SHA-256 of its path, `<seed in decimal>/<name>/<name>...`, so `rng.stream('step/3')` is `rng.stream('step').stream('3')`.
 * Normals are Box-Muller pairs in float64, two words a pair. Changing anything here changes every picture ever made.
 */
import { createHash } from 'node:crypto';

export type Rng = {
  /** The next word, an integer in [0, 2^32). */
  uint32(): number;
  /** 53 random bits, in [0, 1). */
  uniform(): number;
  /** Standard normal, float64. */
  normal(): number;
  /** Uniform in 0 ... below - 1, without modulo bias. */
  integer(below: number): number;
  /** The next `length` values of `normal()`, rounded to float32. */
  normals(length: number): Float32Array;
  /** An independent child; which values the parent has given out does not matter. */
  stream(name: string): Rng;
};

const M0_HIGH = 0xd251;
const M0_LOW = 0x1f53;
const M1_HIGH = 0xcd9e;
const M1_LOW = 0x8d57;
const M0 = 0xd2511f53 | 0;
const M1 = 0xcd9e8d57 | 0;
const WEYL_0 = 0x9e3779b9 | 0;
const WEYL_1 = 0xbb67ae85 | 0;

const TWO_PI = 2 * Math.PI;
const WORD = 2 ** -32;
/** Words made at a time by `normals`: small enough to stay in the first-level cache. */
const CHUNK = 2048;

/** Ten rounds on counter `c` (4 words) under key `k` (2 words); the 4 words of the result go to `out[at ...]`. */
export function philox4x32(
  c: ArrayLike<number>,
  k: ArrayLike<number>,
  out: Uint32Array,
  at = 0,
): void {
  let c0 = c[0]! | 0;
  let c1 = c[1]! | 0;
  let c2 = c[2]! | 0;
  let c3 = c[3]! | 0;
  let k0 = k[0]! | 0;
  let k1 = k[1]! | 0;
  for (let round = 0; round < 10; round++) {
    // The upper word of each 32 x 32 -> 64 product, from 16-bit halves: no intermediate exceeds 32 bits.
    let low = c0 & 0xffff;
    let high = c0 >>> 16;
    let middle = (Math.imul(high, M0_LOW) + (Math.imul(low, M0_LOW) >>> 16)) | 0;
    let other = (Math.imul(low, M0_HIGH) + (middle & 0xffff)) | 0;
    const upper0 = (Math.imul(high, M0_HIGH) + (middle >>> 16) + (other >>> 16)) | 0;
    low = c2 & 0xffff;
    high = c2 >>> 16;
    middle = (Math.imul(high, M1_LOW) + (Math.imul(low, M1_LOW) >>> 16)) | 0;
    other = (Math.imul(low, M1_HIGH) + (middle & 0xffff)) | 0;
    const upper1 = (Math.imul(high, M1_HIGH) + (middle >>> 16) + (other >>> 16)) | 0;
    const lower0 = Math.imul(c0, M0);
    c0 = upper1 ^ c1 ^ k0;
    c1 = Math.imul(c2, M1);
    c2 = upper0 ^ c3 ^ k1;
    c3 = lower0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}

/** A source of words: blocks of one key in counter order. `fill` continues where `next` stopped. */
function createWords(key: Uint32Array) {
  const counter = new Uint32Array(4);
  const block = new Uint32Array(4);
  let used = 4;
  const advance = (out: Uint32Array, at: number) => {
    philox4x32(counter, key, out, at);
    for (let i = 0; i < 4; i++) {
      counter[i]!++;
      if (counter[i] !== 0) break; // no carry
    }
  };
  const next = (): number => {
    if (used === 4) {
      advance(block, 0);
      used = 0;
    }
    return block[used++]!;
  };
  const fill = (out: Uint32Array, length: number): void => {
    let i = 0;
    while (used < 4 && i < length) out[i++] = block[used++]!;
    for (; i + 4 <= length; i += 4) advance(out, i);
    while (i < length) out[i++] = next();
  };
  return { next, fill };
}

function createStream(path: string, key: Uint32Array): Rng {
  const words = createWords(key);
  let spare: number | undefined; // the second normal of a pair

  const radius = (word: number) => Math.sqrt(-2 * Math.log((word + 1) * WORD)); // + 1: never log(0)
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const r = radius(words.next());
    const angle = TWO_PI * WORD * words.next();
    spare = r * Math.sin(angle);
    return r * Math.cos(angle);
  };

  const normals = (length: number): Float32Array => {
    const out = new Float32Array(length);
    let i = 0;
    if (spare !== undefined && length > 0) out[i++] = normal();
    const buffer = new Uint32Array(Math.min(CHUNK, length));
    while (length - i >= 2) {
      const count = Math.min(buffer.length & ~1, (length - i) & ~1);
      words.fill(buffer, count);
      for (let j = 0; j < count; j += 2) {
        const r = radius(buffer[j]!);
        const angle = TWO_PI * WORD * buffer[j + 1]!;
        out[i++] = r * Math.cos(angle);
        out[i++] = r * Math.sin(angle);
      }
    }
    if (i < length) out[i] = normal();
    return out;
  };

  return {
    uint32: words.next,
    uniform: () => {
      const upper = words.next() >>> 5;
      return (upper * 2 ** 26 + (words.next() >>> 6)) * 2 ** -53;
    },
    normal,
    integer: (below) => {
      if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
        throw new RangeError(`Rng.integer: expected an integer from 1 to 2^32, got ${below}`);
      const limit = 2 ** 32 - (2 ** 32 % below);
      let word = words.next();
      while (word >= limit) word = words.next(); // the incomplete last run of values would be favoured
      return word % below;
    },
    normals,
    stream: (name) => createNamed(`${path}/${name}`),
  };
}

function createNamed(path: string): Rng {
  const digest = createHash('sha256').update(path).digest();
  return createStream(path, Uint32Array.of(digest.readUInt32LE(0), digest.readUInt32LE(4)));
}

/** The root stream of a seed: an integer from 0 to 2^53 - 1, or a bigint below 2^64. */
export function createRng(seed: number | bigint): Rng {
  if (
    typeof seed === 'number'
      ? !Number.isSafeInteger(seed) || seed < 0
      : seed < 0n || seed >= 2n ** 64n
  )
    throw new RangeError(
      `seed: expected an integer from 0 to 2^53 - 1 (2^64 - 1 as a bigint), got ${seed}`,
    );
  const bits = BigInt(seed);
  return createStream(
    bits.toString(),
    Uint32Array.of(Number(bits & 0xffffffffn), Number(bits >> 32n)),
  );
}
