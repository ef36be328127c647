/** Batches, their order, and what people ask of them; every state that a job can come to is one that was asked for. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isEnded, type Job, type JobEvent } from '../../jobs/job.ts';
import { Conflict, type JobHandler, NotFound, QueueFull } from '../../jobs/jobs.ts';
import { batch, inState, openToyJobs, render, toyHandler, until } from './toys.ts';

let toys: Awaited<ReturnType<typeof openToyJobs>>;
const jobs = () => toys.jobs;
beforeAll(async () => {
  toys = await openToyJobs({ limits: { waiting: 60 } });
});
afterAll(() => toys.close());

const children = async (id: string) =>
  (await jobs().list({ parent: id, order: 'queue', limit: 100 })).items;
const open = async () =>
  (await jobs().list({ state: ['waiting', 'running', 'paused'], limit: 100 })).items;
async function work(handler: JobHandler = toyHandler(), concurrency = 1) {
  return jobs().work(handler, { concurrency });
}

afterEach(async () => {
  for (const { id } of await open()) await jobs().cancel(id);
});

describe('a batch', () => {
  it('is its render jobs, counted', async () => {
    const events: JobEvent[] = [];
    const stop = jobs().listen((event) => events.push(event));
    const { id, ...added } = await jobs().add(batch(5, { count: 2 }));
    expect(added).toMatchObject({
      kind: 'batch',
      state: 'waiting',
      total: 10,
      title: 'batch of 5',
    });
    const worker = await work();
    const job = await inState(jobs(), id, 'done');
    expect(job).toMatchObject({ done: 10, failed: 0, total: 10, attempts: 0 });
    expect(job.input).toEqual(batch(5, { count: 2 }));
    const renders = await children(id);
    expect(renders.map(({ index, done, state }) => [index, done, state])).toEqual(
      [0, 1, 2, 3, 4].map((index) => [index, 2, 'done']),
    );
    expect(await jobs().pictures.count({ job: id })).toBe(10);
    const [listed] = (await jobs().list({ kind: 'batch', limit: 1 })).items;
    expect(listed!.input).toEqual({ ...batch(5, { count: 2 }), requests: [renderOf(job, 0)] });

    const told = events.flatMap((event) => (event.type === 'job' ? [event.job] : []));
    expect(told.filter((one) => one.id === id).at(-1)).toMatchObject({ state: 'done', done: 10 });
    stop();
    await worker.stop();
  });

  it('goes on without requests that fail, says why, and has them again when asked', async () => {
    let broken = true;
    const { id } = await jobs().add(batch(3));
    const worker = await work(async (task) => {
      if (broken && task.job.index === 1) throw new RangeError('toy: expected luck, got none');
      await toyHandler()(task);
    });
    const failed = await inState(jobs(), id, 'failed');
    expect(failed).toMatchObject({ done: 2, failed: 1, total: 3 });
    expect(failed.reason).toBe('1 of 3 requests failed; request 2: toy: expected luck, got none');
    broken = false;
    expect(await jobs().retry(id)).toMatchObject({ state: 'running', failed: 0, done: 2 });
    const done = await inState(jobs(), id, 'done');
    expect(done.reason).toBeUndefined();
    const attempts = (await children(id)).map(({ index, attempts }) => [index, attempts]);
    expect(attempts.sort()).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
    ]);
    await worker.stop();
  });

  it('rests while it is paused, also what runs, and keeps what it made when cancelled', async () => {
    const { id } = await jobs().add(batch(20, { count: 3 }));
    const worker = await work();
    await until(async () => (await jobs().get(id))!.done > 4);
    const paused = await jobs().pause(id);
    expect(paused.state).toBe('paused');
    await until(async () => (await jobs().counts()).running === 0);
    const { done } = (await jobs().get(id))!;
    const next = await jobs().add(render());
    await inState(jobs(), next.id, 'done');
    expect((await jobs().get(id))!.done).toBeLessThanOrEqual(done + 1); // one may have been written as it stopped

    expect((await jobs().resume(id)).state).toMatch(/running|waiting/);
    await until(async () => (await jobs().get(id))!.done > done + 2);
    const cancelled = await jobs().cancel(id);
    expect(cancelled.state).toBe('cancelled');
    await worker.stop();
    const made = await jobs().pictures.count({ job: id });
    await until(async () => (await jobs().get(id))!.done === made);
    expect((await children(id)).every(({ state }) => isEnded(state))).toBe(true);
  });
});

const renderOf = ({ input }: Job, index: number) =>
  input.kind === 'batch' ? input.requests[index] : undefined;

describe('the order', () => {
  const order = async (): Promise<readonly string[]> =>
    (await jobs().list({ state: ['waiting'], order: 'queue', limit: 100 })).items.map(
      ({ title }) => title,
    );
  const named = (title: string, priority?: number) =>
    jobs().add(render(), { title, ...(priority !== undefined && { priority }) });

  it('is by priority, then as they came, or as they were moved; and they run in it', async () => {
    const a = await named('a');
    const b = await named('b');
    const c = await named('c');
    await named('urgent', 1);
    expect(await order()).toEqual(['urgent', 'a', 'b', 'c']);
    await jobs().move(c.id, { before: b.id });
    expect(await order()).toEqual(['urgent', 'a', 'c', 'b']);
    await jobs().move(a.id, 'last');
    await named('d');
    expect(await order()).toEqual(['urgent', 'c', 'b', 'a', 'd']);
    await jobs().move(b.id, 'first');
    const { id } = await jobs().add({ ...batch(3), title: 'many' });
    await jobs().move(id, { before: a.id });
    expect(await order()).toEqual(['b', 'urgent', 'c', 'many', 'a', 'd']);
    await expect(jobs().move(a.id, { before: a.id })).rejects.toThrow(Conflict);
    await expect(jobs().move(a.id, { before: 'nobody' })).rejects.toThrow(NotFound);

    const ran: string[] = [];
    const worker = await work(async ({ job }) => void ran.push(job.title));
    await until(async () => (await open()).length === 0);
    await worker.stop();
    const many = Array.from({ length: 3 }, () => 'style=toy, hair color=red');
    expect(ran).toEqual(['b', 'urgent', 'c', ...many, 'a', 'd']);
    await expect(jobs().move(a.id, 'first')).rejects.toThrow(
      'expected a job that is waiting, got done',
    );
  });

  it('has room for as many moves as people like', async () => {
    const [a, b, c] = [await named('a'), await named('b'), await named('c')];
    for (let i = 0; i < 30; i++) {
      await jobs().move(b.id, { before: c.id });
      await jobs().move(c.id, { before: b.id });
    }
    expect(await order()).toEqual(['a', 'c', 'b']);
    await jobs().move(b.id, { before: a.id });
    expect(await order()).toEqual(['b', 'a', 'c']);
  });

  it('pages by key', async () => {
    for (let i = 0; i < 7; i++) await named(`${i}`);
    for (const by of ['queue', 'newest'] as const) {
      const titles: string[] = [];
      let after: string | undefined;
      do {
        const page = await jobs().list({
          state: ['waiting'],
          order: by,
          limit: 3,
          ...(after && { after }),
        });
        titles.push(...page.items.map(({ title }) => title));
        after = page.next;
      } while (after !== undefined);
      const expected = ['0', '1', '2', '3', '4', '5', '6'];
      expect(titles).toEqual(by === 'queue' ? expected : expected.reverse());
    }
    const forged = [
      ['a', 1, 'b'],
      [2 ** 31, 1, 'b'],
      [1, 1, 'b\0'],
      [1, 1],
    ].map((key) => Buffer.from(JSON.stringify(key)).toString('base64url'));
    for (const after of ['nonsense', ...forged])
      await expect(jobs().list({ order: 'queue', limit: 3, after })).rejects.toThrow(
        `query: 'after': expected the 'next' of a page, got '${after}'`,
      );
    expect((await jobs().list({ search: '3', state: ['waiting'], limit: 9 })).items).toHaveLength(
      1,
    );
    expect((await jobs().list({ search: '%', state: ['waiting'], limit: 9 })).items).toHaveLength(
      0,
    );
  });
});

describe('the queue', () => {
  it('rests as a whole, and takes no more than its limit', async () => {
    const events: JobEvent[] = [];
    const stop = jobs().listen((event) => events.push(event));
    await jobs().pauseAll();
    expect(await jobs().isPaused()).toBe(true);
    const { id } = await jobs().add(batch(50));
    await expect(jobs().add(batch(11))).rejects.toThrow(QueueFull);
    const worker = await work(toyHandler(), 4);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await jobs().get(id)).toMatchObject({ state: 'waiting', done: 0 });
    await jobs().resumeAll();
    await inState(jobs(), id, 'done');
    await worker.stop();
    stop();
    const pauses = events.flatMap((event) => (event.type === 'queue' ? [event.paused] : []));
    expect(pauses).toEqual([true, false]);
  });

  it('refuses what a state does not allow', async () => {
    const { id } = await jobs().add(render());
    await expect(jobs().resume(id)).rejects.toThrow('expected a job that is paused, got waiting');
    await expect(jobs().retry(id)).rejects.toThrow(Conflict);
    await jobs().pause(id);
    await expect(jobs().pause(id)).rejects.toThrow(Conflict);
    await jobs().cancel(id);
    await expect(jobs().cancel(id)).rejects.toThrow(
      'expected a job that is waiting or running or paused, got cancelled',
    );
    await expect(jobs().cancel('nobody')).rejects.toThrow(NotFound);
    await expect(jobs().points('nobody')).rejects.toThrow(NotFound);
  });
});

/** What a job may become by each request; anything else is refused. */
const MAY: Record<'cancel' | 'pause' | 'resume' | 'retry', readonly Job['state'][]> = {
  cancel: ['waiting', 'running', 'paused'],
  pause: ['waiting', 'running'],
  resume: ['paused'],
  retry: ['failed', 'cancelled'],
};

