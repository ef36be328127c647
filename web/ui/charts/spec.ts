/** A chart as plain data: what the canvas draws, what its table lists, what a screen reader is told. */

/** A number and how far it may be off. */
export type ChartPoint = { readonly value: number; readonly low?: number; readonly high?: number };

export const MARKS = ['square', 'circle', 'triangle', 'diamond'] as const;
export type Mark = (typeof MARKS)[number];

/** How a series is told from others: never by its colour alone. */
export type Look = {
  /** Of the tokens --c1 to --c8. */
  readonly colour: number;
  readonly mark?: Mark;
  readonly hollow?: boolean;
  readonly dashed?: boolean;
  readonly strong?: boolean;
};

export type ChartSeries = Look & {
  readonly name: string;
  /** One a place of the x axis; nothing where it was not measured. */
  readonly points: readonly (ChartPoint | undefined)[];
};

export type ChartSpec = {
  readonly title: string;
  /** One sentence that says what the curves do. */
  readonly description: string;
  readonly x: {
    readonly name: string;
    readonly places: readonly number[];
    readonly log?: boolean;
    /** What stands under each place; default: ticks at round numbers. */
    readonly labels?: readonly string[];
  };
  readonly y: { readonly name: string; readonly log?: boolean };
  readonly series: readonly ChartSeries[];
  /** A place on the x axis that was trained; beyond it lies what was not. */
  readonly trained?: number;
  /** A value to compare with, such as that of real drawings. */
  readonly level?: { readonly name: string; readonly value: number };
  /** Names at the ends of the lines. */
  readonly endLabels?: boolean;
  readonly height?: number;
};

/** The first is the method that is watched; the second its plain form: one yarn, solid and dashed. */
export function lookOf(index: number): Look {
  const colour = (index % 8) + 1;
  return {
    colour,
    mark: MARKS[index < 2 ? 0 : 1 + ((index - 2) % 3)]!,
    hollow: index === 1 || index >= 5,
    dashed: index === 1 || index >= 8,
    strong: index < 2,
  };
}
