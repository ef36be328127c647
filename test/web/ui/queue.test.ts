/** Moves in the order of waiting jobs, against what the server is asked for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moved, type Target } from '../../../web/ui/state/queue.ts';

/** What a server does with a target. */
function serve(ids: readonly string[], id: string, target: Target): readonly string[] {
  const rest = ids.filter((other) => other !== id);
  if ('before' in target) return rest.toSpliced(rest.indexOf(target.before), 0, id);
  return target.to === 'first' ? [id, ...rest] : [...rest, id];
}

describe('moved', () => {
  it('asks for the order that it shows, whatever the move', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(8), fc.integer(), (length, from, to) => {
        const ids = [...'abcdefghi'].slice(0, length);
        const id = ids[from % length]!;
        const next = moved(ids, id, to);
        const place = Math.min(length - 1, Math.max(0, to));
        if (!next) {
          expect(ids[place]).toBe(id);
          return;
        }
        expect(next.ids[place]).toBe(id);
        expect(serve(ids, id, next.target)).toEqual(next.ids);
        expect([...next.ids].sort()).toEqual(ids);
      }),
    );
  });

  it('does nothing with a job that is not waiting any more', () => {
    expect(moved(['a', 'b'], 'gone', 0)).toBeUndefined();
  });
});
