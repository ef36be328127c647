/**
 * Of trainings that are not over each has a name of its own, which its model will have; an index of the database sees
 * to it (migrations.ts), whoever adds them at the same time.
 */
import { Conflict } from './jobs.ts';

const INDEX = 'jobs_training';
const UNIQUE_VIOLATION = '23505';

/** Throws Conflict where what it writes would make a second open training of one name. */
export async function keepingNamesApart<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    const { code, constraint, detail = '' } = error as Record<string, string | undefined>;
    if (code !== UNIQUE_VIOLATION || constraint !== INDEX) throw error;
    const name = /=\((.*)\)/.exec(detail)?.[1] ?? 'one that is taken';
    throw new Conflict(
      `train: 'name': expected a new name, got '${name}', which a training that is not over has; take another, or cancel that one`,
    );
  }
}