it('ends well whatever is asked in whatever order while it runs', async () => {
  const worker = await work(toyHandler(), 2);
  const ask = fc.constantFrom('cancel', 'pause', 'resume', 'retry', 'wait', 'first' as const);
  const property = fc.asyncProperty(
    fc.array(ask, { minLength: 3, maxLength: 10 }),
    async (asked) => {
      const { id } = await jobs().add(render({ count: 3 }));
      for (const what of asked) {
        if (what === 'wait') await new Promise((resolve) => setTimeout(resolve, 5));
        else if (what === 'first') await jobs().move(id, 'first').catch(refused);
        else {
          const before = (await jobs().get(id))!.state;
          const answer = await jobs()[what](id).catch(refused);
          // Only the worker changes a state besides: from waiting to running, and from there to done.
          if (answer && !MAY[what].includes(before)) expect(before).toMatch(/waiting|running/);
          if (!answer && MAY[what].includes(before)) expect(before).toMatch(/waiting|running/);
        }
      }
      const { state } = (await jobs().get(id))!;
      if (state === 'paused') await jobs().resume(id);
      if (state === 'cancelled') await jobs().retry(id);
      const job = await inState(jobs(), id, 'done');
      expect(job).toMatchObject({ done: 3, failed: 0 });
      const pictures = await jobs().pictures.list({ job: id, limit: 10, order: 'oldest' });
      expect(pictures.items.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    },
  );
  await fc.assert(property, { seed: 4, numRuns: 8 });
  await worker.stop();
});

function refused(error: unknown): undefined {
  expect(error).toBeInstanceOf(Conflict);
}
