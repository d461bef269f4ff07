import { OptimumError, readBytes } from '../foundation/index.ts';
import { type Attribute, type Graph, Node, type Value, type ValueType } from '../ir/index.ts';
import type { Budget } from './limits.ts';
import { originals, type UnknownField, type ValueInfoRecord } from './originals.ts';
import { readAttribute } from './read-attribute.ts';
import { type OpenExternal, readEntry, readTensor } from './read-tensor.ts';
import { nested, readType } from './read-type.ts';
import { Scope } from './scope.ts';
import type { Range, WireReader } from './wire-reader.ts';

/** What a GraphProto holds: small parts decoded, nodes as ranges, so that they can be built when names are known. */
interface Contents {
  readonly nodes: Range[];
  readonly inputs: Range[];
  readonly outputs: Range[];
  readonly valueInfo: Range[];
  readonly initializers: Range[];
  readonly unknown: UnknownField[];
}

interface ValueInfo {
  readonly name: string;
  readonly type: ValueType | undefined;
  readonly range: Range;
}

/** Reads graphs of one file. */
export class GraphReader {
  readonly reader: WireReader;
  readonly budget: Budget;
  readonly openExternal: OpenExternal | undefined;

  constructor(reader: WireReader, budget: Budget, openExternal: OpenExternal | undefined) {
    this.reader = reader;
    this.budget = budget;
    this.openExternal = openExternal;
  }

  /** GraphProto from one or more encoded pieces (protobuf merges a message that is split). */
  readGraph(pieces: readonly Range[], graph: Graph, outer: Scope | undefined, depth: number): Graph {
    this.budget.object();
    // A graph sits in an attribute, in a node, in a graph: three messages a level.
    this.budget.depth(depth * 3);
    const scope = new Scope(this.reader.source.name, outer);
    const after = this.reader.position;
    const contents = this.#contents(pieces, graph);
    const inputs = this.#inputs(contents, graph, scope);
    this.#initializers(contents, graph, scope);
    this.readNodes(contents.nodes, graph, scope, depth);
    const outputs = this.#outputs(contents, graph, scope);
    const valueInfo = this.readValueInfos(contents.valueInfo, scope);
    originals.graphs.set(graph, { inputs, outputs, valueInfo, unknown: contents.unknown });
    this.reader.position = after;
    return graph;
  }

  /** Nodes in file order. @throws E_MODEL_INVALID when one reads what is not defined before it */
  readNodes(ranges: readonly Range[], graph: Graph, scope: Scope, depth: number): void {
    for (const { offset, byteLength } of ranges) {
      this.reader.position = offset;
      graph.append(this.#node(offset + byteLength, scope, depth));
    }
  }

  /** Types of inner values, put on the values that exist. */
  readValueInfos(ranges: readonly Range[], scope: Scope): ValueInfoRecord[] {
    return ranges.map((range) => {
      const { name, type } = this.#valueInfo(range);
      const value = scope.own(name);
      const isInner = value?.origin.kind === 'output' && !value.isGraphOutput;
      if (value && isInner && !value.type) value.type = type;
      return { range, name, type: value ? value.type : type, value };
    });
  }

  bytesOf({ source, offset, byteLength }: Range): Uint8Array {
    return readBytes(source, offset, byteLength);
  }

  invalid(what: string): OptimumError {
    const file = this.reader.source.name;
    return new OptimumError('E_MODEL_INVALID', `${file}: ${what}.`, { context: { file } });
  }

  #contents(pieces: readonly Range[], graph: Graph): Contents {
    const contents: Contents = { nodes: [], inputs: [], outputs: [], valueInfo: [], initializers: [], unknown: [] };
    for (const { offset, byteLength } of pieces) {
      this.reader.position = offset;
      const end = offset + byteLength;
      while (this.reader.next(end)) this.#graphField(end, graph, contents);
    }
    return contents;
  }

