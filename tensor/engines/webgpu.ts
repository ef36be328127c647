/**
 * What ONNX Runtime 1.30's webgpu provider computes wrongly or refuses; such nodes run on the CPU.
 * test/system/webgpu.test.ts runs every kernel, so it fails when one of these is left out.
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
