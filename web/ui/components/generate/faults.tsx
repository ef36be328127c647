/** What is wrong with a field, under it, with what mends it. */
import type { Problem } from '../../state/problems.ts';
import { change, problems } from '../../state/session.ts';
import { Icon } from '../icon.tsx';

export function Faults({ of }: { readonly of: readonly Problem['field'][] }) {
  return (
    <>
      {problems.value
        .filter(({ field }) => of.includes(field))
        .map(({ field, message, repairs }) => (
          <div class="fault" key={field} id={`${field}-fault`}>
            <p class="s row">
              <span class="state bad">
                <Icon name="bad" />
                {message}
              </span>
            </p>
            <div class="row wrap">
              {repairs.map((repair) => (
                <button
                  type="button"
                  class="btn"
                  key={repair.label}
                  onClick={() => change(repair.change)}
                >
                  {repair.label}
                </button>
              ))}
            </div>
          </div>
        ))}
    </>
  );
}
