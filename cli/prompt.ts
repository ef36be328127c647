/** What the command line says about a prompt that the model does not understand. */
import { describeMatched, describeUnmatched, type Understood } from '../prompt-condition.ts';

/** Throws unless every part of the prompt is a word of the model. */
export function checkUnderstood(where: string, understood: Understood): void {
  if (understood.unmatched.length === 0) return;
  const matched = understood.matched.length > 0 ? `; matched ${describeMatched(understood)}` : '';
  throw new RangeError(
    `${where}: expected styles and attributes of the model, got ${describeUnmatched(understood)}${matched}; correct it or pass --skip-unknown`,
  );
}
