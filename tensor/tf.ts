/**
 * The only import of TensorFlow.js: every model function and every engine takes `tf` from here, so
 * that one registry of kernels and gradients serves them all.
 */
import * as tf from '@tensorflow/tfjs';
import { correct } from './corrections.ts';

// Without this tfjs prints an advertisement on the first use of its cpu backend.
tf.enableProdMode();
// tfjs picks a backend when first used; ours save and restore it, so one must be there from the start.
void tf.setBackend('cpu');
correct(tf);

export type Tensor = tf.Tensor;
export type Tensors = Record<string, Tensor>;
export type DataType = 'float32' | 'int32' | 'bool';
export { tf };
