/** The configuration of a run on packed pictures: told from others by its key `packed`. */
import { type Static, Type } from 'typebox';
import { checkSchema } from '../schema.ts';
import { DataSchema, parseTrainingConfig, readConfigFile, TrainingConfig } from './config.ts';

const Count = Type.Integer({ minimum: 1 });

export const PackedTraining = Type.Object(
  {
    ...TrainingConfig.properties,
    data: Type.Object(
      {
        ...DataSchema.properties,
        /** A folder's pictures in their own sizes (data/own-shapes.ts). */
        native: Type.Optional(Type.Object({ multiple: Count }, { additionalProperties: false })),
      },
      { additionalProperties: false },
    ),
    /** Rows of a step and their tokens; `batch` pictures a step are put there, as many as have room. */
    packed: Type.Object({ rows: Count, length: Count }, { additionalProperties: false }),
  },
  { additionalProperties: false },
);
export type PackedTraining = Static<typeof PackedTraining>;

export const isPackedTraining = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'packed' in value;

export function parsePackedTraining(value: unknown, where: string): PackedTraining {
  const training = checkSchema(PackedTraining, value, where);
  const { micro } = training.sampling;
  if (micro === undefined) return training;
  throw new RangeError(
    `${where}: sampling.micro: expected none for packed pictures, whose network is told no sizes, got '${micro}'; leave it out`,
  );
}

/** The configuration of a diffusion model, trained on packed pictures or others. */
export async function readDiffusionTraining(
  path: string,
): Promise<TrainingConfig | PackedTraining> {
  const value = await readConfigFile(path);
  return isPackedTraining(value)
    ? parsePackedTraining(value, path)
    : parseTrainingConfig(value, path);
}
