/** The configuration of a token model's training: told from others by its key `tokens`. */
import { type Static, Type } from 'typebox';
import { PositionSchema } from '../generators/model.ts';
import { TokenSampling } from '../generators/token-model.ts';
import { checkSchema } from '../schema.ts';
import { OPTIMISER_FIELDS, RUN_FIELDS, readConfigFile } from './config.ts';

const exact = { additionalProperties: false } as const;
const Share = Type.Number({ minimum: 0, maximum: 1 });

export const TokenTraining = Type.Object(
  {
    ...RUN_FIELDS,
    /** The tokenizer's folder; the data set's tokens are made once and kept in the cache. */
    tokens: Type.Object({ tokenizer: Type.String() }, exact),
    model: Type.Object(
      {
        preset: Type.String(),
        /** Fields of the architecture that differ from the preset. */
        config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        positions: PositionSchema,
      },
      exact,
    ),
    optimiser: Type.Object(OPTIMISER_FIELDS, exact),
    /** Chance to leave the whole condition out, and each attribute in half of the pictures. */
    drop: Type.Object({ all: Share, some: Share }, exact),
    sampling: TokenSampling,
  },
  exact,
);
export type TokenTraining = Static<typeof TokenTraining>;

export const isTokenTraining = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'tokens' in value;

export const parseTokenTraining = (value: unknown, where: string): TokenTraining =>
  checkSchema(TokenTraining, value, where);

export const readTokenTraining = async (path: string): Promise<TokenTraining> =>
  parseTokenTraining(await readConfigFile(path), path);
