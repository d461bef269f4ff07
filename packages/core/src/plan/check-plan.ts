import { nearestNames } from '../foundation/index.ts';

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything about a JSON value that keeps it from being a plan, each with its place. */
export function checkPlan(json: unknown, problems: string[]): void {
  if (!isObject(json)) {
    problems.push('it is not an object');
    return;
  }
  const keys = ['version', 'target', 'features', 'recipe', 'valueInfo', 'entries', 'activations', 'form', 'costTable'];
  checkKeys(json, keys, '', problems);
  if (json.version !== 1) problems.push(`version: expected 1, got ${JSON.stringify(json.version)}`);
  oneOf(json.valueInfo, ['keep', 'write', 'drop'], 'valueInfo', problems);
  for (const key of ['target', 'recipe']) if (typeof json[key] !== 'string') problems.push(`${key}: expected text`);
  if (!Array.isArray(json.features)) problems.push('features: expected a list');
  if (json.form !== undefined) oneOf(json.form, ['qdq', 'qoperator'], 'form', problems);
  checkList(json.entries, 'entries', problems, checkEntry);
  if (json.activations !== undefined) checkList(json.activations, 'activations', problems, checkActivation);
}

type Check = (fields: Fields, at: string, problems: string[]) => void;

function checkList(list: unknown, at: string, problems: string[], check: Check): void {
  if (!Array.isArray(list)) problems.push(`${at}: expected a list`);
  else for (const [index, item] of list.entries()) checkObject(item, `${at}[${index}]`, problems, check);
}

function checkObject(value: unknown, at: string, problems: string[], check: Check): void {
  if (isObject(value)) check(value, at, problems);
  else problems.push(`${at}: expected an object`);
}

function checkEntry(entry: Fields, at: string, problems: string[]): void {
  checkKeys(entry, ['id', 'op', 'weight', 'decision', 'reads', 'writes'], at, problems);
  if (typeof entry.id !== 'string') problems.push(`${at}.id: expected text`);
  if (typeof entry.op !== 'string') problems.push(`${at}.op: expected text`);
  for (const key of ['reads', 'writes'] as const) {
    const ids = entry[key];
    if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
      problems.push(`${at}.${key}: expected a list of texts`);
  }
  checkObject(entry.decision, `${at}.decision`, problems, checkDecision);
}

function checkDecision(decision: Fields, at: string, problems: string[]): void {
  if (!oneOf(decision.action, ['matmul', 'conv', 'embedding', 'static', 'float'], `${at}.action`, problems)) return;
  if (decision.action === 'float') {
    checkKeys(decision, ['action', 'reason'], at, problems);
    if (!isObject(decision.reason) || typeof decision.reason.text !== 'string')
      problems.push(`${at}.reason: expected code and text`);
    return;
  }
  const key = decision.action === 'embedding' ? 'table' : 'weight';
  checkKeys(decision, ['action', key, 'capability'], at, problems);
  if (typeof decision.capability !== 'string') problems.push(`${at}.capability: expected text`);
  // What has no weight can be static too.
  if (decision.action === 'static' && decision.weight === undefined) return;
  checkObject(decision[key], `${at}.${key}`, problems, key === 'weight' ? checkWeight : checkTable);
}

function checkWeight(scheme: Fields, at: string, problems: string[]): void {
  oneOf(scheme.elementType, ['int8', 'uint8', 'int4'], `${at}.elementType`, problems);
  oneOf(scheme.granularity, ['tensor', 'channel'], `${at}.granularity`, problems);
  oneOf(scheme.range, ['full', 'reduced', 'pair-aware'], `${at}.range`, problems);
}

function checkTable(scheme: Fields, at: string, problems: string[]): void {
  oneOf(scheme.elementType, ['int8', 'uint8'], `${at}.elementType`, problems);
  oneOf(scheme.granularity, ['tensor', 'row'], `${at}.granularity`, problems);
}

function checkActivation(activation: Fields, at: string, problems: string[]): void {
  checkKeys(activation, ['id', 'scheme', 'parameters'], at, problems);
  if (typeof activation.id !== 'string') problems.push(`${at}.id: expected text`);
  checkObject(activation.scheme, `${at}.scheme`, problems, checkScheme);
  checkObject(activation.parameters, `${at}.parameters`, problems, checkParameters);
}

function checkScheme(scheme: Fields, at: string, problems: string[]): void {
  checkKeys(scheme, ['elementType', 'symmetric'], at, problems);
  oneOf(scheme.elementType, ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'int4'], `${at}.elementType`, problems);
  if (typeof scheme.symmetric !== 'boolean') problems.push(`${at}.symmetric: expected true or false`);
}

const fieldsOf = { own: [], fixed: ['scale', 'zeroPoint'], shared: ['with'] } as const;

function checkParameters(parameters: Fields, at: string, problems: string[]): void {
  const { kind, scale, zeroPoint } = parameters;
  if (!oneOf(kind, Object.keys(fieldsOf), `${at}.kind`, problems)) return;
  checkKeys(parameters, ['kind', ...fieldsOf[kind as keyof typeof fieldsOf]], at, problems);
  if (kind === 'shared' && typeof parameters.with !== 'string') problems.push(`${at}.with: expected text`);
  if (kind !== 'fixed') return;
  if (!(typeof scale === 'number' && Number.isFinite(scale) && scale > 0))
    problems.push(`${at}.scale: expected a positive number, got ${JSON.stringify(scale)}`);
  if (!Number.isInteger(zeroPoint))
    problems.push(`${at}.zeroPoint: expected an integer, got ${JSON.stringify(zeroPoint)}`);
}

function oneOf(value: unknown, allowed: readonly string[], at: string, problems: string[]): boolean {
  if (typeof value === 'string' && allowed.includes(value)) return true;
  const near = typeof value === 'string' ? nearestNames(value, allowed, 1)[0] : undefined;
  problems.push(
    `${at}: expected ${allowed.join(', ')}, got ${JSON.stringify(value)}${near ? ` (did you mean ${near}?)` : ''}`,
  );
  return false;
}

function checkKeys(fields: Fields, allowed: readonly string[], at: string, problems: string[]): void {
  for (const key of Object.keys(fields)) {
    if (allowed.includes(key)) continue;
    const near = nearestNames(key, allowed, 1)[0];
    problems.push(`${at ? `${at}.` : ''}${key}: unknown key${near ? ` (did you mean ${near}?)` : ''}`);
  }
}
