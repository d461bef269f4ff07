import { quote } from '../foundation/index.ts';
import { type Graph, type OpsetImport, walkNodes } from '../ir/index.ts';
import { costs } from './limits.ts';
import { originals } from './originals.ts';
import type { ReadContext } from './read-context.ts';
import type { Range } from './wire-reader.ts';

/** The latest that this version was written for; operators of a later opset may mean something else. */
export const newestOpset = 28;

const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

/** OperatorSetIdProto of a range. @throws E_MODEL_INVALID, E_UNSUPPORTED_OPSET */
export function readOpsetImport(context: ReadContext, range: Range): OpsetImport {
  const { reader } = context;
  const after = reader.position;
  // Kept in a weak map, whose entries are costly to collect.
  context.budget.spend(costs.graph);
  const end = range.offset + range.byteLength;
  let domain = '';
  let version: number | bigint = 0;
  reader.position = range.offset;
  while (reader.next(end)) {
    if (reader.field === 1) domain = reader.name(end);
    else if (reader.field === 2) version = reader.int64();
    else reader.skip(end);
  }
  reader.position = after;
  checkVersion(context, domain, version);
  const entry: OpsetImport = { domain, version: Number(version) };
  originals.opsetImports.set(entry, range);
  return entry;
}

function checkVersion(context: ReadContext, domain: string, version: number | bigint): void {
  const shown = isStandard(domain) ? 'the standard domain' : `domain ${quote(domain)}`;
  if (version < 1 || typeof version === 'bigint')
    throw context.invalid(`it imports opset ${version} of ${shown}, expected 1 or more`, undefined, { domain });
  if (!isStandard(domain) || version <= newestOpset) return;
  throw context.refused(
    'E_UNSUPPORTED_OPSET',
    `it imports opset ${version} of the standard domain; this version knows up to ${newestOpset}`,
    'Update Optimum, or export the model for an earlier opset.',
    { domain, expected: newestOpset, actual: version },
  );
}

/** @throws E_MODEL_INVALID when a domain has two versions, or a node is of the standard domain and none is imported */
export function checkOpsets(context: ReadContext, imports: readonly OpsetImport[], graph: Graph): void {
  const versions = new Map<string, number>();
  for (const { domain, version } of imports) {
    const key = isStandard(domain) ? '' : domain;
    const before = versions.get(key);
    if (before !== undefined && before !== version)
      throw context.invalid(
        `domain ${quote(domain)} is imported twice, with opset ${before} and with opset ${version}`,
      );
    versions.set(key, version);
  }
  if (versions.has('')) return;
  for (const node of walkNodes(graph)) {
    if (node.domain !== '') continue;
    const name = node.name ? ` ${quote(node.name)}` : '';
    throw context.invalid(
      `node ${node.op}${name} is of the standard domain, of which no opset is imported`,
      'Export the model again; without an opset nobody knows what its operators mean.',
      { node: node.name, op: node.op },
    );
  }
}
