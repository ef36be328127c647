/** What goes wrong at the door, as one sentence with a status that clients can act on. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Conflict, NotFound, QueueFull } from '../jobs/jobs.ts';

const STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  queue_full: 429,
  too_many: 429,
  internal: 500,
  unavailable: 503,
} as const;
export type ErrorCode = keyof typeof STATUS;
const CODES = Object.keys(STATUS) as ErrorCode[];

/** Seconds after which it is worth asking again. */
const RETRY_AFTER: { readonly [code in ErrorCode]?: number } = {
  queue_full: 10,
  too_many: 10,
  unavailable: 2,
};

export class HttpError extends Error {
  readonly code: ErrorCode;
  /** The part of the request that is wrong, such as `size.width`. */
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, { field }: { field?: string | undefined } = {}) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

export type Described = {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
  readonly retryAfter?: number;
};

/** The body of every error of the native API. */
export const ErrorBody = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.Unsafe<ErrorCode>(Type.Union(CODES.map((code) => Type.Literal(code)))),
        message: Type.String(),
        field: Type.Optional(Type.String()),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** Any error as the API tells it; what is no fault of the client's is not told in detail. */
export function describeError(error: unknown): Described {
  const { code, message, field } = toHttpError(error);
  const retryAfter = RETRY_AFTER[code];
  return {
    status: STATUS[code],
    code,
    message,
    ...(field !== undefined && { field }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof NotFound) return new HttpError('not_found', error.message);
  if (error instanceof Conflict) return new HttpError('conflict', error.message, fieldOf(error));
  if (error instanceof QueueFull) return new HttpError('queue_full', error.message);
  const { statusCode, message, code } = error as FastifyError;
  if (code === 'FST_ERR_VALIDATION') return invalid(message);
  if (code === 'FST_ERR_BAD_URL')
    return new HttpError(
      'invalid',
      'request: expected a path in UTF-8 with %25 for %, got another',
    );
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new HttpError('too_large', TOO_LARGE);
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500)
    return new HttpError('internal', 'the server failed; its log says why');
  const known = CODES.find((name) => STATUS[name] === statusCode);
  return new HttpError(known ?? 'invalid', `request: ${message}`);
}

const TOO_LARGE = 'request: expected a smaller body, got one over the limit of this address';

/** Fields are named as schema.ts does: `request: 'size.width': expected ...`. */
const fieldOf = ({ message }: Pick<Error, 'message'>) => ({
  field: /^[^']*: '([^']+)': /.exec(message)?.[1],
});
const invalid = (message: string) => new HttpError('invalid', message, fieldOf({ message }));

/** What a check of outside data throws becomes a 400 with its sentence; a fault of ours stays one. */
export async function refuse<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (error) {
    const isSentence = error instanceof TypeError || error instanceof RangeError;
    throw isSentence && error.message.includes(': expected ') ? invalid(error.message) : error;
  }
}

/** Answers with the native API's body, and leaves to the log what is our fault. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const { status, retryAfter, ...body } = describeError(error);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  if (retryAfter !== undefined && !reply.hasHeader('retry-after'))
    reply.header('retry-after', retryAfter);
  const { code, message, field } = body;
  return reply
    .code(status)
    .type('application/json')
    .send({ error: { code, message, ...(field !== undefined && { field }) } });
}

/** The same for a path that no route can be found for, where no hook has run. */
export function answerUnrouted(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff');
  answerError(error, request, reply);
}

/** Answers what never became a request, in the same form; its bytes are not repeated. */
export function answerClientError({ code }: { readonly code?: string }, socket: Socket): void {
  const [status, message] = CLIENT_ERRORS[code ?? ''] ?? NO_REQUEST;
  const body = JSON.stringify({ error: { code: 'invalid', message: `request: ${message}` } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

const NO_REQUEST = [400, 'expected HTTP/1.1, got other bytes'] as const;
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'expected the rest of it sooner, got a part'],
  HPE_HEADER_OVERFLOW: [431, 'expected at most 16 KiB of headers, got more'],
};
