/** The comparison of decoders as `evaluate decoding` leaves it, and what the page shows of it. */
import { short } from '../charts/scale.ts';

export type DecoderRow = {
  readonly decoder: string;
  readonly property: 'identical' | 'lossless' | 'approximate';
  readonly passes: number;
  readonly seconds: number;
  readonly acceptedPerPass: number;
  readonly tokensPerPass: number;
  readonly foregroundPerPass: number;
  readonly equal: number;
  readonly kid?: number;
};
export type DecodingReport = {
  readonly model: string;
  readonly pictures: number;
  readonly rows: readonly DecoderRow[];
};

/** Throws one sentence unless the value has what is shown. */
export function checkDecoding(value: unknown): DecodingReport {
  const report = value as Partial<DecodingReport> | null;
  const whole =
    Array.isArray(report?.rows) &&
    report.rows.length > 0 &&
    report.rows.every(
      ({ decoder, property, passes, seconds }) =>
        typeof decoder === 'string' && property && passes > 0 && seconds >= 0,
    );
  if (!whole) throw new TypeError('report: expected rows of decoders, got something else');
  return report as DecodingReport;
}

export type ShownRow = {
  readonly row: DecoderRow;
  readonly compared: string;
  readonly faster: string;
  /** The least time of those that leave the model's law as it is. */
  readonly best: boolean;
};

export function shownRows({ rows }: DecodingReport): ShownRow[] {
  const reference = rows.find(({ decoder }) => decoder === 'sequential');
  const exact = rows.filter(({ property }) => property !== 'approximate');
  const least = Math.min(...exact.map(({ seconds }) => seconds));
  return rows.map((row) => ({
    row,
    compared: row === reference ? 'reference' : row.property,
    faster: reference ? `${short(reference.seconds / row.seconds)}×` : '–',
    best: row.property !== 'approximate' && row.seconds === least && rows.length > 1,
  }));
}
