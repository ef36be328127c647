/** The configuration of a tokenizer's training: told from a generator's by its key `tokenizer`. */
import { type Static, Type } from 'typebox';
import { TokenizerSchema } from '../generators/tokenizer-card.ts';
import { checkSchema } from '../schema.ts';
import { OPTIMISER_FIELDS, RUN_FIELDS, readConfigFile } from './config.ts';

const exact = { additionalProperties: false } as const;
const Weight = Type.Number({ minimum: 0 });
const Count = Type.Integer({ minimum: 1 });

export const TokenizerTraining = Type.Object(
  {
    ...RUN_FIELDS,
    tokenizer: TokenizerSchema,
    /** Weights of the absolute and the squared error of colours in [-1, 1], and of features. */
    loss: Type.Object(
      {
        l1: Weight,
        l2: Weight,
        perceptual: Type.Optional(
          Type.Object(
            {
              weight: Type.Number({ exclusiveMinimum: 0 }),
              layers: Type.Array(Type.String(), { minItems: 1 }),
              side: Type.Integer({ minimum: 32 }),
            },
            exact,
          ),
        ),
      },
      exact,
    ),
    /** How a learned codebook is tended; not used by FSQ. */
    codebook: Type.Optional(
      Type.Object(
        {
          decay: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
          reset: Type.Optional(
            Type.Object({ below: Type.Number({ exclusiveMinimum: 0 }), until: Count }, exact),
          ),
        },
        exact,
      ),
    ),
    optimiser: Type.Object(OPTIMISER_FIELDS, exact),
  },
  exact,
);
export type TokenizerTraining = Static<typeof TokenizerTraining>;

export const isTokenizerTraining = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'tokenizer' in value;

export function parseTokenizerTraining(value: unknown, where: string): TokenizerTraining {
  const config = checkSchema(TokenizerTraining, value, where);
  const { quantiser } = config.tokenizer;
  if ((quantiser.kind === 'vq') !== (config.codebook !== undefined))
    throw new TypeError(
      `${where}: 'codebook': expected ${quantiser.kind === 'vq' ? 'it for a vq quantiser, got nothing; add it' : 'nothing for fsq, which learns no codes; leave it out'}`,
    );
  return config;
}

export const readTokenizerTraining = async (path: string): Promise<TokenizerTraining> =>
  parseTokenizerTraining(await readConfigFile(path), path);
