/**
 * What ONNX Runtime 1.30's webgpu provider computes wrongly or refuses: done in other ops, or on the
 * CPU. test/system/webgpu.test.ts runs every kernel, so it fails when one of these is left out.
 */
import type { Constant, Graph, Node } from '../trace/graph.ts';

/** The names of the nodes of a graph that must not run on webgpu (a node is named as its first output). */
export function cpuNodesOf(graph: Graph): string[] {
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]));
  return graph.nodes.filter((node) => isWrong(node, constants)).map((node) => node.outputs[0]!);
}

function isWrong(
  { op, inputs, outputs, attributes }: Node,
  constants: ReadonlyMap<string, Constant>,
): boolean {
  switch (op) {
    case 'Slice': {
      // Steps below zero start at the wrong place.
      const steps = constants.get(inputs[4] ?? '');
      return steps !== undefined && integersOf(steps).some((step) => step < 0);
    }
    case 'ConvTranspose':
      // Groups of more than one channel are added up wrongly.
      return attributes.group !== undefined && attributes.group !== 1;
    case 'MaxPool':
      // It cannot tell where the maxima were.
      return outputs.length > 1;
    default:
      return false;
  }
}

const integersOf = ({ bytes }: Constant): BigInt64Array => new BigInt64Array(bytes.slice().buffer);

/**
 * Norms leave their second result, one over the deviation, unwritten. Gradients need it, so it is
 * computed by nodes of its own, which a CPU would be slower with.
 */
export function completeNorms(graph: Graph): void {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const node of graph.nodes.splice(0)) {
    const inverse = inverseOf(node);
    if (inverse === undefined || !used.has(inverse)) {
      graph.nodes.push(node);
      continue;
    }
    graph.nodes.push({ ...node, outputs: node.outputs.slice(0, 1) });
    const deviation = deviationOf(graph, node);
    const attributes = {};
    graph.nodes.push({
      op: 'Reciprocal',
      domain: '',
      inputs: [deviation],
      outputs: [inverse],
      attributes,
    });
  }
}

function inverseOf({ op, outputs }: Node): string | undefined {
  if (op === 'LayerNormalization') return outputs[2];
  return op === 'SimplifiedLayerNormalization' ? outputs[1] : undefined;
}

/** sqrt(var + eps) of a layer norm's input over its last axis; of an RMS norm's without the mean. */
function deviationOf(graph: Graph, { op, inputs, attributes }: Node): string {
  const x = inputs[0]!;
  const { float: eps } = attributes.epsilon as { float: number };
  const mean = (value: string) =>
    graph.node('ReduceMean', [value, graph.ints([-1])], { keepdims: 1 });
  const centred = op === 'LayerNormalization' ? graph.node('Sub', [x, mean(x)]) : x;
  const variance = mean(graph.node('Mul', [centred, centred]));
  return graph.node('Sqrt', [graph.node('Add', [variance, graph.scalar(eps)])]);
}
