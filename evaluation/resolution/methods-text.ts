/** Methods of a comparison as people write them: `none`, `own`, or extensions and options of coordinates with + between. */
import { readMethodText } from '../../encoders/positions/coordinates-text.ts';
import type { ExtendMethod } from './plan.ts';

type Choice = NonNullable<ExtendMethod['choice']>;

/** `readExtensions` is given the texts of extensions, at least one. */
export async function readMethod(
  name: string,
  readExtensions: (texts: readonly string[]) => Choice | Promise<Choice>,
): Promise<ExtendMethod> {
  if (name === 'none' || name === 'own') return { name };
  const { extensions, coordinates } = readMethodText(name);
  return {
    name,
    ...(extensions.length > 0 ? { choice: await readExtensions(extensions) } : {}),
    ...(coordinates === undefined ? {} : { coordinates }),
  };
}
