/** Analyses of positions on disk: a page that needs nothing else, and the same as JSON and CSV. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  escapeText,
  heatMap,
  type LineChart,
  legend,
  lineChart,
  PAGE,
  rangeOf,
  short,
} from '../charts.ts';
import { PAGE_STYLE } from '../page-style.ts';
import { writeJson, writeWhole } from '../resolution/cell-files.ts';
import { sizeName } from '../resolution/plan.ts';
import type { ModelPositions } from './analyse-model.ts';
import type { DecoderPadding } from './decoder-padding.ts';
import type { MethodRow } from './method-table.ts';
import type { ProtocolRow } from './nope-protocol.ts';

export type PositionsReport = {
  readonly methods: readonly MethodRow[];
  readonly models: readonly ModelPositions[];
  readonly decoders: readonly DecoderPadding[];
  /** Where it was asked for. */
  readonly protocol?: readonly ProtocolRow[];
};

export async function writePositions(out: string, report: PositionsReport): Promise<void> {
  await mkdir(out, { recursive: true });
  await writeJson(join(out, 'positions.json'), report);
  await writeWhole(join(out, 'positions.csv'), csvOf(report));
  await writeWhole(join(out, 'positions.html'), pageOf(report));
}

type Block = ModelPositions['blocks'][number];
const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** One number a block, as curves over blocks show it. */
const BY_BLOCK: readonly {
  readonly name: string;
  readonly title: string;
  readonly of: (block: Block, model: ModelPositions) => number;
  readonly level?: NonNullable<LineChart['level']>;
}[] = [
  {
    name: 'attention distance',
    title: 'attention distance, relative to uniform',
    of: ({ distance }, { uniformDistance }) => mean(distance) / uniformDistance,
    level: { name: 'uniform', value: 1 },
  },
  {
    name: 'attention entropy',
    title: 'attention entropy (1: uniform)',
    of: ({ entropy }) => mean(entropy),
    level: { name: 'uniform', value: 1 },
  },
  {
    name: 'probe error',
    title: 'error of reading places, relative to chance',
    of: ({ probe }) => probe.error / probe.chance,
    level: { name: 'chance', value: 1 },
  },
  {
    name: 'residual',
    title: 'logits that are no function of the offset',
    of: ({ residual }) => residual,
  },
  {
    name: 'variance slope',
    title: 'variance of what attention gives, slope against place',
    of: ({ variance }) => variance,
    level: { name: 'means over the past', value: -1 },
  },
];

const OF_DECODER = [
  { name: 'pattern from padding / deviation', of: ({ relative }: Pattern) => relative },
  { name: 'pattern from padding / chance', of: ({ overChance }: Pattern) => overChance },
];
type Pattern = DecoderPadding['pattern'];

const named = ({ model, size }: ModelPositions) => `${model} ${sizeName(size)}`;

/** One line a model, size, block and number; a tokenizer's decoder has no blocks. */
function csvOf({ models, decoders }: PositionsReport): string {
  const ofBlocks = models.flatMap((one) =>
    one.blocks.flatMap((block, layer) =>
      BY_BLOCK.map(({ name, of }) => [one.model, sizeName(one.size), layer, name, of(block, one)]),
    ),
  );
  const ofDecoders = decoders.flatMap(({ tokenizer, size, pattern }) =>
    OF_DECODER.map(({ name, of }) => [tokenizer, sizeName(size), '', name, of(pattern)]),
  );
  const lines = [...ofBlocks, ...ofDecoders];
  return [['model', 'size', 'block', 'measure', 'value'], ...lines]
    .map((line) => `${line.join(',')}\n`)
    .join('');
}

