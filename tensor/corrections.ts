/**
 * Gradients that TensorFlow.js lacks (comparisons, top-k, strided slice, gather and scatter by n
 * indices) or has wrong (products, maxima and squared differences of operands that broadcast,
 * cumulative sums along an axis other than the last, average pooling with padding, mirrored
 * padding), and two kernels of its cpu backend. tf.ts applies them, so nobody meets the originals.
 */
import type { Tensor, tf as Tf } from './tf.ts';

type TF = typeof Tf;
type Attrs = Record<string, unknown>;
/** The gradient of a kernel's inputs, given what was saved: first the inputs, then outputs. */
type Gradient = (dy: Tensor, saved: Tensor[], attrs: Attrs) => Record<string, () => Tensor>;

export function correct(tf: TF): void {
  const gradient = (name: string, inputsToSave: string[], gradFunc: Gradient) =>
    tf.registerGradient({
      kernelName: name,
      inputsToSave,
      gradFunc: gradFunc as unknown as Tf.GradFunc,
      ...(name === 'TopK' ? { outputsToSave: [false, true] } : {}),
    });
  gradient('BatchMatMul', ['a', 'b'], ofProduct(tf));
  gradient('Cumsum', [], ofCumsum(tf));
  gradient('AvgPool', ['x'], ofAverage(tf));
  gradient('MirrorPad', ['x'], ofMirror(tf));
  gradient('StridedSlice', ['x'], ofStrided(tf));
  gradient('TopK', ['x'], ofTopK(tf));
  gradient('GatherNd', ['params', 'indices'], (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices!, dy, params!.shape),
  }));
  gradient('ScatterNd', ['indices'], (dy, [indices]) => ({
    updates: () => tf.gatherND(dy, indices!),
  }));
  gradient('Maximum', ['a', 'b'], ofExtreme(tf, tf.less));
  gradient('Minimum', ['a', 'b'], ofExtreme(tf, tf.greater));
  gradient('Prod', ['x'], ofProd(tf));
  gradient('Unpack', [], (dy, _, { axis }) => ({
    value: () => tf.stack([dy].flat() as Tensor[], axis as number),
  }));
  gradient('SquaredDifference', ['a', 'b'], (dy, [a, b]) => {
    const slope = dy.mul(a!.sub(b!)).mul(2);
    return {
      a: () => reduceTo(tf, slope, a!.shape),
      b: () => reduceTo(tf, slope.neg(), b!.shape),
    };
  });
  for (const name of COMPARISONS) {
    gradient(name, name === 'LogicalNot' ? ['x'] : ['a', 'b'], (_, saved) =>
      name === 'LogicalNot'
        ? { x: () => tf.zeros(saved[0]!.shape) }
        : { a: () => tf.zeros(saved[0]!.shape), b: () => tf.zeros(saved[1]!.shape) },
    );
  }
  const { gradFunc: ofGather } = tf.getGradient('GatherV2')!;
  gradient('GatherV2', ['x', 'indices'], (dy, saved, attrs) => ({
    ...(ofGather(dy, saved, attrs as never) as ReturnType<Gradient>),
    indices: () => tf.zeros(saved[1]!.shape),
  }));
  broadcastProducts(tf);
  countAxesFromEnd(tf);
}
/** Flat everywhere, but a tape that passes through a condition asks for their gradients. */
const COMPARISONS = [
  ...['Equal', 'Greater', 'Less', 'LessEqual', 'NotEqual'],
  ...['LogicalAnd', 'LogicalNot', 'LogicalOr'],
];

/** Sums a gradient over the axes along which its tensor was broadcast. */
function reduceTo(tf: TF, x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((side, i) => (i < lead || shape[i - lead] !== side ? [i] : []));
  return (axes.length > 0 ? tf.sum(x, axes) : x).reshape([...shape]);
}

/** The gradient goes to the operand that was taken, at a tie to the first. */
function ofExtreme(tf: TF, second: (a: Tensor, b: Tensor) => Tensor): Gradient {
  return (dy, [a, b]) => {
    const part = tf.cast(second(a!, b!), 'float32');
    return {
      a: () => reduceTo(tf, dy.mul(tf.scalar(1).sub(part)), a!.shape),
      b: () => reduceTo(tf, dy.mul(part), b!.shape),
    };
  };
}

