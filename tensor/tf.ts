/**
 * The only import of TensorFlow.js: every model function and every engine takes `tf` from here, so
 * that one registry of kernels and gradients serves them all. It is loaded when it is first used: what only reads
 * cards and checks requests, as the server does, goes without its half second and its memory.
 */
import { createRequire } from 'node:module';
import type * as TF from '@tensorflow/tfjs';
import { correct } from './corrections.ts';

let loaded: typeof TF | undefined;

function load(): typeof TF {
  const found = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof TF;
  loaded = found; // before what follows, which uses it
  // Without this tfjs prints an advertisement on the first use of its cpu backend.
  found.enableProdMode();
  // tfjs picks a backend when first used; ours save and restore it, so one must be there from the start.
  void found.setBackend('cpu');
  correct(found);
  return found;
}

export const tf = new Proxy({} as typeof TF, {
  get: (_, name) => Reflect.get(loaded ?? load(), name),
});

/** Its types that are named here, under the name that they have in everybody's code. */
export declare namespace tf {
  type Tensor = TF.Tensor;
  type Scalar = TF.Scalar;
  type Tensor1D = TF.Tensor1D;
  type Tensor4D = TF.Tensor4D;
  type DataType = TF.DataType;
  type TensorInfo = TF.TensorInfo;
  type NamedAttrMap = TF.NamedAttrMap;
  type BackendValues = TF.BackendValues;
  type KernelBackend = TF.KernelBackend;
  type GradFunc = TF.GradFunc;
  type GradSaveFunc = TF.GradSaveFunc;
  namespace backend_util {
    type ExplicitPadding = TF.backend_util.ExplicitPadding;
    type Conv2DInfo = TF.backend_util.Conv2DInfo;
  }
}

export type Tensor = TF.Tensor;
export type Tensors = Record<string, Tensor>;
export type DataType = 'float32' | 'int32' | 'bool';
