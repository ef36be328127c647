/**
 * The log: JSON lines of method, path, status and time. What people write (bodies, search words, messages
 * that quote them) is not in it, and what is there is escaped, so that no line can be forged.
 */
import type { FastifyRequest, FastifyServerOptions } from 'fastify';

export type LogLevel = 'info' | 'error';

export function logging(
  log: { write(line: string): void } | undefined,
  level: LogLevel,
): Pick<FastifyServerOptions, 'logger'> {
  if (!log) return { logger: false };
  return {
    logger: {
      level,
      stream: log,
      serializers: {
        req: ({ method, url, ip, routeOptions }: FastifyRequest) => ({
          method,
          // A path that is no route may be anything.
          path: routeOptions?.url ? url.split('?')[0] : 'unknown',
          ip,
        }),
        res: ({ statusCode }) => ({ statusCode }),
        err: (error: Error) => ({
          type: error.name,
          message: withoutQuotes(error.message),
          stack: stackOf(error),
        }),
      },
    },
  };
}

/** A message quotes what it got: that may be a prompt. */
const withoutQuotes = (message: string) =>
  message.replace(/(['"`])(?:(?!\1)[\s\S])*(\1|$)/g, '$1...$1').slice(0, 300);

/** Where it happened: without the message, which may quote a request. */
const stackOf = ({ stack = '' }: Error) =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
