/** Options of decoders as plain data, for requests and forms. */

/** What an option may be, as JSON Schema says it; all have defaults. */
export type OptionSchema =
  | {
      readonly type: 'integer' | 'number';
      readonly minimum: number;
      readonly maximum: number;
      readonly default: number;
      readonly description: string;
    }
  | {
      readonly enum: readonly string[];
      readonly default: string;
      readonly description: string;
    };
export type OptionValues = Readonly<Record<string, number | string>>;

export const integer = (description: string, value: number, maximum = 64): OptionSchema => ({
  ...{ type: 'integer', minimum: 1, maximum, default: value, description },
});
export const number = (description: string, value: number, maximum: number): OptionSchema => ({
  ...{ type: 'number', minimum: 0, maximum, default: value, description },
});
/** One of some names; the first where nothing is said. */
export const oneOf = (
  description: string,
  names: readonly [string, ...string[]],
): OptionSchema => ({
  ...{ enum: names, default: names[0], description },
});

/** The value where its schema allows it; throws otherwise. */
export function checked(where: string, schema: OptionSchema, value: unknown): number | string {
  if ('enum' in schema) {
    if (typeof value === 'string' && schema.enum.includes(value)) return value;
    throw new RangeError(`${where}: expected one of ${schema.enum.join(', ')}, got '${value}'`);
  }
  const { type, minimum, maximum } = schema;
  const fits = typeof value === 'number' && value >= minimum && value <= maximum;
  if (fits && (type === 'number' || Number.isInteger(value))) return value;
  const kind = type === 'integer' ? 'an integer' : 'a number';
  throw new RangeError(`${where}: expected ${kind} from ${minimum} to ${maximum}, got ${value}`);
}
