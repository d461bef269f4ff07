/**
 * @typedef {{ identical: boolean, summary: string, first?: string }} Comparison
 *
 * @typedef {import('./file-facts.mjs').FileFacts} FileFacts
 */

/** Initializers: bit-identical under the same name, or the same bytes under another. @returns {Comparison} */
export function compareTensors(python, ours) {
  const contents = new Set(ours.tensors.values());
  const counts = { same: 0, renamed: 0, differ: 0, missing: 0 };
  let first;
  for (const [name, content] of python.tensors) {
    const other = ours.tensors.get(name);
    const verdict = other === content ? 'same' : other ? 'differ' : contents.has(content) ? 'renamed' : 'missing';
    counts[verdict]++;
    if (verdict === 'differ') first ??= `"${name}": Python ${content}, ours ${other}`;
    if (verdict === 'missing') first ??= `"${name}" (${content}) is not in ours`;
  }
  const unknown = [...ours.tensors.keys()].filter((name) => !python.tensors.has(name));
  const more = Math.max(0, unknown.length - counts.renamed);
  if (more > 0) first ??= `"${unknown[0]}" is not in Python's`;
  return { identical: counts.differ + counts.missing + more === 0, summary: summarize({ ...counts, more }), first };
}

/** `72 same, 3 missing`: counts above 0. */
const summarize = (counts) =>
  Object.entries(counts)
    .filter(([what, count]) => count > 0 || what === 'same')
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');

/** Nodes by operator, attributes and what makes their inputs, whatever their names and order. @returns {Comparison} */
export function compareNodes(python, ours) {
  const left = countBy(ours.nodes, ({ local }) => local);
  const missing = [];
  for (const node of python.nodes) {
    const count = left.get(node.local) ?? 0;
    if (count > 0) left.set(node.local, count - 1);
    else missing.push(node);
  }
  const more = [...left.values()].reduce((sum, count) => sum + count, 0);
  const counts = { same: python.nodes.length - missing.length, missing: missing.length, more };
  const extra = ours.nodes.find(({ local }) => (left.get(local) ?? 0) > 0);
  const first = missing[0] ? `not in ours: ${shownNode(missing[0])}` : extra && `not in Python's: ${shownNode(extra)}`;
  return { identical: missing.length + more === 0, summary: summarize(counts), first };
}

const shownNode = ({ name, local }) => `"${name}" ${local.length > 140 ? `${local.slice(0, 140)}…` : local}`;

function countBy(items, keyOf) {
  const counts = new Map();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** Names of what nodes make. @returns {Comparison} */
export function compareNames(python, ours) {
  const known = new Set(ours.nodes.flatMap(({ outputs }) => outputs));
  const names = python.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
  const missing = names.filter((name) => !known.has(name));
  const counts = { same: names.length - missing.length, missing: missing.length };
  return {
    identical: missing.length === 0,
    summary: summarize(counts),
    first: missing[0] && `"${missing[0]}" is not in ours`,
  };
}

/** The sequence of operators in the files; also without Constant nodes, which Python puts first. @returns {Comparison} */
export function compareOrder(python, ours) {
  const all = firstDifference(python.nodes, ours.nodes);
  if (!all) return { identical: true, summary: 'same' };
  const others = ({ nodes }) => nodes.filter(({ op }) => op !== 'Constant');
  const rest = firstDifference(others(python), others(ours));
  const summary = `from node ${all.index}; without Constants ${rest ? `from node ${rest.index}` : 'same'}`;
  return { identical: false, summary, first: (rest ?? all).text };
}

function firstDifference(python, ours) {
  const shown = (node) => (node ? `${node.op} "${node.name}"` : 'nothing');
  for (let index = 0; index < Math.max(python.length, ours.length); index++) {
    const [theirs, own] = [python[index], ours[index]];
    if (theirs?.op !== own?.op) return { index, text: `node ${index}: Python ${shown(theirs)}, ours ${shown(own)}` };
  }
  return undefined;
}

/** Names and types of inner values. @returns {Comparison} */
export function compareValueInfo(python, ours) {
  const counts = { same: 0, differ: 0, missing: 0 };
  let first;
  for (const [name, type] of python.valueInfo) {
    const other = ours.valueInfo.get(name);
    const verdict = other === type ? 'same' : other ? 'differ' : 'missing';
    counts[verdict]++;
    if (verdict !== 'same') first ??= `"${name}": Python ${type}, ours ${other ?? 'none'}`;
  }
  const extra = [...ours.valueInfo.keys()].filter((name) => !python.valueInfo.has(name));
  if (extra[0]) first ??= `"${extra[0]}": Python none, ours ${ours.valueInfo.get(extra[0])}`;
  const identical = counts.differ + counts.missing + extra.length === 0;
  return { identical, summary: summarize({ ...counts, more: extra.length }), first };
}
