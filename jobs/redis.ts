/** The connection to Redis that queue and news share. */
import { Redis } from 'ioredis';

const PATIENCE = 5000;

/** Throws where no Redis answers; one that goes away later is connected to again. */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null, // as BullMQ's workers need it
    connectTimeout: PATIENCE,
    retryStrategy: (times) => Math.min(200 * times, 2000),
    lazyConnect: true,
  });
  let problem: Error | undefined;
  redis.on('error', (error: Error) => {
    problem = error; // each call reports its own
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    const { host, pathname } = new URL(url);
    const why = (problem ?? (error as Error)).message;
    throw new Error(`redis: expected a server at ${host}${pathname}, got: ${why}`, {
      cause: error,
    });
  }
}
