/**
 * Live events for any number of readers: each event is written once as text, kept in a ring for those who
 * come back with Last-Event-ID, and sent to whoever keeps up.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Id, isEnded, type JobEvent, type Progress } from '../jobs/job.ts';
import { HttpError } from './errors.ts';
import { answers, briefly, fileAnswer } from './schemas.ts';

export type LiveOptions = {
  /** Readers at a time. */
  readonly readers?: number;
  /** Characters of events that are kept for those who come back; less than `backlog`. */
  readonly ring?: number;
  /** Characters that a reader may be behind before it is dropped; it comes back for the rest. */
  readonly backlog?: number;
  /** Milliseconds between comments that keep connections open. */
  readonly heartbeat?: number;
  /** Milliseconds after which a connection is closed and made anew: a dead one does not stay for long. */
  readonly lifetime?: number;
};

type Sent = { readonly id: number; readonly jobs: readonly string[]; readonly text: string };
type Reader = {
  readonly out: ServerResponse;
  readonly job: string | undefined;
  readonly since: number;
};

export type Live = ReturnType<typeof createLive>;

export function createLive({
  readers: most = 200,
  ring: room = 1_000_000,
  backlog = 2_000_000,
  heartbeat = 15_000,
  lifetime = 900_000,
}: LiveOptions = {}) {
  const readers = new Set<Reader>();
  const progress = new Map<string, Progress>();
  /** Of unfinished jobs, the batch that each belongs to. */
  const parents = new Map<string, string>();
  let ring: Sent[] = [];
  let kept = 0;
  let last = Date.now() * 1000; // later than any id of an earlier process
  /** Events up to this one cannot be sent again. */
  let forgotten = last;

  function remember(event: JobEvent): void {
    if (event.type === 'progress') progress.set(event.job, event.progress);
    if (event.type !== 'job') return;
    const { id, parent, state } = event.job;
    if (parent !== undefined) parents.set(id, parent);
    if (state !== 'running') progress.delete(id);
    if (isEnded(state)) parents.delete(id);
  }

  function publish(event: JobEvent): void {
    const jobs = jobsOf(event, parents);
    remember(event);
    const sent = { id: ++last, jobs, text: textOf(last, event) };
    if (event.type !== 'preview') keep(sent); // the next one is soon there
    for (const reader of readers) if (concerns(sent, reader.job)) send(reader, sent.text);
  }

  function keep(sent: Sent): void {
    ring.push(sent);
    kept += sent.text.length;
    let gone = 0;
    while (kept > room) kept -= ring[gone++]!.text.length;
    if (gone > 0) ring = ring.slice(gone);
    if (gone > 0) forgotten = ring[0] === undefined ? sent.id : ring[0].id - 1;
  }

  function send(reader: Reader, text: string): void {
    reader.out.write(text);
    if (reader.out.writableLength > backlog) drop(reader);
  }

  function drop(reader: Reader): void {
    readers.delete(reader);
    reader.out.destroy();
  }

  const missed = (since: number): readonly Sent[] | undefined =>
    since >= forgotten && since <= last ? ring.filter(({ id }) => id > since) : undefined;

  function beat(): void {
    for (const reader of readers)
      if (Date.now() - reader.since > lifetime) {
        readers.delete(reader);
        reader.out.end();
      } else send(reader, ': \n\n');
  }

  const timer = setInterval(beat, heartbeat).unref();
  return {
    publish,
    /** The last word on a running job. */
    progressOf: (job: string): Progress | undefined => progress.get(job),
    readers: (): number => readers.size,
    isFull: (): boolean => readers.size >= most,
    /** Sends what was missed since an event, then all that comes. */
    follow(out: ServerResponse, { job, since }: { job?: string; since?: number } = {}): void {
      const reader: Reader = { out, job, since: Date.now() };
      readers.add(reader);
      out.on('close', () => readers.delete(reader));
      out.on('error', () => drop(reader));
      const before = since === undefined ? [] : missed(since);
      if (before === undefined) send(reader, `id: ${last}\nevent: reset\ndata: {}\n\n`);
      else if (before.length === 0) send(reader, `retry: 1000\nid: ${last}\n\n`);
      for (const sent of before ?? []) if (concerns(sent, job)) send(reader, sent.text);
    },
    close(): void {
      clearInterval(timer);
      for (const { out } of readers) out.end();
      readers.clear();
    },
  };
}

/** The job that an event is about, and the batch of that job; none where it is about all. */
function jobsOf(event: JobEvent, parents: ReadonlyMap<string, string>): readonly string[] {
  switch (event.type) {
    case 'job':
      return [event.job.id, ...(event.job.parent === undefined ? [] : [event.job.parent])];
    case 'picture':
      return withParent(event.picture.job, parents);
    case 'progress':
    case 'preview':
      return withParent(event.job, parents);
    default:
      return [];
  }
}

function withParent(job: string, parents: ReadonlyMap<string, string>): readonly string[] {
  const parent = parents.get(job);
  return parent === undefined ? [job] : [job, parent];
}

const concerns = ({ jobs }: Sent, job: string | undefined) =>
  job === undefined || jobs.length === 0 || jobs.includes(job);

function textOf(id: number, event: JobEvent): string {
  const shown = event.type === 'job' ? { ...event, job: briefly(event.job) } : event;
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(shown)}\n\n`;
}

export const eventsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/events',
    {
      schema: {
        summary: 'Server-sent events: job, progress, preview, picture, deleted, load, queue, reset',
        tags: ['jobs'],
        querystring: Type.Object({ job: Type.Optional(Id) }, { additionalProperties: false }),
        headers: Type.Object({
          'last-event-id': Type.Optional(Type.String({ description: 'the last one seen' })),
        }),
        response: answers({ 200: fileAnswer('text/event-stream') }),
      },
    },
    async (request, reply) => {
      if (app.live.isFull())
        throw new HttpError('too_many', 'events: expected fewer readers, got one too many');
      const { job } = request.query;
      const since = request.headers['last-event-id'];
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      app.live.follow(reply.raw, {
        ...(job !== undefined && { job }),
        ...(since !== undefined && { since: Number(since) }),
      });
    },
  );
};
