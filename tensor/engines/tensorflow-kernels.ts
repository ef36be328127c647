/**
 * Kernels of tfjs-node that refuse what tfjs allows, completed: padding by given numbers of rows and
 * columns in pools and in the gradients of convolutions, and gathering along an axis counted from
 * the end. An explicit padding is the padded picture and no padding.
 */
import { type Tensor, type Tensors, tf } from '../tf.ts';

const BACKEND = 'tensorflow';
type Pair = [number, number];
type Pads = [Pair, Pair, Pair, Pair];
type Attributes = {
  readonly pad?: unknown;
  readonly strides?: number | Pair;
  readonly filterSize?: number | Pair;
  readonly inputShape?: [number, number, number, number];
  readonly axis?: number;
};
/** The kernel as it was, with some attributes changed. */
type Original = (inputs: Tensors, changed: Attributes) => Tensor;

function complete(
  name: string,
  concerns: (attributes: Attributes) => boolean,
  replacement: (original: Original, inputs: Tensors, attributes: Attributes) => Tensor,
): void {
  const kernel = tf.getKernel(name, BACKEND);
  tf.unregisterKernel(name, BACKEND); // Registering twice would print a warning.
  tf.registerKernel({
    ...kernel,
    kernelFunc: (args) => {
      const attributes = args.attrs as unknown as Attributes;
      if (!concerns(attributes)) return kernel.kernelFunc(args);
      const original: Original = (inputs, changed) => {
        const attrs = { ...args.attrs, ...changed } as unknown as tf.NamedAttrMap;
        // tfjs-node's kernels return tensors that are tracked already, not plain descriptions.
        return kernel.kernelFunc({ ...args, inputs, attrs }) as Tensor;
      };
      return tf.tidy(() => replacement(original, args.inputs as Tensors, attributes));
    },
  });
}

const isExplicit = ({ pad }: Attributes): boolean => typeof pad !== 'string' && pad !== 0;

/** `pad` as given to tfjs: one number, or a pair for every axis of [B, H, W, C]. */
function padsOf({ pad }: Attributes): Pads {
  if (typeof pad !== 'number') return pad as Pads;
  return [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
}

const padded = (x: Tensor, attributes: Attributes, value = 0): Tensor =>
  tf.pad(x, padsOf(attributes), value);

/** The part of a padded [B, H, W, C] that is the picture of `shape`. */
const inside = (x: Tensor, attributes: Attributes, shape: readonly number[]): Tensor =>
  tf.slice(
    x,
    padsOf(attributes).map(([before]) => before),
    [...shape],
  );

/** Called once, when tfjs-node has registered its kernels. */
export function completeKernels(): void {
  for (const name of ['Conv2D', 'DepthwiseConv2dNative']) {
    complete(name, isExplicit, (original, { x, filter }, attributes) =>
      original({ x: padded(x!, attributes), filter: filter! }, { pad: 'valid' }),
    );
  }
  for (const name of ['Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropFilter']) {
    complete(name, isExplicit, (original, { x, dy }, attributes) =>
      original({ x: padded(x!, attributes), dy: dy! }, { pad: 'valid' }),
    );
  }
  for (const name of ['Conv2DBackpropInput', 'DepthwiseConv2dNativeBackpropInput']) {
    complete(name, isExplicit, (original, inputs, attributes) => {
      const shape = attributes.inputShape!;
      const pads = padsOf(attributes);
      const larger = shape.map((side, i) => side + pads[i]![0] + pads[i]![1]) as typeof shape;
      return inside(original(inputs, { pad: 'valid', inputShape: larger }), attributes, shape);
    });
  }
  completePools();
  complete(
    'GatherV2',
    ({ axis }) => axis! < 0,
    (original, { x, indices }, { axis }) =>
      original({ x: x!, indices: indices! }, { axis: axis! + x!.rank }),
  );
}

function completePools(): void {
  const LOWEST = Number.NEGATIVE_INFINITY;
  complete('MaxPool', isExplicit, (original, { x }, attributes) =>
    original({ x: padded(x!, attributes, LOWEST) }, { pad: 'valid' }),
  );
  complete('MaxPoolGrad', isExplicit, (original, { dy, input, output }, attributes) => {
    const larger = padded(input!, attributes, LOWEST);
    const gradient = original({ dy: dy!, input: larger, output: output! }, { pad: 'valid' });
    return inside(gradient, attributes, input!.shape);
  });
  // tfjs's mean is over the pixels of the picture, not over padding.
  const share = (shape: number[], attributes: Attributes): Tensor =>
    tf.avgPool(
      padded(tf.ones(shape), attributes) as tf.Tensor4D,
      attributes.filterSize!,
      attributes.strides!,
      'valid',
    );
  complete('AvgPool', isExplicit, (original, { x }, attributes) =>
    original({ x: padded(x!, attributes) }, { pad: 'valid' }).div(share(x!.shape, attributes)),
  );
  complete('AvgPoolGrad', isExplicit, (original, { dy, input }, attributes) => {
    const inputs = {
      dy: dy!.div(share(input!.shape, attributes)),
      input: padded(input!, attributes),
    };
    return inside(original(inputs, { pad: 'valid' }), attributes, input!.shape);
  });
}
