/** Drives bench/peers/main.py: PyTorch in a process of its own that runs only when it is asked to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type PeerShape = 'dit-s-2' | 'shipped';
export type PeerTokenShape = 'gpt-b' | 'avatars-ar';
export type PeerInfo = {
  readonly torch: string;
  readonly diffusers: string;
  readonly transformers: string;
  readonly threads: number;
};
export type Peer = {
  readonly info: PeerInfo;
  /** Milliseconds of one run; the first of a kind is preceded by three that warm up. */
  forward(shape: PeerShape): Promise<number>;
  train(shape: PeerShape): Promise<number>;
  /** All tokens of a guided picture; one that warms up goes before the first. */
  draw(shape: PeerTokenShape): Promise<number>;
  /** A product of two square matrices. */
  sgemm(size: number): Promise<number>;
  close(): Promise<void>;
};

export type PeerOptions = {
  /** A Python with bench/peers/requirements.txt installed. */
  readonly python?: string;
  readonly threads: number;
};

export async function startPeer({ python = 'python3', threads }: PeerOptions): Promise<Peer> {
  const script = fileURLToPath(new URL('main.py', import.meta.url));
  const child = spawn(python, [script, String(threads)], {
    env: { ...process.env, OMP_NUM_THREADS: String(threads) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close').catch(() => undefined);
  let printed = '';
  child.stderr.on('data', (data) => {
    printed += data;
  });
  child.stdin.on('error', () => undefined); // The missing answer below says more.
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const ask = async (request: string): Promise<unknown> => {
    child.stdin.write(`${request}\n`);
    const { value, done } = await answers.next();
    if (done) {
      await closed;
      const last = printed.trim().split('\n').at(-1) || `${python} did not start`;
      throw new Error(
        `peer: expected an answer to '${request}', got none (${last}); install bench/peers/requirements.txt`,
      );
    }
    return JSON.parse(value);
  };
  const time = async (request: string): Promise<number> => {
    const { ms, error } = (await ask(request)) as { ms: number; error?: string };
    if (error !== undefined) throw new Error(`peer: ${error}`);
    return ms;
  };
  return {
    info: (await ask('info')) as PeerInfo,
    forward: (shape) => time(`forward ${shape}`),
    train: (shape) => time(`train ${shape}`),
    draw: (shape) => time(`draw ${shape}`),
    sgemm: (size) => time(`sgemm ${size}`),
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
