/**
 * Convolutions, pooling and their gradients. tfjs holds pictures as [B, H, W, C] and filters as
 * [kh, kw, in, out], ONNX as [B, C, H, W] and [out, in, kh, kw]: every kernel swaps axes around one
 * node, and swaps that meet cancel, so pictures stay [B, C, H, W] from one convolution to the next.
 */
import { sizeOf } from '../../shape.ts';
import { tf } from '../../tf.ts';
import { kernel } from '../backend.ts';
import { emit, graph, infoOf, nameOf, type TensorInfo } from '../recording.ts';
import { filled, reshape, reversed, transpose } from './nodes.ts';

type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
type Attrs = {
  strides: number | [number, number];
  pad: Pad;
  dataFormat?: 'NHWC' | 'NCHW';
  dilations?: number | [number, number];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
};
type Info = tf.backend_util.Conv2DInfo;
type Filter = [number, number, number, number];

const CHANNELS_FIRST = [0, 3, 1, 2];
const CHANNELS_LAST = [0, 2, 3, 1];
const first = (x: TensorInfo, { dataFormat }: Info): TensorInfo =>
  dataFormat === 'channelsFirst' ? x : transpose(x, CHANNELS_FIRST);
const last = (x: TensorInfo, { dataFormat }: Info): TensorInfo =>
  dataFormat === 'channelsFirst' ? x : transpose(x, CHANNELS_LAST);

function infoOfConv(input: readonly number[], filter: number[], attrs: Attrs, depthwise = false) {
  return tf.backend_util.computeConv2DInfo(
    input as Filter,
    filter as Filter,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
    attrs.dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast',
  );
}

/**
 * Rows and columns that the filters reach beyond the end: padding where positive, left unread where
 * negative (a stride that does not divide the picture).
 */
function reach(info: Info): [number, number] {
  const { outHeight, strideHeight, effectiveFilterHeight, inHeight, padInfo } = info;
  const { outWidth, strideWidth, effectiveFilterWidth, inWidth } = info;
  return [
    (outHeight - 1) * strideHeight + effectiveFilterHeight - inHeight - padInfo.top,
    (outWidth - 1) * strideWidth + effectiveFilterWidth - inWidth - padInfo.left,
  ];
}

function windows(info: Info) {
  const [bottom, right] = reach(info).map((beyond) => Math.max(beyond, 0)) as [number, number];
  return {
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [info.padInfo.top, info.padInfo.left, bottom, right],
  };
}

const outputShape = ({ batchSize, outChannels, outHeight, outWidth }: Info): number[] => [
  batchSize,
  outChannels,
  outHeight,
  outWidth,
];
const inputShape = ({ batchSize, inChannels, inHeight, inWidth }: Info): number[] => [
  batchSize,
  inChannels,
  inHeight,
  inWidth,
];

/** Filters as ONNX has them; depthwise [kh, kw, C, m] becomes [C m, 1, kh, kw]. */
function filters(filter: TensorInfo, depthwise: boolean): TensorInfo {
  if (!depthwise) return transpose(filter, [3, 2, 0, 1]);
  const [height, width, channels, times] = filter.shape as Filter;
  return reshape(transpose(filter, [2, 3, 0, 1]), [channels * times, 1, height, width]);
}

for (const [name, depthwise] of [
  ['Conv2D', false],
  ['DepthwiseConv2dNative', true],
] as const) {
  kernel<Attrs>(name, ({ x, filter }, attrs) => {
    const info = infoOfConv(x!.shape, filter!.shape, attrs, depthwise);
    const group = depthwise ? info.inChannels : 1;
    const inputs = [first(x!, info), filters(filter!, depthwise)];
    return last(
      emit('Conv', inputs, outputShape(info), 'float32', { ...windows(info), group }),
      info,
    );
  });
}

