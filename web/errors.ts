/** What goes wrong at the door, as one sentence with a status that clients can act on. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Conflict, NotFound, QueueFull } from '../jobs/jobs.ts';

const STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
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
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500)
    return new HttpError('internal', 'the server failed; its log says why');
  const known = CODES.find((name) => STATUS[name] === statusCode);
  return new HttpError(known ?? 'invalid', `request: ${message}`);
}

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
