/** Any token, equally: what a window holds before anything is known. Its law is stated, not a point mass. */
import { type Law, uniformLaw } from '../law.ts';
import type { Drafter } from './drafter.ts';

export function uniform(): Drafter {
  let law: Law = new Float64Array(0);
  return {
    name: 'uniform',
    begin: ({ vocabulary }) => {
      law = uniformLaw(vocabulary);
    },
    laws: (asked) => asked.map(() => law),
  };
}
