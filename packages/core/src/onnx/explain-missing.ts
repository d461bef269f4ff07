import { quote } from '../foundation/index.ts';
import type { Range, WireReader } from './wire-reader.ts';

interface Names {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly op: string;
}

/** Why a name is not defined where node `index` reads it: nothing makes it, or a later node, or one that waits for it. */
export function explainMissing(
  reader: WireReader,
  siblings: readonly Range[],
  index: number,
  name: string,
): { readonly what: string; readonly hint: string } {
  let nodes: Names[];
  try {
    nodes = siblings.map((range) => namesOf(reader, range));
  } catch {
    // A later node is broken as well: what can be said is that nothing before this one makes the value.
    return { what: 'which is not defined before it', hint: 'The file is damaged; export or download it again.' };
  }
  const producer = nodes.findIndex(({ outputs }) => outputs.includes(name));
  if (producer < 0)
    return {
      what: 'which nothing makes: no input, initializer or node of this graph or of one around it',
      hint: 'The model was cut or edited wrongly; export it again.',
    };
  const maker = `node ${quote((nodes[producer] as Names).op).slice(1, -1)} (number ${producer})`;
  if (producer === index || dependsOn(nodes, producer, index))
    return {
      what: `which ${maker} makes out of this node's own output: a cycle`,
      hint: 'No runtime can run it; export the model again.',
    };
  return {
    what: `which only ${maker} after it makes: the nodes are not in order`,
    hint: 'ONNX wants nodes in the order of execution; sort them, or export the model again.',
  };
}

/** True when `from` needs, over any number of nodes, an output of `target`. */
function dependsOn(nodes: readonly Names[], from: number, target: number): boolean {
  const makers = new Map(nodes.flatMap(({ outputs }, index) => outputs.map((name) => [name, index] as const)));
  const seen = new Set([from]);
  for (const index of seen) {
    for (const input of nodes[index]?.inputs ?? []) {
      const maker = makers.get(input);
      if (maker === target) return true;
      if (maker !== undefined) seen.add(maker);
    }
  }
  return false;
}

function namesOf(reader: WireReader, { offset, byteLength }: Range): Names {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let op = '';
  const end = offset + byteLength;
  reader.position = offset;
  while (reader.next(end)) {
    if (reader.field === 1) inputs.push(reader.name(end));
    else if (reader.field === 2) outputs.push(reader.name(end));
    else if (reader.field === 4) op = reader.name(end);
    else reader.skip(end);
  }
  return { inputs, outputs, op };
}