for (const [name, depthwise] of [
  ['Conv2DBackpropInput', false],
  ['DepthwiseConv2dNativeBackpropInput', true],
] as const) {
  kernel<Attrs & { inputShape: number[] }>(name, ({ dy, filter }, attrs) => {
    const info = infoOfConv(attrs.inputShape, filter!.shape, attrs, depthwise);
    if (!depthwise && isDense(info)) return last(turned(first(dy!, info), filter!, info), info);
    const inputs = [first(dy!, info), filters(filter!, depthwise)];
    const dx = emit('ConvTranspose', inputs, inputShape(info), 'float32', {
      ...windows(info),
      output_padding: reach(info).map((beyond) => Math.max(-beyond, 0)),
      group: depthwise ? info.inChannels : 1,
    });
    return last(dx, info);
  });
}

/** Every place is met by every weight once: no strides, no gaps, and padding within the filter. */
function isDense(info: Info): boolean {
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  const [bottom, right] = reach(info);
  const within = (pad: number, side: number) => 0 <= pad && pad < side;
  return (
    [strideHeight, strideWidth, dilationHeight, dilationWidth].every((step) => step === 1) &&
    [padInfo.top, bottom].every((pad) => within(pad, info.filterHeight)) &&
    [padInfo.left, right].every((pad) => within(pad, info.filterWidth))
  );
}

/** ConvTranspose as a Conv with the filters turned by half a turn, which ONNX Runtime spreads over its threads. */
function turned(dy: TensorInfo, filter: TensorInfo, info: Info): TensorInfo {
  const { filterHeight, filterWidth, padInfo } = info;
  const [bottom, right] = reach(info);
  const half = reversed(transpose(filter, [2, 3, 0, 1]), [2, 3]);
  const beyond = [padInfo.top, padInfo.left, bottom, right];
  return emit('Conv', [dy, half], inputShape(info), 'float32', {
    ...windows(info),
    pads: beyond.map((pad, i) => (i % 2 === 0 ? filterHeight : filterWidth) - 1 - pad),
    group: 1,
  });
}

/** Filters of so few places have their gradient place by place. */
const FEW_PLACES = 9;

/**
 * The gradient of the filters at one place is a product of the pictures, moved by it, and the gradient of the result, a
 * product a picture: 2.6 times as fast as the convolution below for 24 channels of 3 x 3 and 64 pictures of 64 x 64.
 */
function placeByPlace(x: TensorInfo, dy: TensorInfo, info: Info): TensorInfo {
  const { batchSize: B, inChannels: C, outChannels: O, outHeight, outWidth } = info;
  const { filterHeight, filterWidth, inHeight, inWidth, padInfo } = info;
  const [bottom, right] = reach(info);
  const g = graph();
  const pads = g.ints([0, 0, padInfo.top, padInfo.left, 0, 0, bottom, right]);
  const sides = [inHeight + padInfo.top + bottom, inWidth + padInfo.left + right];
  const padded = emit('Pad', [x, pads], [B, C, ...sides], 'float32');
  const cells = outHeight * outWidth;
  const theirs = transpose(reshape(dy, [B, O, cells]), [0, 2, 1]);
  const places = Array.from({ length: filterHeight * filterWidth }, (_, i) => {
    const [y, z] = [Math.floor(i / filterWidth), i % filterWidth];
    const cut = [g.ints([y, z]), g.ints([y + outHeight, z + outWidth]), g.ints([2, 3])];
    const moved = emit('Slice', [padded, ...cut], [B, C, outHeight, outWidth], 'float32');
    const each = emit('MatMul', [reshape(moved, [B, C, cells]), theirs], [B, C, O], 'float32');
    return emit('ReduceSum', [each, g.ints([0])], [1, C, O], 'float32', { keepdims: 1 });
  });
  const all = emit('Concat', places, [places.length, C, O], 'float32', { axis: 0 });
  return reshape(all, [filterHeight, filterWidth, C, O]);
}

/**
 * The gradient of the filters is a convolution of the pictures by the gradient of the result, with
 * batch and channels in each other's place and stride and dilation too.
 */
