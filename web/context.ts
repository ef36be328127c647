/** What routes find on the server: the services behind it, and the stream of events. */
import type { Live } from './events.ts';
import type { MethodsOf } from './methods.ts';
import type { Metrics } from './metrics.ts';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Throws 503 until they are ready. */
    readonly services: Services;
    readonly live: Live;
    readonly metrics: Metrics;
    readonly methodsOf: MethodsOf;
  }
  interface FastifyContextConfig {
    /** Answers without a token. */
    public?: boolean;
    /** Media types of the body in place of JSON: `image/*`, `text/csv`. */
    accepts?: readonly string[];
  }
}
