import { type Attribute, Graph, Model, type ModelFunction, type OpsetImport } from '../ir/index.ts';
import { NameScope } from './name-scope.ts';
import { parseInt64 } from './numbers.ts';
import { type AttributeContext, parseAttributeValue } from './parse-attribute.ts';
import { parseBody, parseGraph } from './parse-graph.ts';
import { parseEntries, parseMetadata, parsePairs } from './parse-note.ts';
import { Scanner } from './scanner.ts';

export interface ParseOptions {
  /** What errors call the text; `text` by default. */
  readonly name?: string | undefined;
}

/**
 * A model from the textual syntax of ONNX (onnx/docs/Syntax.md), with what `printModel` adds to it. Every node reads
 * only what stands before it. A weight written as `["elided": "seed"]` gets made-up content, computed when it is asked
 * for and the same for the same type, dims and seed. Types as attribute values and external data are refused.
 *
 * ```ts
 * parseModel('<opset_import: ["": 17]> g (float[N,2] X) => (Y) <float[2,2] W = {1,2,3,4}> { Y = MatMul (X, W) }');
 * ```
 * @throws E_MODEL_INVALID with line and column, E_LIMIT_DEPTH
 */
export function parseModel(text: string, { name = 'text' }: ParseOptions = {}): Model {
  const scanner = new Scanner(text, name);
  const header = parseModelHeader(scanner);
  const model = new Model(parseGraph(scanner, undefined, 0));
  header(model);
  while (scanner.peek().kind !== 'end') model.functions.push(parseFunction(scanner));
  return model;
}

/** The header stands before the graph that a model is made with: what it sets is kept until then. */
function parseModelHeader(scanner: Scanner): (model: Model) => void {
  const settings: ((model: Model) => void)[] = [];
  const text = (set: (model: Model, value: string) => void) => () => {
    const value = scanner.string('a string');
    settings.push((model) => set(model, value));
  };
  const integer = (set: (model: Model, value: number | bigint) => void) => () => {
    const value = parseInteger(scanner);
    settings.push((model) => set(model, value));
  };
  if (scanner.accept('<')) {
    parseEntries(scanner, {
      ir_version: integer((model, value) => (model.irVersion = Number(value))),
      opset_import: () => {
        const imports = parseOpsets(scanner);
        settings.push((model) => model.opsetImports.push(...imports));
      },
      producer_name: text((model, value) => (model.producerName = value)),
      producer_version: text((model, value) => (model.producerVersion = value)),
      domain: text((model, value) => (model.domain = value)),
      model_version: integer((model, value) => (model.modelVersion = value)),
      doc_string: text((model, value) => (model.docString = value)),
      metadata_props: () => {
        const entries = parseMetadata(scanner);
        settings.push((model) => entries.forEach((value, key) => model.metadata.set(key, value)));
      },
    });
    scanner.expect('>');
  }
  return (model) => settings.forEach((set) => set(model));
}

function parseInteger(scanner: Scanner): number | bigint {
  if (scanner.peek().kind !== 'integer') throw scanner.unexpected('a whole number');
  const token = scanner.next();
  const value = parseInt64(token.text);
  if (value === undefined) throw scanner.error(token, `${token.text} does not fit into int64`);
  return value;
}

const parseOpsets = (scanner: Scanner): OpsetImport[] =>
  parsePairs(scanner, () => Number(parseInteger(scanner))).map(([domain, version]) => ({ domain, version }));

interface FunctionHeader {
  domain: string;
  overload: string | undefined;
  opsetImports: OpsetImport[];
}

function parseFunction(scanner: Scanner): ModelFunction {
  const body = new Graph();
  const header = parseFunctionHeader(scanner, body);
  const name = scanner.name('a function').text;
  const scope = new NameScope();
  const { attributes, attributeDefaults } = parseParameters(scanner, scope);
  parseBody(scanner, body, scope, 0);
  return { name, ...header, body, attributes, attributeDefaults };
}

function parseFunctionHeader(scanner: Scanner, body: Graph): FunctionHeader {
  const header: FunctionHeader = { domain: '', overload: undefined, opsetImports: [] };
  if (!scanner.accept('<')) return header;
  parseEntries(scanner, {
    domain: () => {
      header.domain = scanner.string('a string');
    },
    overload: () => {
      header.overload = scanner.string('a string');
    },
    opset_import: () => {
      header.opsetImports = parseOpsets(scanner);
    },
    doc_string: () => {
      body.docString = scanner.string('a string');
    },
    metadata_props: () => {
      for (const [key, value] of parseMetadata(scanner)) body.metadata.set(key, value);
    },
  });
  scanner.expect('>');
  return header;
}

/** `<alpha, beta: float = 1.0>`: attributes that a caller must give, and those with a default. */
function parseParameters(scanner: Scanner, scope: NameScope): Pick<ModelFunction, 'attributes' | 'attributeDefaults'> {
  const attributes: string[] = [];
  const attributeDefaults = new Map<string, Attribute>();
  const context: AttributeContext = {
    scanner,
    scope,
    depth: 0,
    parseSubgraph: (outer, level, name) => parseGraph(scanner, outer, level, name),
  };
  if (scanner.accept('<')) {
    do {
      const name = scanner.name('the name of an attribute').text;
      if (scanner.is(':') || scanner.is('=')) attributeDefaults.set(name, parseAttributeValue(context));
      else attributes.push(name);
    } while (scanner.accept(','));
    scanner.expect('>');
  }
  return { attributes, attributeDefaults };
}