/** dy times the product of all the others, which holds where a factor is zero too. */
function ofProd(tf: TF): Gradient {
  return (dy, [x], { axis }) => ({
    x: () => {
      const axes = tf.util.parseAxisParam(axis as number[], x!.shape);
      const order = [...x!.shape.keys()].filter((i) => !axes.includes(i)).concat(axes);
      const count = axes.reduce((product, i) => product * x!.shape[i]!, 1);
      const moved = x!.transpose(order);
      const rows = moved.reshape([x!.size / count, 1, count]);
      const others = tf.where(tf.eye(count).toBool(), tf.onesLike(rows), rows).prod(-1);
      const dx = others.mul(dy.reshape([x!.size / count, 1]));
      return dx.reshape(moved.shape).transpose(x!.shape.map((_, i) => order.indexOf(i)));
    },
  });
}

function ofProduct(tf: TF): Gradient {
  return (dy, [a, b], attrs) => {
    const [turnA, turnB] = [attrs.transposeA as boolean, attrs.transposeB as boolean];
    return {
      a: () => {
        const da = turnA ? tf.matMul(b!, dy, turnB, true) : tf.matMul(dy, b!, false, !turnB);
        return reduceTo(tf, da, a!.shape);
      },
      b: () => {
        const db = turnB ? tf.matMul(dy, a!, true, turnA) : tf.matMul(a!, dy, !turnA, false);
        return reduceTo(tf, db, b!.shape);
      },
    };
  };
}

function ofCumsum(tf: TF): Gradient {
  return (dy, _, { axis, exclusive, reverse }) => ({
    x: () => tf.cumsum(dy, axis as number, exclusive as boolean, !reverse),
  });
}

/** Each mean's gradient is shared by the pixels that were really under its window. */
function ofAverage(tf: TF): Gradient {
  return (dy, [x], { filterSize, strides, pad, dimRoundingMode }) => ({
    x: () => {
      const shape = x!.shape as [number, number, number, number];
      const info = tf.backend_util.computePool2DInfo(
        shape,
        filterSize as number,
        strides as number,
        1,
        pad as number,
        dimRoundingMode as 'floor',
      );
      const { filterHeight, filterWidth } = info;
      const filter = tf.ones([filterHeight, filterWidth, shape[3], 1]);
      const inputs = { dy: dy.div(pixelsUnder(tf, info)), filter };
      const attrs = { strides, pad, dilations: [1, 1], dimRoundingMode, inputShape: shape };
      const kernel = 'DepthwiseConv2dNativeBackpropInput';
      return tf.engine().runKernel(kernel, inputs, attrs as unknown as Tf.NamedAttrMap) as Tensor;
    },
  });
}

