/** What ONNX Runtime can do on this machine, found out by running it. */
import * as ort from 'onnxruntime-node';
import { PROVIDERS, type Provider } from '../program.ts';
import { tf } from '../tf.ts';
import { createOnnxEngine } from './onnx.ts';

export type OnnxDescription = {
  readonly version: string;
  /** Whether the installed package carries the provider; a device is another matter (tryProvider). */
  readonly providers: Readonly<Record<Provider, boolean>>;
};

export function describeOnnx(): OnnxDescription {
  const bundled = ort.listSupportedBackends().filter((backend) => backend.bundled);
  const has = (provider: Provider) => bundled.some(({ name }) => name === provider);
  return {
    version: ort.env.versions.node ?? ort.env.versions.common,
    providers: Object.fromEntries(
      PROVIDERS.map((name) => [name, has(name)]),
    ) as OnnxDescription['providers'],
  };
}

/** Multiplies two small matrices on a provider; undefined when right, else what went wrong. */
export async function tryProvider(provider: Provider): Promise<string | undefined> {
  const engine = createOnnxEngine({ provider });
  const matrix = { shape: [2, 2] };
  try {
    const program = await engine.compile(
      ({ inputs }) => ({ outputs: { product: tf.matMul(inputs.a!, inputs.b!) } }),
      { inputs: { a: matrix, b: matrix } },
    );
    const { product } = await program.run({
      a: { data: Float32Array.of(1, 2, 3, 4), ...matrix },
      b: { data: Float32Array.of(5, 6, 7, 8), ...matrix },
    });
    await program.dispose();
    const found = product!.data.join();
    return found === '19,22,43,50' ? undefined : `expected 19,22,43,50, got ${found}`;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // ONNX Runtime puts its source line and the failed condition before the sentence that matters.
    return message.split('\n')[0]!.replace(/^.* was false\. /, '');
  }
}