function pageOf({ methods, models, decoders, protocol }: PositionsReport): string {
  const title = 'What positions do';
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${PAGE_STYLE}</style></head><body><main><h1>${title}</h1>`,
    `<h2>Methods as they come</h2><p>Stable rank: how many independent functions of the place a method offers. Distance preservation: how well products of two places' encodings say how near they are (1: along a line). Before anything is learned; docs/evaluation.md says how.</p>`,
    methodTable(methods),
    ...(models.length > 0 ? modelSections(models) : []),
    ...(decoders.length > 0 ? [decoderSection(decoders)] : []),
    ...(protocol ? [protocolSection(protocol)] : []),
    '</main></body></html>\n',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`;
}

const methodTable = (methods: readonly MethodRow[]): string =>
  table(
    ['method', 'stable rank', 'distance preservation', 'pattern from padding', 'note'],
    methods.map(({ hook, name, quality, padding, note }) => [
      `${hook}: ${name}`,
      quality ? short(quality.stableRank) : '',
      quality ? quality.distancePreservation.toFixed(3) : '',
      padding
        ? `${short(padding.relative)} of the deviation, ${short(padding.overChance)} x chance`
        : '',
      note ?? '',
    ]),
  );

function modelSections(models: readonly ModelPositions[]): string[] {
  const depth = Math.max(...models.map(({ blocks }) => blocks.length));
  const places = Array.from({ length: depth }, (_, layer) => String(layer));
  const point = (value: number | undefined) =>
    value === undefined ? undefined : { value, low: value, high: value };
  const byBlock = BY_BLOCK.map(({ title, of, level }) => {
    const series = models.map((one) => ({
      name: named(one),
      points: places.map((_, layer) => point(one.blocks[layer] && of(one.blocks[layer]!, one))),
    }));
    return lineChart({ title, places, series, ...(level ? { level } : {}) }, PAGE);
  });
  const [first] = models as [ModelPositions];
  const farthest = Math.min(
    12,
    Math.max(...models.map(({ blocks }) => blocks[0]!.similarity.length)),
  );
  const distances = Array.from({ length: farthest }, (_, d) => String(d + 1));
  const near = models.map((one) => ({
    name: named(one),
    points: distances.map((_, d) => point(one.blocks.at(-1)!.similarity[d])),
  }));
  return [
    `<h2>Models</h2><p>${first.pictures} drawings of each size with noise (t = ${first.t}), by block from the input on.</p>`,
    `<p class="legend">${legend(models.map(named), PAGE)}</p>`,
    `<div class="charts">${byBlock.join('')}${lineChart({ title: 'similarity of states by distance, last block', places: distances, series: near, range: rangeOf(near) }, PAGE)}</div>`,
    ...models.map(rotations),
  ];
}

/** Frequencies by block, and the heads that look at places most. */
function rotations(one: ModelPositions): string {
  const turning = one.blocks.filter(({ frequencies }) => frequencies);
  if (turning.length === 0) return '';
  const rows = turning.map((_, layer) => `block ${layer}`);
  const count = turning[0]!.frequencies!.length;
  const shares = turning.map(({ frequencies }) => frequencies!.map((share) => 100 * share));
  const heads = turning
    .flatMap((block, layer) => block.heads!.map((head) => ({ layer, ...head })))
    .sort((a, b) => b.score - a.score)
    .slice(0, 8);
  const map = {
    title: `${named(one)}: share of each pair in |q| |k|, percent`,
    rows,
    columns: Array.from({ length: count }, (_, pair) => String(pair)),
    ...{ values: shares, better: 'neither' as const },
  };
  return `<div class="scroll">${heatMap(map, PAGE)}</div><p>${escapeText(named(one))}: heads of which one pair follows the distance most.</p>${table(
    ['block', 'head', 'pair', 'correlation'],
    heads.map(({ layer, head, pair, score }) => [
      String(layer),
      String(head),
      String(pair),
      score.toFixed(3),
    ]),
  )}`;
}

function decoderSection(decoders: readonly DecoderPadding[]): string {
  const longest = Math.max(...decoders.map(({ pattern }) => pattern.byBorder.length));
  const every = Math.ceil(longest / 12); // room for so many numbers
  const series = decoders.map(({ tokenizer, pattern }) => ({
    name: tokenizer,
    points: pattern.byBorder.map((value) => ({ value, low: value, high: value })),
  }));
  const chart = {
    title: 'pattern by distance from the border, pixels',
    places: Array.from({ length: longest }, (_, d) => (d % every === 0 ? String(d) : '')),
    series,
  };
  return `<h2>Decoders of tokenizers</h2><p>What a picture decoded alone has, in the mean over drawings, that it has not as the middle of one of twice the side; its mean size over the deviation of colours. Over chance: its square by what so few drawings would leave of none, about 1 where borders do nothing.</p>${table(
    ['tokenizer', 'size', 'drawings', 'over the deviation', 'over chance'],
    decoders.map(({ tokenizer, size, pictures, pattern }) => [
      ...[tokenizer, sizeName(size), String(pictures)],
      ...OF_DECODER.map(({ of }) => short(of(pattern))),
    ]),
  )}<p class="legend">${legend(
    decoders.map(({ tokenizer }) => tokenizer),
    PAGE,
  )}</p><div class="charts">${lineChart(chart, PAGE)}</div>`;
}

const protocolSection = (rows: readonly ProtocolRow[]): string =>
  `<h2>Trained small, tested large</h2><p>Accuracy of small transformers on synthetic tasks: trained on the first grid, tested on all. Chance in brackets.</p>${table(
    ['arm', 'task', ...[...new Set(rows.flatMap(({ tested }) => tested.map(({ grid }) => grid)))]],
    rows.map(({ arm, task, tested, chance }) => [
      arm,
      task,
      ...tested.map(({ accuracy }) => `${accuracy.toFixed(3)} (${chance.toFixed(2)})`),
    ]),
  )}`;
