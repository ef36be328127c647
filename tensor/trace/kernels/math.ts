/** Element-wise kernels and casts. */
import { tf } from '../../tf.ts';
import { kernel } from '../backend.ts';
import { ELEMENT, type ElementType } from '../graph.ts';
import { emit, graph, type TensorInfo } from '../recording.ts';

const broadcast = (a: TensorInfo, b: TensorInfo): number[] =>
  tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);

const BINARY = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Pow: 'Pow',
  Maximum: 'Max',
  Minimum: 'Min',
} as const;
for (const [name, op] of Object.entries(BINARY)) {
  kernel(name, ({ a, b }) => emit(op, [a!, b!], broadcast(a!, b!), a!.dtype));
}

const COMPARE = {
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  LogicalAnd: 'And',
  LogicalOr: 'Or',
} as const;
for (const [name, op] of Object.entries(COMPARE)) {
  kernel(name, ({ a, b }) => emit(op, [a!, b!], broadcast(a!, b!), 'bool'));
}
/** ONNX Runtime compares equality of bools, int32 and float32 alike. */
kernel('Equal', ({ a, b }) => emit('Equal', [a!, b!], broadcast(a!, b!), 'bool'));
kernel('NotEqual', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  return emit('Not', [emit('Equal', [a!, b!], shape, 'bool')], shape, 'bool');
});
kernel('LogicalNot', ({ x }) => emit('Not', [x!], x!.shape, 'bool'));

const UNARY = {
  Abs: 'Abs',
  Ceil: 'Ceil',
  Cos: 'Cos',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Identity: 'Identity',
  Log: 'Log',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Round: 'Round',
  Sigmoid: 'Sigmoid',
  Sign: 'Sign',
  Sin: 'Sin',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tan: 'Tan',
  Tanh: 'Tanh',
  Atan: 'Atan',
  Asin: 'Asin',
  Acos: 'Acos',
  Sinh: 'Sinh',
  Cosh: 'Cosh',
  Asinh: 'Asinh',
  Acosh: 'Acosh',
  Atanh: 'Atanh',
} as const;
for (const [name, op] of Object.entries(UNARY)) {
  kernel(name, ({ x }) => emit(op, [x!], x!.shape, x!.dtype));
}
kernel('IsInf', ({ x }) => emit('IsInf', [x!], x!.shape, 'bool'));
kernel('IsFinite', ({ x }) => {
  const [nan, infinite] = ['IsNaN', 'IsInf'].map((op) => emit(op, [x!], x!.shape, 'bool'));
  return emit('Not', [emit('Or', [nan!, infinite!], x!.shape, 'bool')], x!.shape, 'bool');
});
kernel('IsNan', ({ x }) => emit('IsNaN', [x!], x!.shape, 'bool'));
kernel('Square', ({ x }) => emit('Mul', [x!, x!], x!.shape, x!.dtype));
kernel('Rsqrt', ({ x }) =>
  emit('Reciprocal', [emit('Sqrt', [x!], x!.shape, x!.dtype)], x!.shape, x!.dtype),
);
kernel('Log1p', ({ x }) =>
  emit('Log', [emit('Add', [x!, graph().scalar(1)], x!.shape, x!.dtype)], x!.shape, x!.dtype),
);
kernel('Expm1', ({ x }) =>
  emit('Sub', [emit('Exp', [x!], x!.shape, x!.dtype), graph().scalar(1)], x!.shape, x!.dtype),
);
kernel('SquaredDifference', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  const difference = emit('Sub', [a!, b!], shape, a!.dtype);
  return emit('Mul', [difference, difference], shape, a!.dtype);
});
/** tfjs divides rounding down; ONNX's integer Div rounds towards zero, so divide as floats. */
kernel('FloorDiv', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  const asFloat = (x: TensorInfo) => emit('Cast', [x], x.shape, 'float32', { to: ELEMENT.float32 });
  const floor = emit(
    'Floor',
    [emit('Div', [asFloat(a!), asFloat(b!)], shape, 'float32')],
    shape,
    'float32',
  );
  return emit('Cast', [floor], shape, a!.dtype, { to: ELEMENT[a!.dtype as ElementType] });
});
/** The result has the divisor's sign in tfjs and in ONNX's float-capable form of Mod alike. */
kernel('Mod', ({ a, b }) => {
  const shape = broadcast(a!, b!);
  if (a!.dtype === 'int32') return emit('Mod', [a!, b!], shape, 'int32');
  const times = emit('Floor', [emit('Div', [a!, b!], shape, 'float32')], shape, 'float32');
  return emit('Sub', [a!, emit('Mul', [times, b!], shape, 'float32')], shape, 'float32');
});
kernel<{ alpha: number }>('LeakyRelu', ({ x }, { alpha }) =>
  emit('LeakyRelu', [x!], x!.shape, x!.dtype, { alpha: { float: alpha } }),
);
kernel<{ alpha: number }>('Step', ({ x }, { alpha }) => {
  const positive = emit('Greater', [x!, graph().scalar(0)], x!.shape, 'bool');
  return emit('Where', [positive, graph().scalar(1), graph().scalar(alpha)], x!.shape, 'float32');
});
kernel<{ clipValueMin: number; clipValueMax: number }>('ClipByValue', ({ x }, attrs) => {
  const limits = [attrs.clipValueMin, attrs.clipValueMax].map((limit) =>
    graph().scalar(limit, x!.dtype as 'float32' | 'int32'),
  );
  return emit('Clip', [x!, ...limits], x!.shape, x!.dtype);
});
kernel('Relu6', ({ x }) => {
  const limits = [0, 6].map((limit) => graph().scalar(limit, x!.dtype as 'float32' | 'int32'));
  return emit('Clip', [x!, ...limits], x!.shape, x!.dtype);
});
kernel('Elu', ({ x }) => emit('Elu', [x!], x!.shape, 'float32'));
/** From the result y of Elu: the slope is 1 where y >= 0, elsewhere e^x = y + 1. */
kernel('EluGrad', ({ dy, y }) => {
  const positive = emit('GreaterOrEqual', [y!, graph().scalar(0)], y!.shape, 'bool');
  const slope = emit('Add', [y!, graph().scalar(1)], y!.shape, 'float32');
  const inner = emit('Mul', [dy!, slope], y!.shape, 'float32');
  return emit('Where', [positive, dy!, inner], y!.shape, 'float32');
});
kernel('Selu', ({ x }) => emit('Selu', [x!], x!.shape, 'float32'));
kernel('Prelu', ({ x, alpha }) => emit('PRelu', [x!, alpha!], x!.shape, 'float32'));
kernel<{ dtype: ElementType }>('Cast', ({ x }, { dtype }) =>
  x!.dtype === dtype
    ? emit('Identity', [x!], x!.shape, dtype as 'float32')
    : emit('Cast', [x!], x!.shape, dtype as 'float32', { to: ELEMENT[dtype] }),
);
kernel('AddN', (inputs) => {
  const terms = Object.values(inputs);
  return emit('Sum', terms, terms[0]!.shape, terms[0]!.dtype);
});
kernel('Select', ({ condition, t, e }) =>
  emit('Where', [sameRank(condition!, t!), t!, e!], t!.shape, t!.dtype),
);
/** tfjs lets a vector choose whole rows of its operands. */
function sameRank(condition: TensorInfo, like: TensorInfo): TensorInfo {
  if (condition.shape.length === like.shape.length) return condition;
  const shape = [condition.shape[0] ?? 1, ...like.shape.slice(1).map(() => 1)];
  return emit('Reshape', [condition, graph().ints(shape)], shape, 'bool');
}