/** How many pixels of the picture lie under each window: [1, H, W, 1]. */
function pixelsUnder(tf: TF, info: Tf.backend_util.Conv2DInfo): Tensor {
  const along = (count: number, stride: number, before: number, window: number, side: number) =>
    Array.from({ length: count }, (_, i) => {
      const start = i * stride - before;
      return Math.min(start + window, side) - Math.max(start, 0);
    });
  const { outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const rows = along(outHeight, strideHeight, padInfo.top, info.filterHeight, info.inHeight);
  const columns = along(outWidth, strideWidth, padInfo.left, info.filterWidth, info.inWidth);
  const counts = rows.flatMap((row) => columns.map((column) => row * column));
  return tf.tensor(counts, [1, outHeight, outWidth, 1]);
}

/** Zeros with the slices of `x` along `axis` added at `places`: the transpose of a gather. */
function addAlong(tf: TF, x: Tensor, places: number[], axis: number, side: number): Tensor {
  const order = [axis, ...x.shape.flatMap((_, i) => (i === axis ? [] : [i]))];
  const back = x.shape.map((_, i) => order.indexOf(i));
  const added = tf.unsortedSegmentSum(x.transpose(order), tf.tensor1d(places, 'int32'), side);
  return added.transpose(back);
}

function ofMirror(tf: TF): Gradient {
  return (dy, [x], { paddings, mode }) => ({
    x: () => {
      const skip = mode === 'reflect' ? 0 : 1; // 'symmetric' repeats the border itself
      return (paddings as [number, number][]).reduce((sum, [before, after], axis) => {
        if (before + after === 0) return sum;
        const side = x!.shape[axis]!;
        const places = Array.from({ length: before + side + after }, (_, i) => {
          const at = i - before;
          return at < 0 ? -at - skip : at < side ? at : 2 * (side - 1) - at + skip;
        });
        return addAlong(tf, sum, places, axis, side);
      }, dy);
    },
  });
}

function ofStrided(tf: TF): Gradient {
  return (dy, [x], attrs) => ({
    x: () => {
      const { begin, end, strides } = attrs as Record<string, number[]>;
      const mask = attrs as Record<string, number>;
      const info = tf.slice_util.sliceInfo(
        x!.shape,
        begin!,
        end!,
        strides!,
        mask.beginMask!,
        mask.endMask!,
        mask.ellipsisMask!,
        mask.newAxisMask!,
        mask.shrinkAxisMask!,
      );
      const counts = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
      return x!.shape.reduce((sum, side, axis) => {
        const places = Array.from(
          { length: counts[axis]! },
          (_, i) => info.begin[axis]! + i * info.strides[axis]!,
        );
        return addAlong(tf, sum, places, axis, side);
      }, dy.reshape(counts));
    },
  });
}

function ofTopK(tf: TF): Gradient {
  return (dy, [x, indices], { k }) => ({
    x: () => {
      const [values] = dy as unknown as [Tensor];
      const side = x!.shape.at(-1)!;
      const rows = x!.size / side;
      const starts = tf.range(0, rows, 1, 'int32').mul(tf.scalar(side, 'int32'));
      const places = indices!.reshape([rows, k as number]).add(starts.reshape([rows, 1]));
      const flat = places.reshape([rows * (k as number)]) as Tf.Tensor1D;
      return tf.unsortedSegmentSum(values.flatten(), flat, x!.size).reshape(x!.shape);
    },
  });
}

/**
 * tfjs's cpu backend takes batches modulo their count, which is broadcasting only along leading
 * axes: [2, 1] with [2, 3] gives wrong products. Repeat such operands first.
 */
function broadcastProducts(tf: TF): void {
  const cpu = { kernelName: 'BatchMatMul', backendName: 'cpu' };
  const product = tf.getKernel(cpu.kernelName, cpu.backendName).kernelFunc;
  const tile = tf.getKernel('Tile', 'cpu').kernelFunc;
  tf.unregisterKernel(cpu.kernelName, cpu.backendName);
  tf.registerKernel({
    ...cpu,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const { a, b } = inputs as { a: Tf.TensorInfo; b: Tf.TensorInfo };
      const batch = tf.backend_util.assertAndGetBroadcastShape(
        a.shape.slice(0, -2),
        b.shape.slice(0, -2),
      );
      const repeated: Tf.TensorInfo[] = [];
      const whole = (x: Tf.TensorInfo): Tf.TensorInfo => {
        const shape = [...Array(batch.length + 2 - x.shape.length).fill(1), ...x.shape];
        const reps = shape.map((side, i) => (side === 1 && i < batch.length ? batch[i]! : 1));
        if (reps.every((times) => times === 1)) return x;
        const result = tile({ inputs: { x: { ...x, shape } }, backend, attrs: { reps } });
        repeated.push(result as Tf.TensorInfo);
        return result as Tf.TensorInfo;
      };
      const result = product({ inputs: { a: whole(a), b: whole(b) }, backend, attrs: attrs! });
      for (const info of repeated) (backend as Tf.KernelBackend).disposeData(info.dataId);
      return result;
    },
  });
}

/** tfjs's cpu backend takes no negative axis for a cumulative sum. */
function countAxesFromEnd(tf: TF): void {
  const cpu = { kernelName: 'Cumsum', backendName: 'cpu' };
  const sum = tf.getKernel(cpu.kernelName, cpu.backendName).kernelFunc;
  tf.unregisterKernel(cpu.kernelName, cpu.backendName);
  tf.registerKernel({
    ...cpu,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const [axis] = tf.util.parseAxisParam(attrs!.axis as number, (inputs.x as Tensor).shape);
      return sum({ inputs, backend, attrs: { ...attrs, axis: axis! } });
    },
  });
}
