/** The page's way to the token: typed once, then a cookie that scripts and other sites do not get. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { HttpError } from './errors.ts';
import { answers } from './schemas.ts';
import { COOKIE, isToken } from './security.ts';
import './context.ts';

const exact = { additionalProperties: false } as const;
const Done = Type.Object({ ok: Type.Literal(true) }, exact);
const MONTH = 30 * 24 * 3600;

export const loginRoutes: FastifyPluginAsyncTypebox<{ readonly token?: string }> = async (
  app,
  { token },
) => {
  app.post(
    '/login',
    {
      config: { public: true, rateLimit: { max: 10, timeWindow: 60_000, allowList: [] } },
      schema: {
        summary: 'Exchange the token for a cookie',
        tags: ['system'],
        body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) }, exact),
        response: answers({ 200: Done }),
      },
    },
    async ({ body }, reply) => {
      if (token === undefined) return { ok: true as const };
      if (!isToken(body.token, token))
        throw new HttpError('unauthorized', 'login: expected the token that the server printed');
      const options = { path: '/', httpOnly: true, sameSite: 'strict', maxAge: MONTH } as const;
      reply.setCookie(COOKIE, body.token, options);
      return { ok: true as const };
    },
  );
};