for (const [name, depthwise] of [
  ['Conv2DBackpropFilter', false],
  ['DepthwiseConv2dNativeBackpropFilter', true],
] as const) {
  kernel<Attrs & { filterShape: number[] }>(name, ({ x, dy }, attrs) => {
    const info = infoOfConv(x!.shape, attrs.filterShape, attrs, depthwise);
    const { batchSize: B, inChannels: C, outChannels, inHeight, inWidth } = info;
    const few = info.filterHeight * info.filterWidth <= FEW_PLACES;
    if (!depthwise && few && isDense(info))
      return placeByPlace(first(x!, info), first(dy!, info), info);
    const swapped = [1, 0, 2, 3];
    const pictures = transpose(first(x!, info), swapped);
    const inputs = [
      depthwise ? reshape(pictures, [1, C * B, inHeight, inWidth]) : pictures,
      transpose(first(dy!, info), swapped),
    ];
    const [bottom, right] = reach(info);
    const found = emit(
      'Conv',
      inputs,
      [depthwise ? 1 : C, outChannels, ...sidesFound(info)],
      'float32',
      {
        kernel_shape: [info.outHeight, info.outWidth],
        strides: [info.dilationHeight, info.dilationWidth],
        dilations: [info.strideHeight, info.strideWidth],
        pads: [info.padInfo.top, info.padInfo.left, Math.max(bottom, 0), Math.max(right, 0)],
        group: depthwise ? C : 1,
      },
    );
    const used = cropped(found, info);
    if (!depthwise) return transpose(used, [2, 3, 0, 1]); // [C, O, kh, kw] -> [kh, kw, C, O]
    const [height, width, , times] = attrs.filterShape as Filter;
    return transpose(reshape(used, [C, times, height, width]), [2, 3, 0, 1]);
  });
}

/** Sides of what the filter's gradient finds: larger than the filter where rows were left unread. */
function sidesFound(info: Info): [number, number] {
  const [bottom, right] = reach(info).map((beyond) => Math.max(-beyond, 0)) as [number, number];
  return [
    info.filterHeight + Math.floor(bottom / info.dilationHeight),
    info.filterWidth + Math.floor(right / info.dilationWidth),
  ];
}

function cropped(x: TensorInfo, { filterHeight, filterWidth }: Info): TensorInfo {
  if (x.shape[2] === filterHeight && x.shape[3] === filterWidth) return x;
  const g = graph();
  const shape = [...x.shape.slice(0, 2), filterHeight, filterWidth];
  const inputs = [x, g.ints([0, 0]), g.ints([filterHeight, filterWidth]), g.ints([2, 3])];
  return emit('Slice', inputs, shape, x.dtype);
}

type Pooling = Attrs & { filterSize: number | [number, number] };
function infoOfPool(input: readonly number[], attrs: Pooling): Info {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const shape = input as Filter;
  return tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
}

kernel<Pooling>('MaxPool', ({ x }, attrs) => {
  const info = infoOfPool(x!.shape, attrs);
  return last(
    emit('MaxPool', [first(x!, info)], outputShape(info), 'float32', windows(info)),
    info,
  );
});
kernel<Pooling>('AvgPool', ({ x }, attrs) => {
  const info = infoOfPool(x!.shape, attrs);
  const { dilations, ...rest } = windows(info);
  const attributes = { ...rest, count_include_pad: 0 };
  return last(
    emit('AveragePool', [first(x!, info)], outputShape(info), 'float32', attributes),
    info,
  );
});
/** ONNX's MaxPool also gives the place of each maximum in the whole tensor. */
kernel<Pooling>('MaxPoolGrad', ({ dy, input }, attrs) => {
  const info = infoOfPool(input!.shape, attrs);
  const count = sizeOf(outputShape(info));
  const names = graph().nodeWith(2, 'MaxPool', [nameOf(first(input!, info))], windows(info));
  const places = infoOf(names[1]!, outputShape(info), 'int32'); // int64 in ONNX
  const size = sizeOf(inputShape(info));
  const added = emit(
    'ScatterElements',
    [filled([size], 0, 'float32'), reshape(places, [count]), reshape(first(dy!, info), [count])],
    [size],
    'float32',
    { axis: 0, reduction: 'add' },
  );
  return last(reshape(added, inputShape(info)), info);
});
