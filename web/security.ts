/**
 * Who may ask (docs/security.md has attack, defence and test). Without a token only this machine may; with
 * one, who knows it. Pages of other sites may not in any case: neither by their names (DNS rebinding) nor
 * by requests that a browser sends for them.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import './context.ts';
import { HttpError } from './errors.ts';

export type SecurityOptions = {
  /** Whoever has it may do everything. Without it only loopback addresses are answered. */
  readonly token?: string;
  /** Names besides `localhost` under which the server is reached, without port. */
  readonly allowedHosts?: readonly string[];
  /** Requests a minute from one address: those that change something, and (from elsewhere) all others. */
  readonly limits?: { readonly writes?: number; readonly reads?: number };
};

export const COOKIE = 'ropewalk';

/** The rule for commands that listen: not beyond this machine without a token. */
export function checkExposure(host: string, token: string | undefined): void {
  if (token === undefined && host !== 'localhost' && !isLoopback(host))
    throw new RangeError(`serve: expected a token for --host ${host}, got none`);
  if (token !== undefined && token.length < 16)
    throw new RangeError(`serve: expected a token of at least 16 characters, got ${token.length}`);
}

/** To be registered before any route. */
export async function protect(app: FastifyInstance, options: SecurityOptions): Promise<void> {
  await app.register(helmet, HEADERS);
  await app.register(cookie);
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request) => {
    checkAddress(request, options);
    checkHost(request, options);
    checkOrigin(request);
    if (!isPublic(request)) checkToken(request, options);
    checkMediaType(request);
    checkLength(request);
  });
  await app.register(rateLimit, limitsOf(options));
}

const HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'blob:', 'data:'],
      connectSrc: ["'self'"],
      fontSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  frameguard: { action: 'deny' as const },
  strictTransportSecurity: false, // plain HTTP; a proxy that speaks TLS adds its own
  referrerPolicy: { policy: 'no-referrer' as const },
};

function checkAddress({ ip }: FastifyRequest, { token }: SecurityOptions): void {
  if (token === undefined && !isLoopback(ip))
    throw new HttpError('forbidden', 'request: expected a client on this machine, got another');
}

/**
 * A page of a stranger's name that resolves to this machine says that name in `Host`; an address cannot
 * be rebound. Without a token only names and addresses of this machine are known.
 */
function checkHost(request: FastifyRequest, { token, allowedHosts = [] }: SecurityOptions): void {
  const host = hostOf(request.headers.host ?? '');
  const isAddress = isIP(host) !== 0 && (token !== undefined || isLoopback(host));
  if (isAddress || host === 'localhost' || allowedHosts.includes(host)) return;
  throw new HttpError(
    'forbidden',
    `request: expected a known host, got '${host.slice(0, 100)}'; --allow-host adds a name`,
  );
}

/** `[::1]:8080` is `::1`. */
const hostOf = (header: string) =>
  (/^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(header)?.[1] ?? header.replace(/:\d+$/, '')).toLowerCase();

const isLoopback = (address: string) =>
  address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);

/** A browser says on whose behalf it asks. Links from other sites may open a page, no more. */
function checkOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined && originHost(origin) !== host?.toLowerCase())
    throw new HttpError('forbidden', 'request: expected one from this site, got another origin');
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  const opens = request.method === 'GET' && request.headers['sec-fetch-dest'] === 'document';
  if (!opens) throw new HttpError('forbidden', `request: expected one from this site, got another`);
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const isPublic = ({ routeOptions }: FastifyRequest) => routeOptions.config?.public === true;

function checkToken(request: FastifyRequest, { token }: SecurityOptions): void {
  if (token === undefined) return;
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!isToken(bearer ?? request.cookies[COOKIE], token))
    throw new HttpError('unauthorized', 'request: expected the token that the server printed');
}

/** In a time that does not tell how much of it was right. */
export function isToken(given: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(token)) && given !== undefined;
}

/** JSON where the route does not name other types: a form of another site cannot send that unasked. */
function checkMediaType({ method, headers, routeOptions }: FastifyRequest): void {
  if (method !== 'POST' || routeOptions.url === undefined) return;
  const given = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const accepts = routeOptions.config.accepts ?? ['application/json'];
  const fits = (type: string) =>
    type.endsWith('/*') ? given.startsWith(type.slice(0, -1)) : given === type;
  if (!accepts.some(fits))
    throw new HttpError(
      'unsupported',
      `request: expected a body of ${accepts.join(' or ')}, got '${given.slice(0, 100)}'`,
    );
}

/** Told before the body is read; one that does not say its length is cut while it comes. */
function checkLength({ headers, routeOptions: { bodyLimit } }: FastifyRequest): void {
  const length = Number(headers['content-length'] ?? 0);
  if (length > bodyLimit)
    throw new HttpError(
      'too_large',
      `request: expected a body of at most ${bodyLimit} bytes, got ${length}`,
    );
}

function limitsOf({ token, limits = {} }: SecurityOptions) {
  const isRead = ({ method }: FastifyRequest) => method === 'GET' || method === 'HEAD';
  const { writes = token === undefined ? 6000 : 1200, reads = 12_000 } = limits;
  return {
    timeWindow: 60_000,
    keyGenerator: (request: FastifyRequest) =>
      `${request.ip} ${isRead(request) ? 'reads' : 'writes'}`,
    max: (request: FastifyRequest) => (isRead(request) ? reads : writes),
    allowList: (request: FastifyRequest) =>
      isRead(request) && limits.reads === undefined && isLoopback(request.ip),
    errorResponseBuilder: (_: FastifyRequest, { max }: { max: number }) =>
      new HttpError(
        'too_many',
        `request: expected at most ${max} a minute, got more; wait a little`,
      ),
  };
}
