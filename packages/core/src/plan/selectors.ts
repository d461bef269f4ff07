import { nearestNames, OptimumError } from '../foundation/index.ts';

/** What a selector is matched against. */
export interface Selectable {
  readonly id: string;
  readonly op: string;
}

/**
 * The ids that any selector names: an operator type (`Gemm`), an id or a glob over ids (`*` and `?`), or `re:` and a
 * regular expression that must match some part of an id.
 * @throws E_USAGE for selectors that match nothing or are no regular expression; all of them at once
 */
export function matchSelectors(selectors: readonly string[], nodes: readonly Selectable[]): Set<string> {
  const matched = new Set<string>();
  const problems: string[] = [];
  for (const selector of selectors) {
    const test = predicate(selector, problems);
    const hits = test ? nodes.filter(test) : [];
    if (test && hits.length === 0) problems.push(`"${selector}" matches no node${suggestion(selector, nodes)}`);
    for (const { id } of hits) matched.add(id);
  }
  if (problems.length === 0) return matched;
  throw new OptimumError('E_USAGE', `Selectors: ${problems.join('; ')}.`, {
    context: { selectors: [...selectors] },
    hint: 'optimum inspect lists operators; optimum quantize --dry-run lists the ids of the nodes.',
  });
}

function predicate(selector: string, problems: string[]): ((node: Selectable) => boolean) | undefined {
  if (selector.startsWith('re:')) {
    try {
      const expression = new RegExp(selector.slice(3));
      return ({ id }) => expression.test(id);
    } catch (error) {
      problems.push(`"${selector}" is no regular expression (${(error as Error).message})`);
      return undefined;
    }
  }
  const escaped = selector
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const glob = new RegExp(`^${escaped}$`);
  return ({ id, op }) => op === selector || id === selector || glob.test(id);
}

function suggestion(selector: string, nodes: readonly Selectable[]): string {
  const near = nearestNames(
    selector.replace(/^re:|\*/g, ''),
    nodes.flatMap(({ id, op }) => [op, id]),
  );
  return near.length > 0 ? ` (did you mean ${near.map((name) => `"${name}"`).join(' or ')}?)` : '';
}
