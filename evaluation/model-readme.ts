/** The README.md of a model's folder: what it is, how to use it, what was measured. */
import type { ModelCard } from '../generators/model.ts';
import type { AnyCard, TokenCard } from '../generators/token-model.ts';
import { besideRows } from './beside.ts';
import { millions, trainedWords } from './card-words.ts';
import type { Evaluation } from './evaluate-model.ts';
import { barsOf, conditionsOf, rowsOf } from './report.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

export function modelReadme(card: ModelCard, evaluation?: Evaluation): string {
  const { id, title, config, sampling, licence, vocabulary } = card;
  return [
    `# ${title}`,
    '',
    `A diffusion transformer (${config.width} wide, ${config.depth} layers, ${millions(card)} weights, patches of ${config.patch} px) ${trainedWords(card)}. Licence: ${licence}; NOTICE credits the drawings.`,
    '',
    '```sh',
    `ropewalk generate "${exampleOf(vocabulary)}" --model ${id} --seed 7`,
    '```',
    '',
    `Defaults: solver ${sampling.solver}, ${sampling.steps} steps, guidance ${sampling.guidance}. Vocabulary: ${vocabulary.length} words, in \`model.json\`. Weights: SHA-256 \`${card.digest}\`.`,
    '',
    ...(evaluation ? measured(evaluation) : ['Not measured yet: `ropewalk evaluate model`.', '']),
  ].join('\n');
}

/** The page of an autoregressive model. */
export function tokenModelReadme(card: TokenCard, evaluation?: Evaluation): string {
  const { id, title, config, tokenizer, sampling, licence, vocabulary } = card;
  return [
    `# ${title}`,
    '',
    `An autoregressive transformer (${config.width} wide, ${config.depth} layers, ${millions(card)} weights) over the ${config.codes} codes of \`${tokenizer.id}\`, a token every ${tokenizer.factor} px, ${trainedWords(card)}. Licence: ${licence}; NOTICE credits the drawings.`,
    '',
    '```sh',
    `ropewalk generate "${exampleOf(vocabulary)}" --model ${id} --seed 7`,
    '```',
    '',
    `Defaults: decoder ${sampling.decoder}, temperature ${sampling.temperature}, guidance ${sampling.guidance}. Vocabulary: ${vocabulary.length} words, in \`model.json\`. Weights: SHA-256 \`${card.digest}\`.`,
    '',
    ...(evaluation ? measured(evaluation) : ['Not measured yet: `ropewalk evaluate model`.', '']),
  ].join('\n');
}

/** The page of a model that was measured; with another card, what both say of it, side by side. */
export function readmeOf(card: AnyCard, evaluation: Evaluation, beside?: AnyCard): string {
  const page =
    card.architecture === 'ar' ? tokenModelReadme(card, evaluation) : modelReadme(card, evaluation);
  return beside ? `${page}\n${besideSection(card, beside)}` : page;
}

export function besideSection(card: AnyCard, other: AnyCard): string {
  const [head, ...rows] = besideRows([card, other]);
  return [`## Beside ${other.id}`, '', ...table(head!, rows), ''].join('\n');
}

/** The section of measured results. */
function measured(evaluation: Evaluation): string[] {
  const rows = rowsOf(evaluation);
  const bars = barsOf(evaluation).map(({ name, measured: value, wanted, passed }) => [
    name,
    value.toFixed(4),
    wanted,
    passed ? 'pass' : '**missed**',
  ]);
  return [
    '## Measured',
    '',
    `By \`ropewalk evaluate model --model ${evaluation.model.id}\`, weights ${evaluation.model.digest.slice(0, 12)}.`,
    '',
    ...conditionsOf(evaluation).map((line) => `- ${line}`),
    '',
    ...table(['', 'generated', 'real drawings', 'compared'], rows),
    '',
    ...table(['bar', 'measured', 'wanted', ''], bars),
    '',
  ];
}

/** A prompt that this vocabulary understands. */
function exampleOf(vocabulary: readonly string[]): string {
  const words = ['style=avataaars', 'hair color=red', 'glasses=yes'];
  if (words.every((word) => vocabulary.includes(word))) return 'avataaars, red hair, glasses';
  return vocabulary[0]?.replace('style=', '') ?? '';
}
