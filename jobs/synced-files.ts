/**
 * PGlite's files in a folder, with PostgreSQL's promise: what is committed is there after the power went. PGlite turns
 * that off (`-F`), and its file system ignores what asks for it.
 */
import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = NodeFS['init'];
/** As Emscripten has it. */
type Stream = { readonly nfd?: number };
type Files = {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: Stream) => number } };
};

export class SyncedFiles extends NodeFS {
  override async init(...args: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(...args);
    const sync = (module: unknown) => {
      (module as Files).NODEFS.stream_ops.fsync = syncStream;
    };
    return {
      emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), sync] },
    };
  }
}

/** EIO as WASI numbers errors: PostgreSQL then stops rather than go on with what may be lost. */
const EIO = 29;

function syncStream({ nfd }: Stream): number {
  try {
    if (nfd !== undefined) fsyncSync(nfd); // folders have none
    return 0;
  } catch {
    return EIO;
  }
}

/** For PGlite on these files; of the ways to sync its log, this is the one that reaches them. */
export const SYNCED_PARAMS: readonly string[] = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['-c', 'wal_sync_method=fsync'],
];