  #graphField(end: number, graph: Graph, contents: Contents): void {
    const { reader } = this;
    this.budget.object();
    switch (reader.field) {
      case 1:
        contents.nodes.push(reader.range(end));
        break;
      case 2:
        graph.name = reader.string(end);
        break;
      case 5:
        contents.initializers.push(reader.range(end));
        break;
      case 10:
        graph.docString = reader.string(end);
        break;
      case 11:
        contents.inputs.push(reader.range(end));
        break;
      case 12:
        contents.outputs.push(reader.range(end));
        break;
      case 13:
        contents.valueInfo.push(reader.range(end));
        break;
      case 16:
        readEntry(reader, nested(reader, end), graph.metadata);
        break;
      default:
        contents.unknown.push({ field: reader.field, range: reader.skip(end) });
    }
  }

  #inputs(contents: Contents, graph: Graph, scope: Scope): ValueInfoRecord[] {
    return contents.inputs.map((range) => {
      const { name, type } = this.#valueInfo(range);
      const value = scope.declare(name);
      value.type = type;
      graph.addInput(value);
      return { range, name, type, value };
    });
  }

  #initializers(contents: Contents, graph: Graph, scope: Scope): void {
    for (const { offset, byteLength } of contents.initializers) {
      this.reader.position = offset;
      const { tensor, name } = readTensor(this.reader, offset + byteLength, this.budget, this.openExternal);
      if (!name) throw this.invalid(`an initializer at byte ${offset} has no name`);
      const input = scope.own(name);
      if (input && graph.initializers.has(input)) throw this.invalid(`there are two initializers "${name}"`);
      graph.addInitializer(tensor, name, input ?? scope.declare(name));
    }
    for (const { field, range } of contents.unknown) if (field === 15) this.#sparse(range, scope);
  }

  /** A sparse initializer stays encoded; its name (that of its values tensor) is defined. */
  #sparse(range: Range, scope: Scope): void {
    const { reader } = this;
    reader.position = range.offset;
    const end = range.offset + range.byteLength;
    reader.next(end);
    const last = nested(reader, end);
    while (reader.next(last)) {
      if (reader.field !== 1) reader.skip(last);
      else scope.declare(readTensor(reader, nested(reader, last), this.budget, this.openExternal).name ?? '');
    }
  }

  #outputs(contents: Contents, graph: Graph, scope: Scope): ValueInfoRecord[] {
    return contents.outputs.map((range) => {
      const { name, type } = this.#valueInfo(range);
      const value = scope.lookUp(name);
      if (!value) throw this.invalid(`graph output "${name}" is made by no node`);
      if (!value.type) value.type = type;
      graph.addOutput(value);
      return { range, name, type: value.type, value };
    });
  }

  #valueInfo(range: Range): ValueInfo {
    const { reader } = this;
    reader.position = range.offset;
    const end = range.offset + range.byteLength;
    let name = '';
    let type: ValueType | undefined;
    while (reader.next(end)) {
      if (reader.field === 1) name = reader.string(end, this.budget.limits.nameByteLength);
      else if (reader.field === 2) type = readType(reader, nested(reader, end), this.budget, 4) ?? type;
      else reader.skip(end);
    }
    return { name, type, range };
  }

  #node(end: number, scope: Scope, depth: number): Node {
    const { reader } = this;
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes = new Map<string, Attribute>();
    const metadata = new Map<string, string>();
    const unknown: Range[] = [];
    let op = '';
    let name: string | undefined;
    let domain: string | undefined;
    let overload: string | undefined;
    let docString: string | undefined;
    while (reader.next(end)) {
      switch (reader.field) {
        case 1:
          inputs.push(this.#name(end));
          break;
        case 2:
          outputs.push(this.#name(end));
          break;
        case 3:
          name = this.#name(end);
          break;
        case 4:
          op = this.#name(end);
          break;
        case 5:
          this.#attribute(end, scope, depth, attributes);
          break;
        case 6:
          docString = reader.string(end);
          break;
        case 7:
          domain = this.#name(end);
          break;
        case 8:
          overload = reader.string(end);
          break;
        case 9:
          readEntry(reader, nested(reader, end), metadata);
          break;
        default:
          unknown.push(reader.skip(end));
      }
    }
    const node = new Node(op, {
      domain: domain ?? '',
      name,
      docString,
      attributes,
      metadata,
      ...(overload !== undefined && { overload }),
      inputs: inputs.map((input) => this.#read(input, scope, op, name)),
      outputs: outputs.map((output) => (output === '' ? undefined : scope.declare(output))),
    });
    originals.nodes.set(node, { hasDomain: domain !== undefined, unknown });
    return node;
  }

  #name(end: number): string {
    this.budget.object();
    return this.reader.string(end, this.budget.limits.nameByteLength);
  }

  #read(name: string, scope: Scope, op: string, node: string | undefined): Value | undefined {
    if (name === '') return undefined;
    const value = scope.lookUp(name);
    if (value) return value;
    throw this.invalid(`node ${op} "${node ?? ''}" reads "${name}", which is not defined before it`);
  }

  #attribute(end: number, scope: Scope, depth: number, attributes: Map<string, Attribute>): void {
    const last = nested(this.reader, end);
    const [name, attribute] = readAttribute(this, last, scope, depth);
    if (attributes.has(name)) throw this.invalid(`attribute "${name}" is there twice`);
    attributes.set(name, attribute);
    this.reader.position = last;
  }
}
