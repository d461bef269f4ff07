/** What a call returns, and how much it prints; nothing of it is shown. */
export function printedBy<T>(run: () => T): { readonly result: T; readonly characters: number } {
  let characters = 0;
  const count = (chunk: unknown): boolean => {
    characters += typeof chunk === 'string' ? chunk.length : chunk instanceof Uint8Array ? chunk.length : 1;
    return true;
  };
  const restore = [
    // Test frameworks put a console of their own in place, which does not write to the process's streams.
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
      replaced(console, method, (...items) => void items.forEach(count)),
    ),
    ...[process.stdout, process.stderr].map((stream) => replaced(stream, 'write', count)),
  ];
  try {
    const result = run();
    return { result, characters };
  } finally {
    for (const back of restore) back();
  }
}

function replaced<K extends string>(
  object: Record<K, unknown>,
  method: K,
  by: (...parameters: unknown[]) => unknown,
): () => void {
  const original = object[method];
  object[method] = by;
  return () => {
    object[method] = original;
  };
}
