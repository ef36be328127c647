/** Chooses an engine by name. */
import { createEagerEngine } from './engines/eager.ts';
import { createOnnxEngine } from './engines/onnx.ts';
import type { Engine, EngineName, Provider } from './program.ts';
import { tf } from './tf.ts';

export type EngineOptions = {
  readonly name?: EngineName;
  /** Where the onnx engine runs. */
  readonly provider?: Provider;
  /** Threads of the onnx engine's cpu provider. Default: one a core. */
  readonly threads?: number;
  /** Its threads wait for work busily. Default: true; false where other programs need the cores. */
  readonly spinning?: boolean;
};

/**
 * An engine to compile programs with. `tensorflow` must have been loaded before
 * (`loadTensorflow` of engines/load-tensorflow.ts).
 */
export function createEngine({
  name = 'onnx',
  provider = 'cpu',
  ...cpu
}: EngineOptions = {}): Engine {
  if (name === 'onnx') return createOnnxEngine({ provider, ...cpu });
  if (name === 'reference') return createEagerEngine('reference', 'cpu');
  if (!tf.engine().registryFactory.tensorflow) {
    throw new Error(
      "engine 'tensorflow': expected native TensorFlow to be installed and loaded, got none; run `ropewalk doctor --install tensorflow`",
    );
  }
  return createEagerEngine('tensorflow', 'tensorflow');
}
