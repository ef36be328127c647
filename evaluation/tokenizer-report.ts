/** A tokenizer's measurements in words: its bars, a table for a terminal, numbers for its card, its page. */
import { type TokenizerConfig, tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import type { TokenizerCard } from '../generators/tokenizer-card.ts';
import type { Interval } from './bootstrap.ts';
import type { TokenizerEvaluation } from './evaluate-tokenizer.ts';

/** What a tokenizer that ships must reach. */
export const TOKENIZER_BARS = { foreground: 22, used: 0.8, vocabulary: 1024 } as const;

export function tokenizerBars({ foreground, codes }: TokenizerEvaluation) {
  const bar = (name: string, measured: number, least: number) => ({
    name,
    measured,
    wanted: `>= ${least}`,
    passed: measured >= least,
  });
  return [
    bar('foreground PSNR, dB', foreground.value, TOKENIZER_BARS.foreground),
    bar('codes used, share', codes.used, TOKENIZER_BARS.used),
    bar('vocabulary', codes.vocabulary, TOKENIZER_BARS.vocabulary),
  ];
}

const interval = ({ value, low, high }: Interval, digits: number) =>
  `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

function rowsOf(evaluation: TokenizerEvaluation): [string, string][] {
  const { foreground, pooled, whole, ssim, kid, codes } = evaluation;
  const { used, vocabulary, perplexity } = codes;
  return [
    ['foreground PSNR, dB (mean over pictures)', interval(foreground, 2)],
    ['foreground PSNR, dB (of the mean squared error)', pooled.toFixed(2)],
    ['PSNR, dB (whole pictures)', interval(whole, 2)],
    ['SSIM', interval(ssim, 4)],
    ...(kid
      ? [
          [
            `KID x 1000 (${kid.features})`,
            `${(1000 * kid.value).toFixed(2)} +- ${(1000 * kid.error).toFixed(2)}`,
          ] as [string, string],
        ]
      : []),
    ['codes used', `${Math.round(used * vocabulary)} of ${vocabulary} (${used.toFixed(3)})`],
    ['perplexity of tokens', perplexity.toFixed(0)],
  ];
}

const conditionsOf = ({ pictures, size, dtype, engine }: TokenizerEvaluation): string =>
  `${pictures} held-out drawings of ${size.width} x ${size.height} px; ${dtype}, ${engine}. Foreground: pixels that do not join the edge through the background's exact colour. Intervals: 95 %, bootstrap over pictures.`;

export function formatTokenizer(evaluation: TokenizerEvaluation): string {
  const lines = [
    `${evaluation.model.id} (${evaluation.model.digest.slice(0, 12)})`,
    conditionsOf(evaluation),
    '',
    ...rowsOf(evaluation).map(([name, value]) => `${name.padEnd(50)}${value}`),
    '',
    ...tokenizerBars(evaluation).map(
      ({ name, measured, wanted, passed }) =>
        `${passed ? 'pass  ' : 'MISSED'}  ${name}: ${measured.toFixed(3)}, wanted ${wanted}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

export function tokenizerNumbers(evaluation: TokenizerEvaluation): Record<string, number> {
  const { pictures, foreground, pooled, whole, ssim, kid, codes } = evaluation;
  return {
    pictures,
    foregroundPsnr: foreground.value,
    foregroundPsnrPooled: pooled,
    psnr: whole.value,
    ssim: ssim.value,
    ...(kid ? { kid: kid.value } : {}),
    codesUsed: codes.used,
    perplexity: codes.perplexity,
  };
}

export function tokenizerReadme(card: TokenizerCard, evaluation?: TokenizerEvaluation): string {
  const { network, quantiser } = tokenizerParts(card.config as TokenizerConfig);
  const { kind } = card.config.network;
  const { height, width } = card.trained;
  return [
    `# ${card.title}`,
    '',
    `A tokenizer (${kind}, ${card.config.quantiser.kind}) trained on \`${card.data}\` at ${width} x ${height} px: ${width / network.factor} x ${height / network.factor} tokens of ${quantiser.vocabulary}; any size that ${network.factor} divides. Licence: ${card.licence}; NOTICE credits the drawings.`,
    '',
    '```sh',
    `ropewalk tokenize ${card.id} ${card.data} --out tokens.safetensors`,
    '```',
    '',
    `Weights: float16, SHA-256 \`${card.digest}\`, which names the codebook of its tokens.`,
    '',
    ...(evaluation
      ? measured(evaluation)
      : [`Not measured yet: \`ropewalk evaluate tokenizer --model ${card.id}\`.`, '']),
  ].join('\n');
}

function measured(evaluation: TokenizerEvaluation): string[] {
  const bars = tokenizerBars(evaluation).map(
    ({ name, measured: value, wanted, passed }) =>
      `| ${name} | ${value.toFixed(3)} | ${wanted} | ${passed ? 'pass' : '**missed**'} |`,
  );
  return [
    '## Measured',
    '',
    `By \`ropewalk evaluate tokenizer --model ${evaluation.model.id}\`: ${conditionsOf(evaluation)}`,
    '',
    '|  | reconstructions |',
    '| --- | --- |',
    ...rowsOf(evaluation).map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| bar | measured | wanted |  |',
    '| --- | --- | --- | --- |',
    ...bars,
    '',
  ];
}
