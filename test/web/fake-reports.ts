/** Reports and traces that no model made, for building and testing the page. Their numbers follow formulas and find nothing. */
import type { TracePass, TraceReport, TraceRun } from '../../jobs/job.ts';
import { encodePng, type Picture } from '../../png.ts';
import type { ImageRequest } from '../../request.ts';

const SIDES = [48, 64, 96, 128, 192, 256];
/** How fast a method's distance grows with the side. */
const METHODS: Readonly<Record<string, number>> = {
  none: 2.1,
  ntk: 1.9,
  pi: 1.6,
  yarn: 1.2,
  dype: 1.1,
};

export function fakeResolution() {
  const rows = Object.entries(METHODS).flatMap(([extend, slope]) =>
    [...SIDES.map((side) => [side, side] as const), [128, 64] as const].map(([width, height]) => {
      const times = Math.max(width, height) / 64;
      const beyond = Math.max(0, Math.log2(times));
      const kid = 8 * 2 ** (slope * beyond) + (times < 1 ? 3 : 0);
      return {
        ...{ model: 'avatars', extend, size: `${width}x${height}`, sets: 3, samples: 64 },
        ...{ trained: times === 1, unchanged: extend !== 'none' && times <= 1, warnings: [] },
        numbers: {
          kid: point(kid, kid / 9),
          attributes: point(1 - 0.1 * slope * beyond, 0.03),
          duplication: point(0.2 * slope * beyond, 0.05),
          seconds: point(0.3 * times ** 2.4, 0),
          consistency: point(Math.min(1, 0.2 * slope * beyond), 0.02),
        },
      };
    }),
  );
  const sizes = [...new Set(rows.map(({ size }) => size))];
  return {
    rows,
    comparisons: [],
    best: sizes.map((size) => {
      const own = rows.filter((row) => row.size === size && !row.unchanged);
      const [best, next] = own.sort((a, b) => a.numbers.kid.value - b.numbers.kid.value);
      const tie = next && next.numbers.kid.low < best!.numbers.kid.high;
      return {
        ...{ size, arm: `avatars, ${best!.extend}`, kid: best!.numbers.kid },
        alike: tie ? [`avatars, ${next.extend}`] : [],
      };
    }),
    made: ['64 pictures a cell in each of 3 sets of seeds.', 'No model made these numbers.'],
  };
}

const point = (value: number, error: number) => ({
  value,
  low: value - error,
  high: value + error,
});

const SIDE = 16;
const LENGTH = SIDE * SIDE;
/** Seconds of a pass. */
const [PASS, ONE] = [0.038, 0.0244];

/** A picture of 16 x 16 tokens by drafts of a window, of which a few are kept at each pass. */
export async function fakeTrace(request: ImageRequest): Promise<TraceReport> {
  const picture = await encodePng(rings(request.seed, 128));
  const { sampling } = request;
  const decoder = sampling.kind === 'tokens' ? sampling.decoder : 'sequential';
  const run = (name: string, passes: readonly TracePass[]): TraceRun => ({
    ...{ decoder: name, passes, png: picture.toString('base64') },
    seconds: passes.at(-1)!.at,
  });
  return {
    ...{ request, exactness: 'lossless', grid: { height: SIDE, width: SIDE } },
    chosen: run(decoder, drafted(request.seed)),
    sequential: run(
      'sequential',
      Array.from({ length: LENGTH }, (_, start) => ({
        ...{ at: ONE * (start + 1), start, drafted: [], accepted: 0 },
        ...{ decided: [token(start)], redrawn: false },
      })),
    ),
  };
}

const token = (place: number) => (place * 37) % 512;

function drafted(seed: number): TracePass[] {
  const passes: TracePass[] = [];
  for (let start = 0, k = 0; start < LENGTH; k++) {
    const window = Math.min(32, LENGTH - start);
    const accepted = Math.min(window - 1, (k * 7 + seed) % 9);
    // a draft is right more often the later the pass
    const drafts = Array.from({ length: window }, (_, i) =>
      i < accepted || (start + i + k) % 3 > 0 ? token(start + i) : 511 - k,
    );
    passes.push({
      ...{ at: PASS * (k + 1), start, drafted: drafts, accepted, redrawn: accepted < window },
      decided: Array.from({ length: accepted + 1 }, (_, i) => token(start + i)),
    });
    start += accepted + 1;
  }
  return passes;
}

function rings(seed: number, side: number): Picture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const far = Math.hypot(x / side - 0.5, y / side - 0.45);
      const ring = 0.5 + 0.5 * Math.cos(far * (14 + (seed % 9)));
      for (let c = 0; c < 3; c++)
        data[(y * side + x) * 3 + c] = 60 + ring * (c === 0 ? 190 : 110 + 30 * c);
    }
  return { data, width: side, height: side };
}

export const fakeDecoding = {
  ...{ model: 'avatars-tokens', pictures: 4 },
  rows: [
    decoderRow('sequential', 'identical', 256, 6.25, 1),
    decoderRow('sjd', 'lossless', 101, 3.91, 1),
    decoderRow('zipar', 'approximate', 39, 1.61, 0.41),
  ],
};

function decoderRow(
  decoder: string,
  property: 'identical' | 'lossless' | 'approximate',
  passes: number,
  seconds: number,
  equal: number,
) {
  const tokensPerPass = 256 / passes;
  return {
    ...{ decoder, property, passes, seconds, equal, tokensPerPass },
    ...{ acceptedPerPass: tokensPerPass - 1, foregroundPerPass: tokensPerPass / 1.4 },
  };
}
