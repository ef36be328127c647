/** Serves the API on fake services, for work on the page: `npx tsx test/web/dev-server.ts [port]`. */
import { join } from 'node:path';
import { createServer } from '../../web/server.ts';
import { createFakeServices } from './fake-services.ts';

const port = Number(process.argv[2] ?? 8200);
const page = join(import.meta.dirname, '../../dist/web/ui');
const app = createServer(createFakeServices({ step: 60 }), { page });
console.log(await app.listen({ port, host: '127.0.0.1' }));
