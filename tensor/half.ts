/** Half-precision floats (IEEE 754 binary16) and bfloat16, on raw 16-bit words. */

/** Rounds to nearest, ties to even; beyond 65504 + half a step to infinity. NaN stays NaN. */
export function encodeHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    out[i] = ((word >>> 16) & 0x8000) | halfOfMagnitude(word & 0x7fffffff);
  }
  return out;
}

/** Bits of a half from the bits of a non-negative float32. */
function halfOfMagnitude(bits: number): number {
  if (bits > 0x7f800000) return 0x7e00 | ((bits >>> 13) & 0x3ff); // NaN, made quiet
  if (bits >= 0x477ff000) return 0x7c00; // 65520 and more, infinity
  if (bits >= 0x38800000) return (bits + 0xfff + ((bits >>> 13) & 1) - 0x38000000) >>> 13; // normal
  if (bits <= 0x33000000) return 0; // up to 2^-25, the tie between zero and the smallest subnormal
  const shift = 126 - (bits >>> 23);
  const mantissa = (bits & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && (whole & 1) === 1) ? whole + 1 : whole;
}

/** Exact. */
export function decodeHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) out[i] = (sign ? -mantissa : mantissa) * 2 ** -24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
  }
  return out;
}

/** Exact: a bfloat16 is the upper half of a float32. */
export function decodeBfloat16(words: Uint16Array): Float32Array {
  const out = new Float32Array(words.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return out;
}
