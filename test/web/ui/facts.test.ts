/** What events do to the page's lists. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobEvent, StoredPicture } from '../../../jobs/job.ts';
import * as facts from '../../../web/ui/state/facts.ts';

const job = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  kind: 'render',
  state: 'running',
  title: 'a red hat',
  input: { kind: 'train', config: {} },
  priority: 100,
  total: 8,
  done: 3,
  failed: 0,
  attempts: 1,
  createdAt: 1000,
  ...more,
});
const picture = (id: string, of: string, index: number): StoredPicture => ({
  ...{ id, job: of, index, model: 'avatars', prompt: '', seed: index, recipe: {} },
  ...{ width: 64, height: 64, createdAt: 1, bytes: 1 },
});
const progressed = (step: number, done = 3): JobEvent => ({
  type: 'progress',
  job: 'a',
  progress: { step, steps: 160, done },
});

beforeEach(() => {
  facts.replaceJobs([], false);
  facts.pictures.value = new Map();
});

describe('facts', () => {
  it('counts pictures in hand by their steps, and training by its steps alone', () => {
    facts.replaceJobs([job('a')], false);
    facts.take([progressed(70)]);
    expect(facts.hall.value).toEqual({ done: 3.5, total: 8, jobs: 1 });
    const train = job('t', { kind: 'train', total: 100, done: 0 });
    expect(facts.doneOf(train, { step: 40, steps: 100, done: 0 })).toBe(40);
  });

  it('never claims more than the total', () => {
    expect(facts.doneOf(job('a', { done: 8 }), { step: 20, steps: 20, done: 8 })).toBe(8);
  });

  it('takes answers about jobs it does not know, and no older rows over what events told', () => {
    facts.take([{ type: 'job', job: job('a', { state: 'done' }) }]);
    facts.takeAnswers([job('a', { state: 'waiting' }), job('b')]);
    expect(facts.jobs.value.get('a')?.state).toBe('done');
    expect(facts.jobs.value.get('b')?.state).toBe('running');
  });

  it('leaves ended jobs out of the hall, and forgets their progress and previews', () => {
    facts.take([
      { type: 'job', job: job('a') },
      progressed(4),
      { type: 'preview', job: 'a', index: 3, png: 'AA' },
      { type: 'job', job: job('a', { state: 'done', done: 8 }) },
    ]);
    expect(facts.hall.value.jobs).toBe(0);
    expect(facts.progress.value.size).toBe(0);
    expect(facts.previews.value.size).toBe(0);
    expect(facts.ended.value.map(({ id }) => id)).toEqual(['a']);
  });

  it('keeps the previews of every picture in hand, until it is finished', () => {
    const preview = (index: number, png: string): JobEvent => ({
      type: 'preview',
      job: 'a',
      index,
      png,
    });
    facts.take([
      ...[{ type: 'job', job: job('a') } as const, progressed(62), preview(3, 'one')],
      ...[preview(4, 'other'), progressed(66), preview(3, 'two')],
    ]);
    expect(facts.shotsOf('a')).toEqual([
      { index: 3, share: 62 / 160, png: 'one' },
      { index: 3, share: 66 / 160, png: 'two' },
    ]);
    facts.take([{ type: 'picture', picture: picture('a-3', 'a', 3) }]);
    expect(facts.shotsOf('a')).toEqual([{ index: 4, share: 62 / 160, png: 'other' }]);
  });

  it('lists jobs of no batch only, but tells listeners of all', () => {
    const seen: string[] = [];
    const stop = facts.onEvent((event) => {
      if (event.type === 'job') seen.push(event.job.id);
    });
    facts.take([
      { type: 'job', job: job('child', { parent: 'b', index: 0 }) },
      { type: 'job', job: job('b', { kind: 'batch' }) },
    ]);
    stop();
    expect([...facts.jobs.value.keys()]).toEqual(['b']);
    expect(seen).toEqual(['child', 'b']);
  });

  it('sorts the pictures of a job, once each, and drops deleted ones', () => {
    facts.take([
      { type: 'picture', picture: picture('a-1', 'a', 1) },
      { type: 'picture', picture: picture('a-0', 'a', 0) },
      { type: 'picture', picture: picture('a-1', 'a', 1) },
      { type: 'picture', picture: picture('b-0', 'b', 0) },
    ]);
    expect(facts.picturesOf('a').map(({ id }) => id)).toEqual(['a-0', 'a-1']);
    facts.take([{ type: 'deleted', picture: 'a-0' }]);
    expect(facts.picturesOf('a').map(({ id }) => id)).toEqual(['a-1']);
  });

  it('holds what the server says after a reset, and previews of running jobs only', () => {
    facts.take([
      { type: 'job', job: job('a') },
      { type: 'job', job: job('gone') },
      { type: 'preview', job: 'a', index: 0, png: 'AA' },
      { type: 'preview', job: 'gone', index: 0, png: 'AA' },
    ]);
    facts.replaceJobs([job('a')], true);
    expect([...facts.jobs.value.keys()]).toEqual(['a']);
    expect([...facts.previews.value.keys()]).toEqual(['a']);
    expect(facts.paused.value).toBe(true);
  });
});
