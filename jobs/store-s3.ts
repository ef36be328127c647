/** Pictures in an S3-compatible bucket. Loaded only where a bucket is named; credentials come from where the AWS library looks. */

import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { checkStoredId, type Store, StoreUnavailable } from './store.ts';

/** @param address `s3://bucket/prefix?endpoint=https://...&region=...`; an endpoint is a server other than Amazon's. */
export async function openBucket(address: string): Promise<Store> {
  const { hostname: Bucket, pathname, searchParams } = new URL(address);
  const prefix = pathname.replace(/^\/|\/$/g, '');
  const endpoint = searchParams.get('endpoint');
  const client = new S3Client({
    region: searchParams.get('region') ?? 'us-east-1',
    ...(endpoint !== null && { endpoint, forcePathStyle: true }),
    maxAttempts: 3,
  });
  const keyOf = (id: string) => {
    checkStoredId(id);
    return prefix === '' ? `${id}.png` : `${prefix}/${id}.png`;
  };
  const get = (id: string) =>
    client.send(new GetObjectCommand({ Bucket, Key: keyOf(id) })).catch(absent);
  return {
    async put(id, Body) {
      await client
        .send(new PutObjectCommand({ Bucket, Key: keyOf(id), Body, ContentType: 'image/png' }))
        .catch(unavailable);
    },
    async read(id) {
      const found = await get(id);
      return found && Buffer.from(await found.Body!.transformToByteArray());
    },
    stream: async (id) => (await get(id))?.Body as Readable | undefined,
    async remove(id) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(id) })).catch(unavailable);
    },
    async check() {
      await client.send(new HeadBucketCommand({ Bucket })).catch(unavailable);
    },
    close: () => client.destroy(),
  };
}

function unavailable(error: Error): never {
  const { name, message } = error;
  throw new StoreUnavailable(`storage: the bucket answers ${name}: ${message}`, { cause: error });
}

function absent(error: Error): undefined {
  if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return;
  unavailable(error);
}
