/** Numbers for Prometheus at /metrics: what was asked, what waits, how fast it goes. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { JOB_STATES, type JobEvent } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { answers, fileAnswer } from './schemas.ts';
import './context.ts';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `ropewalk_${name}`, help, labelNames, registers });

  const requests = new Histogram({
    name: 'ropewalk_http_request_seconds',
    help: 'Seconds from a request to its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const pictures = new Counter({
    name: 'ropewalk_pictures_total',
    help: 'Pictures finished since the server started',
    labelNames: ['model'],
    registers,
  });
  const steps = new Histogram({
    name: 'ropewalk_step_seconds',
    help: 'Seconds a step of a running job',
    labelNames: ['kind'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const loads = new Histogram({
    name: 'ropewalk_model_load_seconds',
    help: 'Seconds to read a model into memory',
    labelNames: ['model'],
    buckets: [0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const jobs = gauge('jobs', 'Jobs by state', ['state']);
  const depth = gauge('queue_depth', 'Jobs that wait');
  const age = gauge('queue_age_seconds', 'Seconds that the next job has waited');
  const paused = gauge('queue_paused', '1 while the queue is paused');
  const readers = gauge('event_readers', 'Connections that follow events');
  const workers = gauge('workers', 'Processes that take jobs');
  const memory = gauge('model_bytes', 'Memory that models of all workers count for', ['model']);
  const watch = stepWatch((kind, seconds) => steps.observe({ kind }, seconds));

  return {
    registry,
    request: (method: string, route: string, status: number, seconds: number) =>
      requests.observe({ method, route, status }, seconds),
    event(event: JobEvent): void {
      watch(event);
      if (event.type === 'picture') pictures.inc({ model: event.picture.model });
      if (event.type === 'load') loads.observe({ model: event.model }, event.seconds);
    },
    /** What is only looked at when somebody asks. */
    async scrape(queue: Jobs, live: { readers(): number }): Promise<string> {
      readers.set(live.readers());
      const counts = await queue.counts();
      for (const state of JOB_STATES) jobs.set({ state }, counts[state]);
      depth.set(counts.waiting);
      const { items } = await queue.list({ state: ['waiting'], order: 'queue', limit: 1 });
      age.set(items[0] ? Math.max(0, Date.now() - items[0].createdAt) / 1000 : 0);
      paused.set((await queue.isPaused()) ? 1 : 0);
      const working = await queue.workers();
      workers.set(working.length);
      memory.reset();
      for (const { id, bytes } of working.flatMap(({ models }) => models))
        memory.inc({ model: id }, bytes);
      return registry.metrics();
    },
  };
}

/** Tells how long steps take, from the times at which their progress arrives. */
function stepWatch(observe: (kind: string, seconds: number) => void) {
  const running = new Map<string, { kind: string; step?: number; at?: number }>();
  return (event: JobEvent): void => {
    if (event.type === 'job') {
      const { id, kind, state } = event.job;
      if (state !== 'running') running.delete(id);
      else if (!running.has(id)) running.set(id, { kind });
    }
    if (event.type !== 'progress') return;
    const { step } = event.progress;
    const before = running.get(event.job);
    const at = performance.now() / 1000;
    if (before?.step !== undefined && step > before.step)
      observe(before.kind, (at - before.at!) / (step - before.step));
    if (before) running.set(event.job, { kind: before.kind, step, at });
  };
}

export const metricsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Numbers for Prometheus',
        tags: ['system'],
        response: answers({ 200: fileAnswer('text/plain') }),
      },
    },
    async (_, reply) => {
      const text = await app.metrics.scrape(app.services.jobs, app.live);
      return reply.type(app.metrics.registry.contentType).send(Buffer.from(text));
    },
  );
};
