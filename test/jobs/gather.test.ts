/** Questions of one turn are one statement; none is answered by what was read before it. */
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { gather } from '../../jobs/gather.ts';

it('asks once for what was asked at the same time, and again for what comes later', async () => {
  const asked: (readonly string[])[] = [];
  let value = 1;
  const get = gather(async (keys) => {
    asked.push(keys);
    const answer = new Map(keys.filter((key) => key !== 'none').map((key) => [key, key + value]));
    await setImmediate(); // as a database that takes a while
    return answer;
  });
  const first = Promise.all([get('a'), get('b'), get('a'), get('none')]);
  await setImmediate(); // reading has begun
  value = 2;
  const second = get('a');
  expect(await first).toEqual(['a1', 'b1', 'a1', undefined]);
  expect(await second).toBe('a2');
  expect(asked).toEqual([['a', 'b', 'none'], ['a']]);
});

it('hands an error to all who asked, and to nobody after them', async () => {
  let down = true;
  const get = gather(async (keys) => {
    if (down) throw new Error('away');
    return new Map(keys.map((key) => [key, key]));
  });
  const both = Promise.allSettled([get('a'), get('b')]);
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  down = false;
  expect(await get('a')).toBe('a');
});
